"""Why a file cannot be read as an image, told by what it is instead."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from sct_rootlets.errors import InputError
from sct_rootlets.pointers import absent, pointer_in

__all__ = ["not_an_image", "require_file"]

_COPY = "Copy or export it again"
_UNPACK = "Unpack it, and give the .nii, or compress that with gzip"
_CONVERT = "Convert it to NIfTI, for example with "

#: How files of another kind begin, what they are, and what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"NRRD", "an image in the format NRRD", _CONVERT + "3D Slicer or SimpleITK"),
    (b"ObjectType", "an image in the format MetaImage (MHA)", _CONVERT + "SimpleITK"),
    (b"NDims", "an image in the format MetaImage (MHA)", _CONVERT + "SimpleITK"),
    (b"\x89HDF", "a file of HDF5 (MINC, for example)", _CONVERT + "mnc2nii"),
    (b"CDF\x01", "an image in the format MINC", _CONVERT + "mnc2nii"),
    (b"\x89PNG", "a picture (PNG)", "Give the image itself, not a picture of it"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Give the image itself, not a picture of it"),
    (b"II*\0", "a picture (TIFF)", "Give the image itself, not a picture of it"),
    (b"MM\0*", "a picture (TIFF)", "Give the image itself, not a picture of it"),
    (b"%PDF", "a PDF", "Give the image itself"),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it, and give the image that is in it"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it, and give the image that is in it"),
    (b"BZh", "compressed by bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed by xz", _UNPACK),
    (
        b"(\xb5/\xfd",
        "compressed by zstd",
        "Unpack it, and give the .nii, or compress that with gzip",
    ),
    (b"\x93NUMPY", "an array of numpy", "Save it as NIfTI with the affine of its image"),
    (b"MATLAB 5", "a file of MATLAB", "Save it as NIfTI with the affine of its image"),
)
#: Bytes of the header of NIfTI-1 (and Analyze) and NIfTI-2, which is their first number.
_HEADERS = (348, 540)


def require_file(path: Path, role: str) -> None:
    """Raise an `InputError` unless `path` is a file with something in it that may be read."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise _absent(path, role) from None
    except OSError as error:
        raise InputError(
            f"cannot be reached: {error.strerror} ({role})", path=path, remedy="Check the path"
        ) from error
    if path.is_dir():
        remedy = "Give the file itself"
        if any(path.glob("*.dcm")) or (path / "DICOMDIR").exists():
            remedy = "It holds DICOM files: convert them to NIfTI with dcm2niix"
        raise InputError(f"is a folder, not a NIfTI file ({role})", path=path, remedy=remedy)
    if not path.is_file():
        raise InputError(f"is no ordinary file ({role})", path=path, remedy="Give a NIfTI file")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(
            f"may not be read: {error.strerror} ({role})",
            path=path,
            remedy="Ask its owner for the right to read it (chmod +r)",
        ) from error
    if size == 0:
        raise InputError(f"is an empty file of 0 bytes ({role})", path=path, remedy=_COPY)


def _absent(path: Path, role: str) -> InputError:
    """Return what to say of a file that is not there: a link may be."""
    problem, remedy = absent(path)
    return InputError(f"{problem} ({role})", path=path, remedy=remedy)


def not_an_image(path: Path, role: str, error: Exception | None = None) -> InputError:
    """Return the error about a file that is no NIfTI image, or a damaged one.

    Parameters
    ----------
    path : Path
        A file, as of :func:`require_file`.
    role : str
        What the file is meant to be.
    error : Exception, optional
        What was raised when it was read.
    """
    what, remedy = _cause(path) or (
        f"cannot be read as a NIfTI image{_words(error)}",
        "Give a .nii or .nii.gz file; if it is one, it is damaged: copy it again",
    )
    return InputError(f"{what} ({role})", path=path, remedy=remedy)


def _words(error: Exception | None) -> str:
    """Return the first line of an error, in brackets."""
    text = str(error or "").strip().splitlines()
    return f" ({text[0][:200]})" if text else ""


