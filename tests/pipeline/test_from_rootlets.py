"""Levels of rootlets that are segmented already, with their files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import colour_of
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.levels.zones.order import Stray
from sct_rootlets.pipeline import Landmarks, levels
from tests.synthetic import Neck


def test_levels_with_their_files(neck: Neck, tmp_path: Path) -> None:
    paths = neck.write(tmp_path / "in")
    result = levels(paths["rootlets"], paths["cord"], landmarks=Landmarks(paths["discs"]))
    files = result.write(tmp_path / "out" / "X.nii.gz", csv=tmp_path / "out" / "published.csv")
    painted = load_labels(files["levels"])
    assert painted.data.shape == neck.image.grid.shape
    table = read_levels_table(files["table"])
    assert table.fname == "rootlets.nii.gz"
    for place in ("midpoint", "rostral", "caudal"):
        points = load_labels(files[place])
        assert points.labels == [3, 4, 5, 6]
        for value in points.labels:
            row = table.row(SpinalLevel(value))
            assert len(points.points_world(value)) == 1
            s = result.derived.centerline.project(points.points_world(value)).s_mm[0]
            assert s == pytest.approx(getattr(row, f"{place}_mm"), abs=0.6)
    lookup = [line.split("\t") for line in files["lookup"].read_text().splitlines()]
    assert lookup[0] == ["index", "name", "color"]
    assert ["4", "C4", colour_of(4)] in lookup
    assert [line[0] for line in lookup[1:]] == [str(row.level.value) for row in table.rows]
    content = json.loads(files["json"].read_text())
    assert content["GeneratedBy"][0]["Parameters"]["definition"] == "caudal"
    assert set(content["GeneratedBy"][0]["Parameters"]) == {
        *("definition", "reach_mm", "dilation_voxels", "extend", "renumber", "axial"),
        *("discs", "vertebrae", "c2c3_world_mm", "pmj"),
    }
    assert content["SourceSHA256"] == {
        f"../in/{name}.nii.gz": hashlib.sha256(
            (tmp_path / f"in/{name}.nii.gz").read_bytes()
        ).hexdigest()
        for name in ("rootlets", "cord", "discs")
    }
    assert content["origin"].startswith("s = 0 mm is the")
    assert content["Columns"]["caudal_mm"]["Units"] == "mm"
    assert isinstance(content["rejected"], list)
    lines = files["csv"].read_text().splitlines()
    assert lines[0].startswith("spinal_level,fname,slice_start")
    assert lines[1].startswith("3,rootlets.nii.gz,")


def test_strays_and_identity_are_in_the_json(neck: Neck, tmp_path: Path) -> None:
    result = levels(neck.rootlets, neck.cord)
    derived = replace(
        result.derived,
        strays=(Stray(SpinalLevel.C5, 3, 18.333, "apart"),),
        identity=SimpleNamespace(report=lambda: {"shift": 0}),
    )
    files = replace(result, derived=derived).write(tmp_path / "X.nii.gz")
    content = json.loads(files["json"].read_text())
    assert content["rejected"] == [{"level": "C5", "n_voxels": 3, "s_mm": 18.33, "reason": "apart"}]
    assert content["identity"] == {"shift": 0}
