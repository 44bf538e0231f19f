"""Headers that contradict themselves, or cannot be, through the real commands."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from tests.cli.conftest import Command

LEVELS = "levels -i rootlets.nii.gz -s cord.nii.gz -o levels.nii.gz"
DISCS = f"{LEVELS} -discs discs.nii.gz"

Change = Callable[[Any], None]


def change(paths: dict[str, Path], names: str, how: Change) -> None:
    """Write files again with another header."""
    for name in names.split():
        nifti = nib.load(paths[name])
        data = np.asarray(nifti.dataobj)
        how(nifti)
        nib.save(nib.Nifti1Image(data, None, nifti.header), paths[name])


def in_unit(code: int, factor: float) -> Change:
    def how(nifti: Any) -> None:
        affine = np.diag([factor, factor, factor, 1.0]) @ nifti.affine
        nifti.set_qform(affine, 1)
        nifti.set_sform(affine, 1)
        nifti.header["xyzt_units"] = code

    return how


def scaled(sform: float, qform: float = 1.0, codes: tuple[int, int] = (1, 1)) -> Change:
    def how(nifti: Any) -> None:
        affine = nifti.affine
        nifti.set_qform(affine @ np.diag([qform, qform, qform, 1.0]), codes[0])
        nifti.set_sform(affine @ np.diag([sform, sform, sform, 1.0]), codes[1])

    return how


def places(mm: float, codes: tuple[int, int]) -> Change:
    """Move the qform by `mm`."""

    def how(nifti: Any) -> None:
        affine = nifti.affine.copy()
        nifti.set_sform(affine, codes[1])
        affine[2, 3] += mm
        nifti.set_qform(affine, codes[0])

    return how


def nowhere(nifti: Any) -> None:
    nifti.set_qform(None, 0)
    nifti.set_sform(None, 0)


@pytest.mark.parametrize(("code", "factor"), [(1, 1e-3), (3, 1e3)], ids=["metre", "micron"])
def test_units_are_heeded(
    paths: dict[str, Path], command: Command, tmp_path: Path, code: int, factor: float
) -> None:
    command(LEVELS)
    change(paths, "rootlets cord", in_unit(code, factor))
    said = command(LEVELS.replace("levels.nii", "again.nii"))
    unit_name = {1: "metre", 3: "micron"}[code]
    assert f"cord.nii.gz (cord mask) is in the unit {unit_name}" in " ".join(said.err.split())
    numbers = [
        [float(cell) for cell in text.split() if cell.replace(".", "").isdigit()]
        for text in ((tmp_path / f"{name}.tsv").read_text() for name in ("levels", "again"))
    ]
    np.testing.assert_allclose(numbers[0], numbers[1], atol=0.02)


@pytest.mark.parametrize(
    ("names", "how", "told"),
    [
        ("cord rootlets", scaled(3.5, 3.5), ["cord.nii.gz: is", "mm wide", "no spinal cord"]),
        ("cord rootlets", in_unit(1, 1.0), ["says metre", "look like mm"]),
        ("rootlets", in_unit(0, 1e-3), ["says no unit", "look like metre"]),
        ("cord", scaled(3.0), ["contradicts itself", "by its sform", "by its qform"]),
        ("cord", scaled(0.4, codes=(0, 1)), ["by its sform", "by its pixdim"]),
        ("cord", lambda n: n.set_sform(np.diag([1, 1, 1e-9, 1]), 1), ["voxels of 1x1x1e-09"]),
        ("cord", lambda n: n.header.__setitem__("srow_x", [1, 0, 0, 1e30]), ["holds 1e+30 mm"]),
        ("cord", places(7.0, (0, 1)), []),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    paths: dict[str, Path],
    refused: Callable[..., None],
    command: Command,
    names: str,
    how: Change,
    told: list[str],
) -> None:
    change(paths, names, how)
    if told:
        refused(LEVELS, 1, *told)
    else:  # a qform that does not count
        assert "qform" not in command(LEVELS).err


@pytest.mark.parametrize("what", ["discs", "cord"])
def test_files_whose_forms_disagree(
    paths: dict[str, Path], refused: Callable[..., None], command: Command, what: str
) -> None:
    change(paths, "rootlets cord", places(15.0, (1, 2)))
    if what == "discs":
        nib.save(nib.load(paths["discs"]).slicer[:, :, 5:], paths["discs"])
        told = "qform and an sform that differ by up to 15 mm"
        refused(DISCS, 1, told,
                "discs.nii.gz lies 15 mm elsewhere", "sct_image -set-sform-to-qform")  # fmt: skip
        # All of one scan were moved alike.
        change(paths, "discs", places(15.0, (1, 2)))
        assert "ITK's tools take the qform" in " ".join(command(DISCS).err.split())
        return
    # An ITK tool has written the mask, and placed it by the qform.
    change(paths, "cord", lambda n: (n.set_sform(n.get_qform(), 1), n.set_qform(n.get_qform(), 1)))
    refused(LEVELS, 1, "is not on the grid", "15 mm", "By the qform of", "they are on one grid")


def test_no_orientation_is_said(paths: dict[str, Path], command: Command) -> None:
    change(paths, "rootlets cord", nowhere)
    said = " ".join(command(LEVELS).err.split())
    assert "cord.nii.gz (cord mask) states no orientation" in said
    assert "may be exchanged" in said


def test_an_image_says_it_too(paths: dict[str, Path], command: Command, knowing: Any) -> None:
    knowing()
    change(paths, "image", places(15.0, (1, 2)))
    said = command("segment -i t2.nii.gz -o r.nii.gz")
    assert "its sform (code 2) and its qform (code 1) differ by up to 15 mm" in " ".join(
        said.err.split()
    )


@pytest.mark.parametrize("transform", [False, True])
def test_levels_and_epi_whose_forms_disagree(
    paths: dict[str, Path], command: Command, refused: Callable[..., None], transform: bool
) -> None:
    command(f"{LEVELS} -v 0")
    change({"epi": paths["image"]}, "epi", places(15.0, (1, 2)))
    words = "map -i levels.nii.gz -d t2.nii.gz -o mapped.nii.gz"
    if transform:
        np.savetxt("shift.txt", np.eye(4))
        refused(f"{words} -w shift.txt", 1, "differ by up to 15 mm", "Make them one")
        return
    # They are on one grid of voxels by the sform: whoever made the levels went by it.
    command(f"{words} -v 0")
    change({"epi": paths["image"]}, "epi", places(0.0, (1, 2)))
    change({"levels": Path("levels.nii.gz")}, "levels", places(0.0, (1, 1)))
    crop = nib.load(paths["image"]).slicer[:, :, 5:90]
    nib.save(crop, "epi.nii.gz")
    change({"epi": Path("epi.nii.gz")}, "epi", places(15.0, (1, 2)))
    refused(words.replace("-d t2", "-d epi"), 1, "15 mm elsewhere beside it")


#: Files that are no image, how they are made of one, and what each command has to say.
NO_IMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "plain.nii.gz": (lambda whole: gzip.decompress(whole), "Rename it to plain.nii, or compress"),
    "packed.nii": (lambda whole: whole, "Rename it to packed.nii.gz"),
    "lfs.nii.gz": (lambda _: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "annex.nii.gz": (lambda _: b"/annex/objects/MD5E-s1--0.nii.gz\n", "git annex get annex.nii.gz"),
    "cut.nii.gz": (lambda whole: whole[:60], "is cut short"),
    "scan.dcm": (lambda _: bytes(128) + b"DICM" + bytes(99), "dcm2niix"),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_image_says_what_it_is(
    paths: dict[str, Path], refused: Callable[..., None], name: str
) -> None:
    made_of, told = NO_IMAGES[name]
    Path(name).write_bytes(made_of(paths["image"].read_bytes()))
    for words in (
        f"segment -i {name} -o r.nii.gz",
        f"levels -i {name} -s cord.nii.gz -o l.nii.gz",
        f"levels -i rootlets.nii.gz -s {name} -o l.nii.gz",
        f"levels -i rootlets.nii.gz -s cord.nii.gz -discs {name} -o l.nii.gz",
        f"map -i rootlets.nii.gz -d {name} -o m.nii.gz",
        f"perlevel -i {name} -levels rootlets.nii.gz -o p.tsv",
    ):
        refused(words, 1, told)