def _cause(path: Path) -> tuple[str, str] | None:
    """Return what is wrong with a file and what to do, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(1024)
    name = path.name.lower()
    if start.startswith(b"\x1f\x8b"):
        return _cause_inside(path, name)
    found = _other_kind(start, path)
    if found is not None:
        return f"is {found[0]}", found[1]
    if _is_header(start):
        if name.endswith(".gz"):
            plain = path.name[: -len(".gz")]
            remedy = f"Rename it to {plain}, or compress it with gzip"
            return "is not compressed, though its name ends with .gz", remedy
        return _bad_header(start, path.stat().st_size)
    if not any(start):
        return "holds nothing but zeros: it was not copied to its end", _COPY
    if name.endswith(".gz"):
        return "is not compressed by gzip, though its name ends with .gz", _COPY
    return None


def _cause_inside(path: Path, name: str) -> tuple[str, str] | None:
    """Return the cause of a file that gzip made."""
    if not name.endswith(".gz"):
        remedy = f"Rename it to {path.name}.gz"
        return "is compressed by gzip, though its name does not end with .gz", remedy
    try:
        with gzip.open(path) as file:
            start = file.read(1024)
    except EOFError:
        return "is cut short: its compressed data end too early", _COPY
    except (OSError, zlib.error):
        return "is damaged: its compressed data cannot be unpacked", _COPY
    if start.startswith(b"\x1f\x8b"):
        return "is compressed twice by gzip", f"Unpack it once: gunzip {path.name}"
    if start[257:262] == b"ustar":
        return "is a TAR archive", "Unpack it, and give the image that is in it"
    found = _other_kind(start, path)
    if found is not None:
        return f"is, once unpacked, {found[0]}", found[1]
    return _bad_header(start, None)


def _other_kind(start: bytes, path: Path) -> tuple[str, str] | None:
    """Return what a file is that is no NIfTI, and what to do, by how it begins."""
    pointer = pointer_in(start, path)
    if pointer is not None:
        return pointer
    if start[128:132] == b"DICM":
        return "a DICOM file", "Convert its series to NIfTI with dcm2niix"
    text = start.lstrip()
    for beginning, what, remedy in _BEGINNINGS:
        if text.startswith(beginning):
            return what, remedy
    if text[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page", "A download has failed: fetch the file itself"
    if text.startswith(b"<?xml"):
        return "an XML file", "Give a NIfTI image"
    if start and not set(start) & set(range(9)) and b"\n" in start[:400]:
        return "a text file", "Give a NIfTI image"
    return None


def _is_header(start: bytes) -> bool:
    """Say whether a file begins as a NIfTI or Analyze image does, in either order of bytes."""
    return len(start) >= 4 and any(
        struct.unpack(f"{order}i", start[:4])[0] in _HEADERS for order in "<>"
    )


def _bad_header(start: bytes, size: int | None) -> tuple[str, str] | None:
    """Return what is wrong with the header of a NIfTI file that nibabel refuses."""
    if not _is_header(start):
        return None
    order = next(o for o in "<>" if struct.unpack(f"{o}i", start[:4])[0] in _HEADERS)
    length = struct.unpack(f"{order}i", start[:4])[0]
    if len(start) < length:
        return f"is cut short: it has {len(start)} bytes, and its header alone {length}", _COPY
    if length == 348:
        offset = float(struct.unpack(f"{order}f", start[108:112])[0])
        single = start[344:347] == b"n+1"
    else:
        offset = float(struct.unpack(f"{order}q", start[168:176])[0])
        single = start[4:7] == b"n+2"
    if single and not offset >= length:
        return (
            f"has a damaged header: its voxels begin at byte {offset:g} (vox_offset), within "
            f"the header of {length} bytes",
            _COPY,
        )
    if single and size is not None and offset > size:
        return f"is cut short: its voxels begin at byte {offset:g}, and it has {size}", _COPY
    return None
