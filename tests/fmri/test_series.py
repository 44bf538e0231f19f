"""Time series by level: read volume by volume, and what was planted found again."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.arrayproxy import ArrayProxy
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri import SeriesResult, analyse
from sct_rootlets.fmri.parcels import Parcel, Parcels
from sct_rootlets.fmri.series import (
    RunningStatistics,
    SeriesFile,
    extract,
    projectors,
    standardized,
    voxel_statistics,
)
from sct_rootlets.fmri.series_tables import series_to_tsv
from sct_rootlets.image import Grid, Image
from tests.fmri.planted import Planted, plant
from tests.orientations import LETTERS

GRID = Grid((4, 5, 3), np.diag([2.0, 2, 5, 1]))


def on_grid(grid: Grid) -> Image:
    return Image(np.broadcast_to(np.uint8(0), grid.shape), grid, path="the EPI")


LEVELS = on_grid(GRID)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"))


def series_of(planted: Planted, name: str = "bold.nii.gz", **options: Any) -> SeriesResult:
    found = analyse(planted.mapped(name), func=planted.folder / name, **options).series
    assert found is not None
    return found


def write_4d(path: Path, data: NDArray[Any], tr: float = 2.0, unit: str = "sec") -> Path:
    nifti = nib.Nifti1Image(data, GRID.affine)
    nifti.header.set_zooms((2, 2, 5, tr))
    nifti.header.set_xyzt_units("mm", unit)
    nib.save(nifti, path)
    return path


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), mean=st.sampled_from([0.0, 1e3, 1e7]))
def test_running_statistics_are_those_of_all_values_at_once(seed: int, mean: float) -> None:
    rng = np.random.default_rng(seed)
    values = mean + rng.normal(size=(25, 6))
    values[rng.random(values.shape) < 0.1] = np.nan
    running = RunningStatistics(6)
    for volume in values:
        running.add(volume)
    np.testing.assert_array_equal(running.bad, np.isnan(values).sum(axis=0))
    np.testing.assert_allclose(running.mean, np.nanmean(values, axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(running.sd, np.nanstd(values, axis=0, ddof=1), rtol=1e-6)


@pytest.mark.parametrize(("thickness_mm", "count", "baseline"), [(5, 12, 0.03), (16.8, 4, 0.1)])
def test_each_level_gets_back_what_was_planted_in_it(
    tmp_path: Path, thickness_mm: float, count: int, baseline: float
) -> None:
    """Least squares undo the mixing in thick slices, but for noise of the size it has to have.

    What stands still is a thousand times the noise of a level: there the errors of the shares
    show, of a few percent.
    """
    planted = plant(tmp_path, thickness_mm=thickness_mm, count=count, volumes=200)
    found = series_of(planted, average="fit")
    assert found.names == ("C3", "C4", "C5", "C6")
    weight = planted.share.reshape(-1, 4)
    noise = planted.noise * np.sqrt(np.diag(np.linalg.inv(weight.T @ weight)))
    apart = found.series - planted.signals
    z = (apart - apart.mean(axis=0)).std(axis=0, ddof=1) / noise
    assert (z < 1.25).all()
    assert (z > 0.75).all(), "the noise is of that size, not smaller"
    assert np.abs(apart.mean(axis=0) / planted.signals.mean(axis=0)).max() < baseline


def test_the_weighted_mean_is_that_of_the_voxels(planted: Planted) -> None:
    """It mixes neighbours by as much as the slices do, and no more."""
    found = series_of(planted)
    weight = planted.share.reshape(-1, 4)
    held = weight[weight.sum(axis=1) > 0]
    # Voxels at the surface of the cord are darker, as much as they are not cord.
    expected = (held.T @ held / held.sum(axis=0)[:, None]) @ planted.signals.T
    noise = planted.noise * np.sqrt((held**2).sum(axis=0)) / held.sum(axis=0)
    apart = found.series - expected.T
    assert np.abs(apart.mean(axis=0)).max() < 0.02 * 1000
    assert (apart.std(axis=0) < 1.3 * noise).all()


def test_the_table_by_level(planted: Planted) -> None:
    found = series_of(planted, regions=True)
    rows = {row["name"]: row for row in found.rows}
    assert len(rows) == 4 * 5
    bold = np.asarray(nib.load(planted.folder / "bold.nii.gz").dataobj, dtype=float)
    mapped = planted.mapped()
    weight = mapped.fractions.of(SpinalLevel.C5).astype(float)
    voxels = weight > 0
    tsnr = bold[voxels].mean(axis=1) / bold[voxels].std(axis=1, ddof=1)
    series = np.average(bold[voxels], axis=0, weights=weight[voxels])
    row = rows["C5"]
    assert int(row["n_voxels"]) == voxels.sum()
    assert int(row["n_labelled"]) == (mapped.labels.data == 5).sum()
    assert float(row["weight"]) == pytest.approx(weight.sum(), rel=1e-5)
    assert float(row["mean"]) == pytest.approx(series.mean(), rel=1e-5)
    assert float(row["sd"]) == pytest.approx(series.std(ddof=1), rel=1e-5)
    assert float(row["tsnr"]) == pytest.approx(np.average(tsnr, weights=weight[voxels]), rel=1e-5)
    assert float(row["tsnr_series"]) == pytest.approx(series.mean() / series.std(ddof=1), rel=1e-5)
    assert float(row["along_mm"]) == pytest.approx(13, abs=0.3)
    assert (row["n_nan"], row["n_constant"], row["side"]) == (0, 0, None)
    assert row["entered"] == pytest.approx(1)
    quarters = [float(rows[f"C5_{side}_{sector}"]["weight"])
                for side in ("left", "right") for sector in ("dorsal", "ventral")]  # fmt: skip
    assert sum(quarters) == pytest.approx(weight.sum(), rel=1e-4)


def test_voxels_that_are_no_numbers_or_never_change_are_left_out_and_counted(
    planted: Planted,
) -> None:
    nifti = nib.load(planted.folder / "bold.nii.gz")
    data = np.asarray(nifti.dataobj).copy()
    mapped = planted.mapped()
    c4 = np.argwhere(mapped.fractions.of(SpinalLevel.C4) > 0.9)[:3]
    data[tuple(c4[0])][20] = np.nan
    data[tuple(c4[1])][:] = np.inf
    data[tuple(c4[2])] = 12345.0
    nib.save(nib.Nifti1Image(data, nifti.affine), planted.folder / "holes.nii.gz")
    found = series_of(planted, "holes.nii.gz")
    row = {row["name"]: row for row in found.rows}["C4"]
    whole = {row["name"]: row for row in series_of(planted).rows}["C4"]
    assert (row["n_nan"], row["n_constant"]) == (2, 1)
    assert int(row["n_voxels"]) == int(whole["n_voxels"]) - 3
    assert float(row["entered"]) < 1
    assert np.isfinite(found.series).all()
    assert float(row["mean"]) == pytest.approx(float(whole["mean"]), rel=0.01)
    mask = np.ones(data.shape[:3], dtype=np.uint8)
    mask[tuple(c4.T)] = 0
    nib.save(nib.Nifti1Image(mask, nifti.affine), planted.folder / "mask.nii.gz")
    masked = series_of(planted, mask=planted.folder / "mask.nii.gz")
    np.testing.assert_allclose(masked.series, found.series, rtol=1e-12)
    assert {row["name"]: row for row in masked.rows}["C4"]["n_nan"] == 0


@pytest.mark.parametrize("average", ["weighted", "label", "fit"])
def test_a_level_without_a_voxel_has_no_number(average: str) -> None:
    parcels = Parcels(
        tuple(Parcel(level.value, level) for level in (SpinalLevel.C3, SpinalLevel.C4)),
        np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]]),
        np.array([[1.0, 0], [0.5, 0], [0.0, 0.7]]),
        np.array([0, 0, 1]),
        GRID,
    )
    found = projectors(parcels, np.array([True, True, False]), average)
    values = np.array([4.0, 2.0, 9.0])
    assert np.isnan(found[1]).all()
    expected = {"weighted": 10 / 3, "label": 3.0, "fit": 4.0}
    assert found[0] @ values == pytest.approx(expected[average])


def test_standards() -> None:
    series = np.array([[1.0, -5, 3], [2, -5, 5], [6, -5, -2]])
    np.testing.assert_array_equal(standardized(series, "none"), series)
    z = standardized(series, "zscore")
    np.testing.assert_allclose(z[:, 0].std(ddof=1), 1)
    np.testing.assert_allclose(z[:, 0].mean(), 0, atol=1e-12)
    assert np.isnan(z[:, 1]).all()
    np.testing.assert_allclose(standardized(series, "psc")[:, 0], [-200 / 3, -100 / 3, 100])
    with pytest.raises(ValueError, match="none of"):
        standardized(series, "percent")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_no_more_than_one_volume_is_read_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever asks for the whole array, or for two volumes, gets an error."""
    rng = np.random.default_rng(3)
    data = rng.normal(size=(*GRID.shape, 9)).astype(np.float32)
    path = write_4d(tmp_path / name, data)
    one = ArrayProxy.__getitem__

    def refuse(self: ArrayProxy, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("all volumes were asked for")

    def single(self: ArrayProxy, key: Any) -> Any:
        values = one(self, key)
        assert values.size <= np.prod(GRID.shape)
        return values

    monkeypatch.setattr(ArrayProxy, "__array__", refuse)
    monkeypatch.setattr(ArrayProxy, "get_unscaled", refuse)
    monkeypatch.setattr(ArrayProxy, "__getitem__", single)
    ijk = np.argwhere(np.ones(GRID.shape))
    file = SeriesFile(path, LEVELS)
    found = voxel_statistics(file, ijk, np.ones(len(ijk), dtype=bool))
    np.testing.assert_allclose(found.mean, data.reshape(-1, 9).mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found.sd, data.reshape(-1, 9).std(axis=1, ddof=1), atol=1e-6)
    means = np.full((1, len(ijk)), 1 / len(ijk))
    again = extract(file, ijk, means, np.ones(len(ijk), dtype=bool))
    np.testing.assert_allclose(again[:, 0], data.reshape(-1, 9).mean(axis=0), atol=1e-6)


def test_a_compressed_file_is_read_from_its_beginning_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each time it is gone through: not again from the beginning for every volume."""
    data = np.random.default_rng(4).integers(0, 2000, (*GRID.shape, 12)).astype(np.int16)
    file = SeriesFile(write_4d(tmp_path / "a.nii.gz", data), LEVELS)
    asked: list[int] = []
    opened: list[None] = []
    seek, begin = gzip.GzipFile.seek, gzip.GzipFile.__init__

    def counted(self: gzip.GzipFile, offset: int, whence: int = 0) -> int:
        if whence == 0:
            asked.append(offset)
        return seek(self, offset, whence)

    def begun(self: gzip.GzipFile, *args: Any, **kwargs: Any) -> None:
        opened.append(None)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(gzip.GzipFile, "seek", counted)
    monkeypatch.setattr(gzip.GzipFile, "__init__", begun)
    ijk = np.array([[0, 0, 0]])
    for _ in range(2):
        list(file.voxels(ijk))
    assert len(opened) == 1
    assert len(asked) >= 24
    back = sum(later < earlier for earlier, later in pairwise(asked))
    assert back == 1, "only to begin the second time"


@pytest.mark.parametrize("letters", LETTERS[1:])
def test_a_series_stored_in_another_orientation_has_the_same_voxels(
    tmp_path: Path, letters: str
) -> None:
    data = np.arange(np.prod(GRID.shape) * 2, dtype=np.int16).reshape(*GRID.shape, 2)
    nifti = nib.Nifti1Image(data, GRID.affine)
    turn = ornt_transform(io_orientation(GRID.affine), axcodes2ornt(letters))
    nib.save(nifti.as_reoriented(turn), tmp_path / "turned.nii.gz")
    file = SeriesFile(tmp_path / "turned.nii.gz", LEVELS)
    ijk = np.argwhere(np.ones(GRID.shape))
    np.testing.assert_array_equal(np.stack([*file.voxels(ijk)], axis=-1), data.reshape(-1, 2))


def test_volumes_along_another_axis_are_no_series(tmp_path: Path) -> None:
    for shape in ((1, 3), (3, 2)):
        nifti = nib.Nifti1Image(np.zeros((*GRID.shape, *shape), np.int16), GRID.affine)
        nib.save(nifti, tmp_path / "five.nii")
        with pytest.raises(InputError, match="has 5 dimensions"):
            SeriesFile(tmp_path / "five.nii", LEVELS)


def test_values_are_scaled_as_the_header_says(tmp_path: Path) -> None:
    data = np.arange(np.prod(GRID.shape) * 3, dtype=np.int16).reshape(*GRID.shape, 3)
    nifti = nib.Nifti1Image(data, GRID.affine)
    nifti.header.set_slope_inter(0.5, 10)
    nib.save(nifti, tmp_path / "scaled.nii.gz")
    expected = np.asarray(nib.load(tmp_path / "scaled.nii.gz").dataobj)[1, 2, 1]
    found = list(SeriesFile(tmp_path / "scaled.nii.gz", LEVELS).voxels(np.array([[1, 2, 1]])))
    np.testing.assert_allclose(np.concatenate(found), expected)


def test_the_time_between_volumes(tmp_path: Path) -> None:
    data = np.zeros((*GRID.shape, 3), dtype=np.int16)
    assert SeriesFile(write_4d(tmp_path / "a.nii", data, 1130, "msec"), LEVELS).timing.tr_s == 1.13


def test_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    one = write_4d(tmp_path / "one.nii", np.zeros((*GRID.shape, 1), dtype=np.int16))
    with pytest.raises(InputError, match="a single volume"):
        SeriesFile(one, LEVELS)
    with pytest.raises(InputError, match=r"one.nii: is not on the grid of the EPI"):
        SeriesFile(one, on_grid(Grid((4, 5, 4), GRID.affine)))
    with pytest.raises(InputError, match=r"no such file \(time series\)"):
        SeriesFile(tmp_path / "none.nii", LEVELS)
    whole = write_4d(tmp_path / "cut.nii.gz", rng.normal(size=(*GRID.shape, 40)))
    content = whole.read_bytes()
    whole.write_bytes(content[: int(0.7 * len(content))])
    with pytest.raises(InputError, match=r"damaged at volume \d+ of 40"):
        list(SeriesFile(whole, LEVELS).voxels(np.array([[0, 0, 0]])))


def test_constant_voxels_are_constant_to_the_last_bit(tmp_path: Path) -> None:
    series = SeriesFile(write_4d(tmp_path / "a.nii", np.full((*GRID.shape, 4), 3.7)), LEVELS)
    found = voxel_statistics(series, np.zeros((3, 3), dtype=np.intp), np.ones(3, dtype=bool))
    assert found.is_constant.all()
    assert not found.counts.any()
    assert np.isnan(found.tsnr).all()


def test_volumes_that_hold_nothing_do_not_enter(planted: Planted) -> None:
    """The series is that of the other volumes, and n/a in these."""
    nifti = nib.load(planted.folder / "bold.nii.gz")
    data = np.asarray(nifti.dataobj).copy()
    kept = np.ones(60, dtype=bool)
    kept[[0, 7, 8, 59]] = False
    nib.save(nib.Nifti1Image(data[..., kept], nifti.affine), planted.folder / "kept.nii.gz")
    data[..., [0, 7]] = np.nan
    data[..., 8] = 0
    data[..., 6:, 59] = 0
    nib.save(nib.Nifti1Image(data, nifti.affine), planted.folder / "empty.nii.gz")
    for standardize in ("none", "zscore"):
        found = series_of(planted, "empty.nii.gz", standardize=standardize)
        expected = series_of(planted, "kept.nii.gz", standardize=standardize)
        assert found.rows == expected.rows
        np.testing.assert_allclose(found.series[kept], expected.series, rtol=1e-12)
        assert np.isnan(found.series[~kept]).all()
    lines = series_to_tsv(found.names, found.series).splitlines()
    assert lines[0].split("\t") == ["C3", "C4", "C5", "C6"]
    assert [line.split("\t") == ["n/a"] * 4 for line in lines[1:]] == (~kept).tolist()


def test_a_mask_leaves_out_what_volumes_lack(planted: Planted) -> None:
    nifti = nib.load(planted.folder / "bold.nii.gz")
    data = np.asarray(nifti.dataobj).copy()
    data[..., :3, 10:20] = 0
    nib.save(nib.Nifti1Image(data, nifti.affine), planted.folder / "edge.nii.gz")
    mask = np.ones(data.shape[:3], dtype=np.uint8)
    mask[..., :3] = 0
    nib.save(nib.Nifti1Image(mask, nifti.affine), planted.folder / "inner.nii.gz")
    whole = series_of(planted, "edge.nii.gz")
    assert np.flatnonzero(np.isnan(whole.series[:, 0])).tolist() == [*range(10, 20)]
    inner = series_of(planted, "edge.nii.gz", mask=planted.folder / "inner.nii.gz")
    assert np.isfinite(inner.series).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.nan, "volumes 0-58 of 60 (counted from 0): NaN"), (0, "volumes 0-58 of 60 (counted")],
)
def test_a_series_that_holds_one_volume_is_refused(
    planted: Planted, value: float, words: str
) -> None:
    nifti = nib.load(planted.folder / "bold.nii.gz")
    data = np.asarray(nifti.dataobj).copy()
    data[..., :59] = value
    nib.save(nib.Nifti1Image(data, nifti.affine), planted.folder / "one.nii.gz")
    with pytest.raises(InputError) as refused:
        series_of(planted, "one.nii.gz")
    assert words in refused.value.problem


def test_progress_goes_through_both_readings(planted: Planted) -> None:
    calls: list[tuple[str, int, int]] = []
    series_of(planted, progress=lambda *call: calls.append(call))
    assert calls[-1] == ("levels of the series", 60, 60)
    assert [done for stage, done, _ in calls if stage == "voxels of the series"] == [*range(1, 61)]
