"""Statistic maps by level: means, peaks, active voxels, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri import Analysis, MappedLevels, analyse, map_levels
from sct_rootlets.image import LabelImage, load_labels, save
from tests.fmri.planted import Planted, write_map


def rows_of(found: Analysis) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in found.map_rows}


def test_mean_peak_and_active_voxels(planted: Planted, mapped: MappedLevels) -> None:
    rng = np.random.default_rng(1)
    data = rng.normal(size=planted.grid.shape)
    labels = np.asarray(mapped.labels.data)
    peak = np.argwhere(labels == 5)[17]
    data[tuple(peak)] = 9.0
    path = write_map(planted, data)
    found = rows_of(analyse(mapped, maps=[path], threshold=1.0))
    assert list(found) == ["C3", "C4", "C5", "C6"]
    row, share = found["C5"], mapped.fractions.of(SpinalLevel.C5).astype(float)
    assert row["map"] == "z.nii.gz"
    assert float(row["mean"]) == pytest.approx((share * data).sum() / share.sum(), rel=1e-4)
    assert float(row["max"]) == 9
    where = [float(row[f"max_{axis}"]) for axis in "xyz"]
    np.testing.assert_allclose(where, planted.grid.world_from_ijk(peak), atol=1e-3)
    anat = [row[f"max_anat_{axis}"] for axis in "xyz"]
    np.testing.assert_allclose(anat, where, atol=1e-9)
    assert int(row["n_active"]) == ((labels == 5) & (data > 1)).sum()
    volume = share[data > 1].sum() * planted.grid.voxel_volume_mm3
    assert float(row["active_mm3"]) == pytest.approx(volume, rel=1e-4)
    without = rows_of(analyse(mapped, maps=[path]))["C5"]
    assert (without["n_active"], without["active_mm3"]) == (None, None)


def test_a_peak_is_also_told_in_the_image_of_the_levels(planted: Planted) -> None:
    """The levels lie 30 mm higher and 4 mm to the right of where they are in the EPI."""
    source = load_labels(planted.folder / "levels.nii.gz")
    source.grid.affine[:3, 3] += (4, 0, 30)
    save(LabelImage(source.data, source.grid), planted.folder / "high.nii.gz")
    matrix = np.eye(4)
    matrix[:3, 3] = (4, 0, 30)
    np.savetxt(planted.folder / "up.txt", matrix)
    moved = map_levels(
        planted.folder / "high.nii.gz",
        planted.folder / "bold.nii.gz",
        transforms=[planted.folder / "up.txt"],
    )
    data = np.random.default_rng(2).normal(size=planted.grid.shape)
    row = rows_of(analyse(moved, maps=[write_map(planted, data)]))["C4"]
    apart = [float(row[f"max_anat_{axis}"]) - float(row[f"max_{axis}"]) for axis in "xyz"]
    np.testing.assert_allclose(apart, (4, 0, 30), atol=1e-3)


def test_voxels_without_a_value_are_left_out_and_counted(
    planted: Planted, mapped: MappedLevels
) -> None:
    data = np.full(planted.grid.shape, 2.0)
    c3 = np.argwhere(np.asarray(mapped.labels.data) == 3)
    data[tuple(c3[:4].T)] = np.nan
    data[np.asarray(mapped.labels.data) == 6] = np.inf
    row = rows_of(analyse(mapped, maps=[write_map(planted, data)], threshold=1.0))
    assert row["C3"]["n_nan"] == 4
    assert float(row["C3"]["mean"]) == pytest.approx(2)
    assert int(row["C3"]["n_active"]) == len(c3) - 4
    assert (row["C6"]["n_labelled"], row["C6"]["max"], row["C6"]["max_x"]) == (0, None, None)


def test_maps_that_cannot_be_used(planted: Planted, mapped: MappedLevels) -> None:
    with pytest.raises(InputError, match="has 5 volumes"):
        analyse(mapped, maps=[planted.folder / "bold.nii.gz"])
    other = write_map(planted, np.zeros((6, 6, 6)), "small.nii.gz")
    with pytest.raises(InputError, match="is not on the grid of"):
        analyse(mapped, maps=[other])
    empty = np.zeros(planted.grid.shape)
    empty[0, 0, 0] = 1
    with pytest.raises(InputError, match="no voxel of a level"):
        analyse(mapped, mask=write_map(planted, empty, "corner.nii.gz"))
