"""The real nilearn reads our files unchanged, and says what our tables say."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.fmri import analyse, map_levels
from sct_rootlets.fmri.products import write
from tests.fmri.planted import plant


@pytest.fixture(scope="module")
def maskers() -> Any:
    """Return nilearn's maskers, imported where they are used: that takes three seconds."""
    return pytest.importorskip("nilearn.maskers", reason="nilearn is not installed")


#: Pandas warns of what nilearn does, and nilearn of what it will do.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("nilearn"), volumes=20).folder


def ours(folder: Path, **options: str) -> dict[str, np.ndarray]:
    """Write everything; return the columns of the time series as a reader of text sees them."""
    mapped = map_levels(folder / "levels.nii.gz", folder / "bold.nii.gz")
    found = analyse(mapped, func=folder / "bold.nii.gz", regions=True, **options)  # type: ignore[arg-type]
    files = write(found, folder / "X.nii.gz", probseg="4d")
    with files["series"].open(newline="") as file:
        names, *rows = list(csv.reader(file, delimiter="\t"))
    return dict(zip(names, np.array(rows, dtype=float).T, strict=True))


@pytest.mark.parametrize(
    ("kind", "ask", "theirs"),
    [("X", "none", False), ("X_regions", "zscore", "zscore_sample"), ("X", "psc", "psc")],
)
def test_labels_masker(folder: Path, maskers: Any, kind: str, ask: str, theirs: object) -> None:
    mine = ours(folder, average="label", standardize=ask)
    masker = maskers.NiftiLabelsMasker(
        str(folder / f"{kind}.nii.gz"), lut=str(folder / f"{kind}_dseg.tsv"), standardize=theirs
    )
    found = masker.fit_transform(str(folder / "bold.nii.gz"))
    names = list(masker.region_names_.values())
    assert names == [name for name in mine if ("_" in name) == (kind == "X_regions")]
    assert len(names) == found.shape[1] >= 4
    for name, column in zip(names, found.T, strict=True):
        np.testing.assert_allclose(mine[name], column, rtol=1e-5, atol=2e-4, err_msg=name)


def test_labels_masker_within_a_mask(folder: Path, maskers: Any) -> None:
    epi = nib.load(folder / "bold.nii.gz")
    mask = np.ones(epi.shape[:3], dtype=np.uint8)
    mask[: epi.shape[0] // 2] = 0
    nib.save(nib.Nifti1Image(mask, epi.affine), folder / "half.nii.gz")
    mine = ours(folder, average="label", mask=str(folder / "half.nii.gz"))
    masker = maskers.NiftiLabelsMasker(
        str(folder / "X.nii.gz"), mask_img=str(folder / "half.nii.gz"), standardize=False
    )
    found = masker.fit_transform(str(folder / "bold.nii.gz"))
    for name, column in zip(("C3", "C4", "C5", "C6"), found.T, strict=True):
        np.testing.assert_allclose(mine[name], column, rtol=1e-5, err_msg=name)


def test_maps_masker(folder: Path, maskers: Any) -> None:
    mine = ours(folder, average="fit")
    masker = maskers.NiftiMapsMasker(str(folder / "X_probseg.nii.gz"), standardize=False)
    found = masker.fit_transform(str(folder / "bold.nii.gz"))
    for name, column in zip(("C3", "C4", "C5", "C6"), found.T, strict=True):
        np.testing.assert_allclose(mine[name], column, rtol=1e-5, err_msg=name)


def test_the_table_is_read_by_pandas_as_it_is(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    mine = ours(folder)
    table = pandas.read_csv(folder / "X_timeseries.tsv", sep="\t")
    assert list(table.columns) == list(mine)
    assert all(dtype.kind == "f" for dtype in table.dtypes)
    assert len(table) == 20
    levels = pandas.read_csv(folder / "X_levels.tsv", sep="\t", index_col="name")
    assert levels.loc["C5", "mean"] == pytest.approx(mine["C5"].mean(), rel=1e-5)
    assert levels["slices"].isna().sum() == 16
