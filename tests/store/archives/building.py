"""Archives made for tests, good and hostile, and what lies around the folder they go into."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path

from sct_rootlets.store.archives.unpack import UnpackLimits

MODEL = {
    "nnUNetTrainer__nnUNetPlans__3d_fullres/dataset.json": b'{"labels": {}}',
    "nnUNetTrainer__nnUNetPlans__3d_fullres/fold_all/checkpoint_final.pth": (
        random.Random(5).randbytes(700_000)
    ),
    "nnUNetTrainer__nnUNetPlans__3d_fullres/fold_all/empty.txt": b"",
    "LICENSE": b"MIT " * 1000,
}

MODEL_FOLDERS = sorted({name.rpartition("/")[0] for name in MODEL} - {""})

SMALL = UnpackLimits(members=50, total_bytes=5_000_000, ratio=20, unrated_bytes=1_000_000)


def zip_of(*members, method=zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of (name, content) or (name, content, mode), with whatever name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        for name, content, *mode in members:
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # the constructor would change it
            entry.compress_type = method
            entry.create_system = 3
            entry.external_attr = (mode[0] if mode else 0o100644) << 16
            archive.writestr(entry, content)
    return stream.getvalue()


class Pipe(io.BytesIO):
    """A stream that cannot go back, so that what is written to it has its sizes after the data."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def streamed_zip(force_zip64: bool) -> bytes:
    """Return `MODEL` as a zip written to a pipe, or with sizes of 64 bits."""
    stream = io.BytesIO() if force_zip64 else Pipe()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in MODEL.items():
            with archive.open(name, "w", force_zip64=force_zip64) as member:
                member.write(content)
    return stream.getvalue()


def tar_of(*members, compress=True, format=tarfile.PAX_FORMAT) -> bytes:
    """Return a tar(.gz) of (name, content) or (name, content, attributes)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for name, content, *attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in (attributes[0] if attributes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    data = stream.getvalue()
    return gzip.compress(data, mtime=0) if compress else data


def corrupt(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


GOOD_ZIP = zip_of(*MODEL.items())
GOOD_TAR = tar_of(*MODEL.items(), compress=False)
GOOD_TGZ = tar_of(*MODEL.items())


def around(into: Path) -> dict[Path, tuple[int, int, bytes | str]]:
    """Return mode, time and content of all around a folder of `make_surroundings`, but its own."""
    found: dict[Path, tuple[int, int, bytes | str]] = {}
    for folder, folders, files in os.walk(into.parents[2]):
        if Path(folder) == into.parent:
            folders.remove(into.name)
        for path in (Path(folder, name) for name in (*folders, *files)):
            status = path.lstat()
            content: bytes | str = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            found[path] = (status.st_mode, status.st_mtime_ns, content)
    return found


def make_surroundings(root: Path) -> Path:
    """Make a folder to unpack into, deep in a tree that has something to lose."""
    into = root / "store" / "staging" / "into"
    into.mkdir(parents=True)
    for folder in (root, root / "store", root / "store" / "staging"):
        (folder / "outside").mkdir()
        (folder / "outside" / "keep.txt").write_text("kept")
        (folder / "keep.txt").write_text("kept")
    return into
