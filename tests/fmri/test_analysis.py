"""Statistic maps by level, and what an analysis writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri import Analysis, MappedLevels, analyse, map_levels
from sct_rootlets.fmri.products import product_files, write
from sct_rootlets.image import LabelImage, load_labels, save
from tests.fmri.planted import Planted, plant


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"), volumes=5)


@pytest.fixture(scope="module")
def mapped(planted: Planted) -> MappedLevels:
    return map_levels(planted.folder / "levels.nii.gz", planted.folder / "bold.nii.gz")


def write_map(planted: Planted, data: np.ndarray, name: str = "z.nii.gz") -> Path:
    path = planted.folder / name
    nib.save(nib.Nifti1Image(data.astype(np.float32), planted.grid.affine), path)
    return path


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
    other = write_map(planted, np.zeros((4, 4, 4)), "small.nii.gz")
    with pytest.raises(InputError, match="not on the grid of the levels"):
        analyse(mapped, maps=[other])
    empty = np.zeros(planted.grid.shape)
    empty[0, 0, 0] = 1
    with pytest.raises(InputError, match="no voxel of a level"):
        analyse(mapped, mask=write_map(planted, empty, "corner.nii.gz"))


def test_what_is_written(planted: Planted, mapped: MappedLevels, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = write_map(planted, np.random.default_rng(3).normal(size=planted.grid.shape))
    options: dict[str, Any] = {"func": planted.folder / "bold.nii.gz", "maps": [path]}
    target = tmp_path / "X.nii.gz"
    write(analyse(mapped, regions=True, **options), target)
    assert {file.name for file in tmp_path.iterdir()} == {
        "X.nii.gz", "X.json", "X_dseg.tsv", "X_slices.tsv", "X_slices.json",
        *(file.name for file in product_files(target).values()),
    }  # fmt: skip
    files = product_files(target)
    about = json.loads(files["series_json"].read_text())
    assert about["RepetitionTime"] == 2.5
    assert about["SamplingFrequency"] == 0.4
    assert about["GeneratedBy"][0]["Parameters"]["Average"] == "weighted"
    assert any(source.endswith("bold.nii.gz") for source in about["Sources"])
    columns = files["by_level"].read_text().splitlines()[0].split("\t")
    described = json.loads(files["by_level_json"].read_text())
    assert all(described[column]["Description"] for column in columns)
    columns = files["maps"].read_text().splitlines()[0].split("\t")
    described = json.loads(files["maps_json"].read_text())
    assert all(described[column]["Description"] for column in columns)
    lookup = [line.split("\t") for line in files["regions_lookup"].read_text().splitlines()]
    assert lookup[0] == ["index", "name", "level", "side", "sector", "tissue", "color"]
    image = nib.load(files["regions"])
    assert set(np.unique(np.asarray(image.dataobj))) - {0} == {int(row[0]) for row in lookup[1:]}
    assert image.ndim == 3
    lut = [line.split(" ") for line in files["regions_lut"].read_text().splitlines()]
    assert [(row[0], row[4]) for row in lut] == [(row[0], row[1]) for row in lookup[1:]]
    assert all(0 <= float(part) <= 1 for row in lut for part in row[1:4])
    assert len({row[6] for row in lookup[1:]}) == 16, "every region has a colour of its own"


def test_an_input_is_never_replaced(planted: Planted, mapped: MappedLevels) -> None:
    path = write_map(planted, np.ones(planted.grid.shape), "Y_regions.nii.gz")
    before = path.read_bytes()
    found = analyse(mapped, regions=True, maps=[path])
    with pytest.raises(UsageError, match="is an input"):
        write(found, planted.folder / "Y.nii.gz")
    assert path.read_bytes() == before
