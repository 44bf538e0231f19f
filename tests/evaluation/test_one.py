"""One prediction against its reference: planted errors, what is compared, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import evaluation
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.evaluation.columns import EMPTY_CASES, FIGURES
from sct_rootlets.metrics import compare
from tests.evaluation.planted import SPACING, Planted, measure, rows_of


def test_the_same_is_perfect(planted: Planted) -> None:
    (result,) = measure(planted, "same", cord=True).results
    for row in result.agreement:
        assert row.dice == row.f1_slice == row.nsd_1vox == row.nsd_1mm == 1
        assert row.assd_mm == row.hd95_mm == row.centre_distance_mm == 0
    assert result.slices is not None
    assert (result.slices.wrong, result.slices.partly) == (0, 0)
    assert result.level_accuracy == 1
    counts = result.confusion
    np.testing.assert_array_equal(counts, np.diag(np.diag(counts)))
    assert counts.sum() == planted.labels.size
    errors = result.border_errors_mm("rostral", "caudal", "midpoint")
    assert len(errors) > 5
    np.testing.assert_allclose(errors, 0, atol=1e-9)


def test_a_shift_is_found_in_mm(planted: Planted) -> None:
    """By two voxels of 1.5 mm: as far apart are the centres and the borders, with their sign."""
    (result,) = measure(planted, "shifted", cord=True).results
    for row in result.agreement:
        assert row.centre_distance_mm == pytest.approx(2 * SPACING[2], rel=1e-5)
        assert 0 < row.assd_mm < 2 * SPACING[2]
    slices = int((planted.labels == 4).any(axis=(0, 1)).sum())
    assert rows_of(result)["C4"].f1_slice == pytest.approx((slices - 2) / slices)
    errors = result.border_errors_mm("midpoint")
    assert len(errors)
    np.testing.assert_allclose(errors, 2 * SPACING[2], atol=0.1)


def test_swapped_names_are_in_the_confusion_and_the_slices(planted: Planted) -> None:
    (result,) = measure(planted, "swapped").results
    assert result.values == (3, 4, 5, 6)
    n4, n5 = (int((planted.labels == value).sum()) for value in (4, 5))
    assert result.confusion[2, 3] == n4
    assert result.confusion[3, 2] == n5
    assert result.confusion[2, 2] == result.confusion[3, 3] == 0
    in_slices = [(planted.labels == value).any(axis=(0, 1)) for value in (4, 5)]
    assert result.slices is not None
    both = int((in_slices[0] & in_slices[1]).sum())
    assert result.slices.wrong == sum(int(one.sum()) for one in in_slices) - 2 * both
    assert rows_of(result)["all"].dice == 1
    assert result.level_accuracy == pytest.approx(1 - (n4 + n5) / (planted.labels > 0).sum())


def test_one_level_that_moved_leaves_the_others(planted: Planted) -> None:
    (result,) = measure(planted, "moved").results
    rows = rows_of(result)
    assert rows["C5"].centre_distance_mm == pytest.approx(2 * SPACING[2], rel=1e-5)
    assert rows["C3"].dice == rows["C4"].dice == 1
    assert 0 < rows["C5"].dice < 1


def test_another_orientation_of_the_grid_is_the_same_grid(planted: Planted) -> None:
    folder = planted.folder
    straight = evaluation.evaluate_pair(folder / "shifted.nii.gz", folder / "truth.nii.gz")
    lying = evaluation.evaluate_pair(folder / "shifted.nii.gz", folder / "turned.nii.gz")
    for one, other in zip(straight.agreement, lying.agreement, strict=True):
        for name in FIGURES:
            assert getattr(one, name) == pytest.approx(getattr(other, name)), name
    assert straight.slices == lying.slices


def test_rootlets_without_names_are_compared_as_one_structure(planted: Planted) -> None:
    (result,) = measure(planted, "nameless", cord=True).results
    assert [row.level for row in result.agreement] == [None]
    assert result.whole.dice == 1
    assert result.slices is None
    assert result.borders == ()
    assert any("no level identity" in remark for remark in result.remarks)
    assert any("no borders" in remark for remark in result.remarks)


def test_empty_sides_have_the_documented_values(planted: Planted) -> None:
    folder = planted.folder
    sides = {"truth": folder / "truth.nii.gz", "nothing": folder / "nothing.nii.gz"}
    pairs = [("nothing", "truth"), ("truth", "nothing"), ("nothing", "nothing")]
    for (case, wanted), (found, truth) in zip(EMPTY_CASES.items(), pairs, strict=True):
        result = evaluation.evaluate_pair(sides[found], sides[truth])
        assert len(result.agreement) == (1 if found == truth else 5), case
        for row in result.agreement:
            for name, value in wanted.items():
                is_unknown = np.isnan(getattr(row, name))
                assert is_unknown if value is None else getattr(row, name) == value, (case, name)


def test_levels_that_were_not_annotated_can_be_left_out(planted: Planted) -> None:
    """C6 was found and is in the reference too; without it nothing is said of it."""
    folder = planted.folder
    files = (folder / "missing.nii.gz", folder / "truth.nii.gz")
    whole = evaluation.evaluate_pair(*files)
    part = evaluation.evaluate_pair(*files, only={SpinalLevel.C3, SpinalLevel.C5})
    assert [str(row.level) for row in part.agreement] == ["C3", "C5", "None"]
    assert str(part.agreement[:2]) == str((whole.agreement[0], whole.agreement[2]))  # with NaN
    n3, n5 = (int((planted.labels == value).sum()) for value in (3, 5))
    assert part.whole.recall == pytest.approx(n3 / (n3 + n5))
    assert part.confusion.sum() == planted.labels.size
    with pytest.raises(UsageError, match="no level identity"):
        evaluation.evaluate_pair(folder / "nameless.nii.gz", files[1], only={SpinalLevel.C3})


def test_the_official_prediction_against_itself_shifted(shared_data: Path, tmp_path: Path) -> None:
    """On a sagittal image (PSR) the slices are those along the third anatomical axis."""
    from sct_rootlets.image import load_labels, save

    path = shared_data / "subject_t2" / "t2_seg-deepseg_rootlets.nii.gz"
    labels = load_labels(path)
    axis = labels.grid.orientation_nib.index("S") if "S" in labels.grid.orientation_nib else None
    if axis is None:
        axis = labels.grid.orientation_nib.index("I")
    shifted = labels.with_data(np.roll(labels.data, 1, axis=axis))
    save(shifted, tmp_path / "shifted.nii.gz")
    result = evaluation.evaluate_pair(tmp_path / "shifted.nii.gz", path)
    counted = compare(shifted.data, labels.data, labels.grid)
    assert result.agreement == counted
    for row in counted[:-1]:
        assert row.centre_distance_mm == pytest.approx(float(labels.grid.spacing_mm[axis]))
        assert row.f1_slice > row.dice


def test_another_grid_is_an_error(planted: Planted) -> None:
    folder = planted.folder
    with pytest.raises(InputError, match="is not on the grid of"):
        evaluation.evaluate_pair(folder / "cropped.nii.gz", folder / "truth.nii.gz")


def test_a_value_beyond_s5_is_no_level(planted: Planted) -> None:
    path = planted.write("beyond", np.where(planted.labels == 6, 31, planted.labels))
    with pytest.raises(InputError, match="holds the value 31"):
        evaluation.evaluate_pair(path, planted.folder / "truth.nii.gz")
    path.unlink()
