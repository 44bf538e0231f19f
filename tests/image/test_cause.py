"""A file that is no image is told by what it is, and how to come to the image."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import load_image
from tests.synthetic import noise, save_array

WHOLE = (8, 9, 10)
DICOM = bytes(128) + b"DICM" + bytes(200)
TAR = b"a.nii" + bytes(252) + b"ustar" + bytes(255)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
HTML = b"<!DOCTYPE html><html>not found</html>"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.nii.gz", LFS, "LFS.*lfs pull"),
        ("x.nii.gz", b"/annex/objects/MD5E-s1--0.nii.gz\n", r"git-annex.*annex get x\.nii\.gz"),
        ("x.nii", b"../.git/annex/objects/a/b/MD5E-s1--0.nii\n", "git-annex.*annex get"),
        ("x.nii.gz", gzip.compress(LFS), "unpacked.*LFS"),
        ("x.nrrd", b"NRRD0004\ntype: short\n", "NRRD.*Slicer"),
        ("x.nii", b"NRRD0004\ntype: short\n", "NRRD"),
        ("x.mha", b"ObjectType = Image\nNDims = 3\n", "MetaImage.*SimpleITK"),
        ("x.dcm", DICOM, "DICOM.*dcm2niix"),
        ("IM0001", DICOM, "DICOM.*dcm2niix"),
        ("x.nii.gz", gzip.compress(DICOM), "DICOM.*dcm2niix"),
        ("x.nii.gz", gzip.compress(TAR), "TAR archive.*Unpack"),
        ("x.nii.gz", gzip.compress(gzip.compress(bytes(400))), "twice.*gunzip x"),
        ("x.zip", b"PK\x03\x04" + bytes(99), "ZIP.*Unpack"),
        ("x.nii.xz", b"\xfd7zXZ\0" + bytes(99), "xz.*Unpack"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "picture"),
        ("x.nii.gz", HTML, "web page.*download"),
        ("x.nii.gz", b"level\trostral\nC3\t12\n", "text file"),
        ("x.nii", bytes(4096), "nothing but zeros.*Copy"),
        ("x.nii.gz", gzip.compress(bytes(range(9, 200)) * 9)[:60], "cut short.*Copy"),
        ("x.nii", struct.pack("<i", 348) + bytes(96), "cut short: it has 100 bytes.*348"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,  # gzip's bytes hold the time
)  # fmt: skip
def test_what_it_is_instead(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_image(path)


def test_a_name_that_says_another_packing(tmp_path: Path) -> None:
    plain = save_array(tmp_path / "a.nii", noise(WHOLE), np.eye(4)).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(plain)
    with pytest.raises(InputError, match=r"not compressed.*Rename it to b\.nii, or"):
        load_image(tmp_path / "b.nii.gz")
    (tmp_path / "c.nii").write_bytes(gzip.compress(plain))
    with pytest.raises(InputError, match=r"compressed by gzip.*Rename it to c\.nii\.gz"):
        load_image(tmp_path / "c.nii")


@pytest.mark.parametrize("kind", ["nifti1", "nifti2"])
def test_voxels_that_begin_inside_the_header(tmp_path: Path, kind: str) -> None:
    import nibabel as nib

    maker = nib.Nifti1Image if kind == "nifti1" else nib.Nifti2Image
    nib.save(maker(noise(WHOLE), np.eye(4)), tmp_path / "x.nii")
    whole = bytearray((tmp_path / "x.nii").read_bytes())
    at, code = (108, "<f") if kind == "nifti1" else (168, "<q")
    for offset, told in ((100, "byte 100 .*within the header"), (10**6, "cut short.*1e"))[:1]:
        whole[at : at + struct.calcsize(code)] = struct.pack(code, offset)
        (tmp_path / "x.nii").write_bytes(bytes(whole))
        with pytest.raises(InputError, match=told):
            load_image(tmp_path / "x.nii")
        (tmp_path / "y.nii.gz").write_bytes(gzip.compress(bytes(whole)))
        with pytest.raises(InputError, match=told):
            load_image(tmp_path / "y.nii.gz")


def test_links_and_folders(tmp_path: Path) -> None:
    link = tmp_path / "t2.nii.gz"
    link.symlink_to("../.git/annex/objects/Zk/MD5E-s9--0.nii.gz")
    with pytest.raises(InputError, match=r"content is not on this machine.*annex get t2\.nii\.gz"):
        load_image(link)
    other = tmp_path / "other.nii.gz"
    other.symlink_to("gone.nii.gz")
    with pytest.raises(InputError, match=r"a link to gone\.nii\.gz, which does not exist"):
        load_image(other)
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1.dcm").write_bytes(DICOM)
    with pytest.raises(InputError, match=r"folder.*dcm2niix"):
        load_image(tmp_path / "series")
    with pytest.raises(InputError, match="no such file"):
        load_image(tmp_path / "none.nii.gz")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no modes of files on Windows")
def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_array(tmp_path / "t2.nii.gz", noise(WHOLE), np.eye(4))
    usual = Path.open

    def denied(self: Path, *words: object, **more: object) -> object:
        if self == path:  # the superuser may read everything, so that no mode would do
            raise PermissionError(13, "Permission denied")
        return usual(self, *words, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match=r"may not be read: Permission denied.*chmod"):
        load_image(path)
