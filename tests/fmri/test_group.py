"""Group tables over subjects that cover different levels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri import group, group_tsv
from sct_rootlets.fmri.group import GROUP_COLUMNS, read_table
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS
from sct_rootlets.tables import Column, read_sheet, to_text

Row = dict[str, Any]


def table(path: Path, columns: tuple[Column, ...] = LEVEL_COLUMNS, **means: float | None) -> Path:
    """Write a table; a level whose mean is None was not seen."""
    rows = []
    for name, mean in means.items():
        row: Row = dict.fromkeys(column.name for column in columns)
        row |= {"name": name, "level": name.split("_")[0], "n_voxels": "0", "n_nan": "0"}
        if mean is not None:
            row |= {"n_voxels": "40", "mean": f"{mean:g}"}
        rows.append(row)
    path.write_text(to_text(columns, rows))
    return path


def answers(rows: list[Row], measure: str = "mean") -> dict[str, Row]:
    return {row["name"]: row for row in rows if row["measure"] == measure}


def test_a_level_that_a_subject_lacks_is_missing_and_not_0(tmp_path: Path) -> None:
    paths = [
        table(tmp_path / "a.tsv", C5=10.0, C6=20.0, C7=30.0),
        table(tmp_path / "b.tsv", C4=5.0, C5=14.0, C6=None),
        table(tmp_path / "c.tsv", C5=12.0, C6=26.0),
    ]
    found = answers(group([read_table(path) for path in paths]))
    assert list(found) == ["C4", "C5", "C6", "C7"]
    picked = {
        name: tuple(row[key] for key in ("n", "n_missing", "mean", "sd"))
        for name, row in found.items()
    }
    assert picked["C4"] == (1, 2, 5, None)
    assert picked["C5"] == (3, 0, 12, 2)
    assert picked["C6"] == (2, 1, 23, pytest.approx(np.std([20, 26], ddof=1)))
    assert picked["C7"] == (1, 2, 30, None)
    counted = answers(group([read_table(path) for path in paths]), "n_nan")
    assert counted["C6"]["n"] == 2, "nothing of a level was seen, so nothing is counted in it"


def test_regions_come_after_levels(tmp_path: Path) -> None:
    a = table(tmp_path / "a.tsv", C5=1.0, C5_left_dorsal=2.0, C3=3.0)
    assert list(answers(group([read_table(a)]))) == ["C3", "C5", "C5_left_dorsal"]


def test_maps_are_kept_apart_and_places_are_not_averaged(tmp_path: Path) -> None:
    rows = read_table(table(tmp_path / "a.tsv", MAP_COLUMNS, C5=1.0))
    one, two = [[{**rows[0], "map": name, "max_x": "3"}] for name in ("a.nii.gz", "b.nii.gz")]
    found = group([one + two, one])
    means = {row["map"]: row["n"] for row in found if row["measure"] == "mean"}
    assert means == {"a.nii.gz": 2, "b.nii.gz": 1}
    assert not any(row["measure"].startswith("max_") for row in found)


def test_files(tmp_path: Path) -> None:
    paths = [table(tmp_path / "a.tsv", C5=10.0), table(tmp_path / "b.tsv", C5=12.0, C6=1.0)]
    assert group_tsv(paths, tmp_path / "out" / "group.tsv") == 2
    names = tuple(column.name for column in GROUP_COLUMNS)
    assert read_sheet(tmp_path / "out" / "group.tsv").header == names
    about = json.loads((tmp_path / "out" / "group.json").read_text())
    assert about["Sources"] == ["../a.tsv", "../b.tsv"]
    assert set(names) < set(about)


def test_errors(tmp_path: Path) -> None:
    good = table(tmp_path / "good.tsv", C5=1.0)
    maps = table(tmp_path / "maps.tsv", MAP_COLUMNS, C5=1.0)
    with pytest.raises(UsageError, match="different columns"):
        group_tsv([good, maps], tmp_path / "g.tsv")
    with pytest.raises(UsageError, match="is an input"):
        group_tsv([good], good)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.tsv")
    for text in ("", "a\tb\n1\t2\n", good.read_text().replace("C5", "X9")):
        (tmp_path / "other.tsv").write_text(text)
        with pytest.raises(InputError, match="no table by level"):
            read_table(tmp_path / "other.tsv")
    (tmp_path / "word.tsv").write_text(good.read_text().replace("\t40\t", "\tmany\t"))
    with pytest.raises(InputError, match="'many', which is no number"):
        group([read_table(tmp_path / "word.tsv")])
