"""From files to files: map_levels and its checks."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri import map_levels
from sct_rootlets.image import LabelImage, load_labels, save
from sct_rootlets.levels.table.text import to_tsv
from tests.fmri.straight import levels_on, mapped, table_of
from tests.fmri.transforms.files import write_field

C3, C4 = SpinalLevel.C3, SpinalLevel.C4


def moved(folder: Path, axis: int, mm: float) -> tuple[Path, Path]:
    """Move the levels along a world axis; return them without a table, and the affine there."""
    source, matrix = load_labels(folder / "levels.nii.gz"), np.eye(4)
    source.grid.affine[axis, 3] += mm
    matrix[axis, 3] = mm
    save(LabelImage(source.data, source.grid), folder / "moved.nii.gz")
    np.savetxt(folder / "shift.txt", matrix)
    return folder / "moved.nii.gz", folder / "shift.txt"


def test_the_table_beside_the_levels_gives_uncertainties(folder: Path) -> None:
    rows = {(row.slice, row.level): row for row in mapped(folder).rows}
    assert rows[5, C3].fraction_sd == pytest.approx(0, abs=1e-6)
    assert rows[4, C3].fraction_sd is not None
    assert rows[4, C3].fraction_sd > 0.05
    (folder / "levels.tsv").unlink()
    assert all(row.fraction_sd is None for row in mapped(folder).rows)


def test_a_table_that_is_not_that_of_the_image_is_said(folder: Path) -> None:
    (folder / "levels.tsv").write_text(to_tsv(table_of((20.0, 41.0, 48.0))))
    result = mapped(folder)
    assert any("C3/C4 6.0 mm rostrally" in warning for warning in result.warnings)
    assert result.coverage[0].along_mm == pytest.approx(15, abs=0.3)
    (folder / "levels.tsv").write_text("some\tother\ttable\n1\t2\t3\n")
    (warning,) = mapped(folder).warnings
    assert "levels.tsv is no table of levels" in warning


def test_a_byte_order_mark_changes_no_fraction(folder: Path) -> None:
    table = folder / "levels.tsv"
    rows = mapped(folder).rows
    table.write_text(table.read_text(), encoding="utf-8-sig")
    assert mapped(folder).rows == rows


@pytest.mark.parametrize(
    ("encoding", "change"), [("utf-16", ("", "")), ("utf-8", ("measured", "mesured"))]
)
def test_a_table_that_cannot_be_read_is_an_error_with_a_way_out(
    folder: Path, encoding: str, change: tuple[str, str]
) -> None:
    table = folder / "levels.tsv"
    table.write_text(table.read_text().replace(*change), encoding=encoding)
    with pytest.raises(InputError, match="remove or rename it") as caught:
        mapped(folder)
    assert str(table) in str(caught.value)


def test_only_the_header_of_the_epi_is_read(folder: Path) -> None:
    """Its voxels may even be missing: a run of many volumes costs no memory."""
    path = folder / "sub-1_task-rest_bold.nii"
    nib.save(nib.load(folder / "sub-1_task-rest_bold.nii.gz"), path)
    damaged = bytearray(path.read_bytes())
    damaged[400:] = b"\xff" * (len(damaged) - 400)
    path.write_bytes(damaged)
    found = map_levels(folder / "levels.nii.gz", path)
    np.testing.assert_array_equal(found.fractions.share, mapped(folder).fractions.share)


def test_a_mask_stored_otherwise_is_turned(folder: Path) -> None:
    straight = mapped(folder, cord=folder / "mask.nii.gz")
    mask = nib.load(folder / "mask.nii.gz")
    turned = mask.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    nib.save(turned, folder / "turned.nii.gz")
    other = mapped(folder, cord=folder / "turned.nii.gz")
    np.testing.assert_array_equal(other.fractions.share, straight.fractions.share)
    nib.save(nib.Nifti1Image(np.ones((20, 20, 9), np.uint8), mask.affine), folder / "no.nii.gz")
    with pytest.raises(InputError, match="is not on the grid"):
        mapped(folder, cord=folder / "no.nii.gz")


def test_an_affine_the_wrong_way_is_caught_by_the_field_of_view(folder: Path) -> None:
    """The levels lie 100 mm higher than in the EPI, and the matrix takes points down."""
    low = mapped(folder, levels=moved(folder, 2, 0)[0])
    high, shift = moved(folder, 2, 100)
    right = mapped(folder, levels=high, transforms=[shift])
    np.testing.assert_allclose(right.fractions.share, low.fractions.share, atol=1e-6)
    with pytest.raises(UsageError, match=r"by 0% .* by \d+% through their inverse.* -winv"):
        mapped(folder, levels=high, transforms=[shift], inverted=[shift])
    with pytest.raises(InputError, match="do not reach the field of view"):
        mapped(folder, levels=high)


def test_an_affine_the_wrong_way_is_caught_by_the_cord_mask(folder: Path) -> None:
    """A shift of 8 mm across the cord stays within the field of view."""
    mask, (levels, across) = folder / "mask.nii.gz", moved(folder, 0, 8)
    assert mapped(folder, cord=mask, levels=levels, transforms=[across]).warnings == ()
    with pytest.raises(UsageError, match=r"cord mask by .* they go the other way"):
        mapped(folder, cord=mask, levels=levels, transforms=[across], inverted=[across])
    with pytest.raises(InputError, match="do not reach the cord mask"):
        mapped(folder, cord=mask, levels=levels)


def test_a_poor_overlap_is_warned_of(folder: Path) -> None:
    result = mapped(folder, levels=moved(folder, 0, 6.5)[0], cord=folder / "mask.nii.gz")
    assert any("look at the registration" in warning for warning in result.warnings)


def test_a_field_of_the_other_direction_is_told_by_its_grid(folder: Path) -> None:
    levels = nib.load(folder / "levels.nii.gz")
    field = np.zeros((*levels.shape, 3))
    path = write_field(folder / "warp_bold2t2.nii.gz", field, levels.affine)
    with pytest.raises(UsageError, match="on the grid of the levels"):
        mapped(folder, transforms=[path])


def test_a_field_of_another_image_is_told(folder: Path) -> None:
    far = np.eye(4)
    far[:3, 3] = 500
    path = write_field(folder / "warp.nii.gz", np.zeros((10, 10, 10, 3)), far)
    with pytest.raises(InputError, match="made for another image"):
        mapped(folder, transforms=[path])


def test_a_single_slice_is_no_epi(folder: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 1), np.uint8), np.eye(4)), folder / "slice.nii.gz")
    with pytest.raises(InputError, match="single slice"):
        map_levels(folder / "levels.nii.gz", folder / "slice.nii.gz")


def test_small_and_absent_levels_are_named(folder: Path) -> None:
    save(levels_on((14.0, 17.0, 48.0, 80.0, 90.0)), folder / "levels.nii.gz")
    (folder / "levels.tsv").unlink()
    warnings = " ".join(mapped(folder).warnings)
    assert "not within the image: C6" in warnings
    assert "no voxel has their label: C3" in warnings


def test_the_real_field(shared_data: Path, tmp_path: Path) -> None:
    """T2w levels on the MT image: each in order, and where the MT image's own cord is."""
    subject, mt = shared_data / "subject_t2", shared_data / "mt"
    levels = pipeline.levels(
        subject / "t2_seg-deepseg_rootlets.nii.gz",
        subject / "t2_seg-manual.nii.gz",
        landmarks=pipeline.Landmarks(subject / "discs.nii.gz"),
    )
    levels.write(tmp_path / "t2_levels.nii.gz")
    warp = mt / "warp_t22mt1.nii.gz"
    free = map_levels(tmp_path / "t2_levels.nii.gz", mt / "mt1.nii.gz", transforms=[warp])
    mask = load_labels(mt / "mt1_seg.nii.gz").data > 0
    labelled = free.labels.data > 0
    assert labelled.sum() > 150
    inside = mask & labelled
    assert inside.sum() / labelled.sum() > 0.8, "SCT's field brings the cord onto the cord"
    still = map_levels(tmp_path / "t2_levels.nii.gz", mt / "mt1.nii.gz")
    unmoved = still.labels.data > 0
    assert (mask & unmoved).sum() / unmoved.sum() < inside.sum() / labelled.sum()
    both = (tmp_path / "t2_levels.nii.gz", mt / "mt1.nii.gz")
    bound = map_levels(*both, transforms=[warp], cord=mt / "mt1_seg.nii.gz")
    assert not (bound.labels.data > 0)[~mask].any()
    rows = [(row.slice, row.level) for row in bound.rows]
    # Slices count upwards, levels downwards.
    tops = [
        max(s for s, level in rows if level is wanted) for wanted in sorted({r[1] for r in rows})
    ]
    assert tops == sorted(tops, reverse=True)
    by_table = {row.level: row.length_mm for row in levels.derived.table.rows}
    c5 = next(row for row in bound.coverage if row.level is SpinalLevel.C5)
    assert c5.along_mm == pytest.approx(by_table[SpinalLevel.C5], rel=0.1)
