"""Regions, tables and figures of mapped levels as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import UsageError
from sct_rootlets.fmri import MappedLevels, analyse
from sct_rootlets.fmri.products import product_files, write
from tests.fmri.planted import Planted, write_map


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
