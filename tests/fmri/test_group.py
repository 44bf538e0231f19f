"""Group tables over subjects that cover different levels."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.cli.main import main
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri import group, group_tsv
from sct_rootlets.fmri.group import GROUP_COLUMNS
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS
from sct_rootlets.fmri.subject_table import read_table
from sct_rootlets.tables import CellError, Column, read_sheet, to_text

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


def grouped(*paths: Path) -> list[Row]:
    return list(group([read_table(path) for path in paths]).rows)


def answers(rows: list[Row], measure: str = "mean") -> dict[str, Row]:
    return {row["name"]: row for row in rows if row["measure"] == measure}


def test_a_level_that_a_subject_lacks_is_missing_and_not_0(tmp_path: Path) -> None:
    paths = [
        table(tmp_path / "a.tsv", C5=10.0, C6=20.0, C7=30.0),
        table(tmp_path / "b.tsv", C4=5.0, C5=14.0, C6=None),
        table(tmp_path / "c.tsv", C5=12.0, C6=26.0),
    ]
    found = answers(grouped(*paths))
    assert list(found) == ["C4", "C5", "C6", "C7"]
    picked = {
        name: tuple(row[key] for key in ("n", "n_missing", "mean", "sd"))
        for name, row in found.items()
    }
    assert picked["C4"] == (1, 2, 5, None)
    assert picked["C5"] == (3, 0, 12, 2)
    assert picked["C6"] == (2, 1, 23, pytest.approx(np.std([20, 26], ddof=1)))
    assert picked["C7"] == (1, 2, 30, None)
    counted = answers(grouped(*paths), "n_nan")
    assert counted["C6"]["n"] == 2, "nothing of a level was seen, so nothing is counted in it"


def test_regions_come_after_levels(tmp_path: Path) -> None:
    a = table(tmp_path / "a.tsv", C5=1.0, C5_left_dorsal=2.0, C3=3.0)
    assert list(answers(grouped(a))) == ["C3", "C5", "C5_left_dorsal"]


def test_maps_are_kept_apart_and_places_are_not_averaged(tmp_path: Path) -> None:
    header, line = table(tmp_path / "a.tsv", MAP_COLUMNS, C5=1.0).read_text().splitlines()
    lines = [line.replace("n/a", name, 1) for name in ("a.nii.gz", "b.nii.gz")]
    for name, kept in {"both": lines, "one": lines[:1]}.items():
        (tmp_path / f"{name}.tsv").write_text("\n".join([header, *kept]) + "\n")
    found = grouped(tmp_path / "both.tsv", tmp_path / "one.tsv")
    means = {row["map"]: row["n"] for row in found if row["measure"] == "mean"}
    assert means == {"a.nii.gz": 2, "b.nii.gz": 1}
    assert not any(row["measure"].startswith("max_") for row in found)


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "-nan", "n/a", "NA", "#N/A", "-", " "])
def test_a_mean_with_a_cell_that_says_nothing_is_that_of_the_others_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    paths = [table(tmp_path / f"{k}.tsv", C5=mean) for k, mean in enumerate((10.0, 99.0, 14.0))]
    paths[1].write_text(paths[1].read_text().replace("\t99\t", f"\t{cell}\t"))
    words = ["group", "-i", *map(str, paths), "-o", str(tmp_path / "out.tsv")]
    assert main(words) == 0
    rows = [line.cells for line in read_sheet(tmp_path / "out.tsv").lines]
    (row,) = (row for row in rows if row["measure"] == "mean")
    assert [row[key] for key in ("n", "n_missing", "mean", "max")] == ["2", "1", "12", "14"]
    said = " ".join(capsys.readouterr().err.split())
    assert "1 cells of levels that were seen are n/a or empty" in said
    assert "1.tsv, line 2, column mean" in said
    (warning,) = json.loads((tmp_path / "out.json").read_text())["warnings"]
    assert "n_missing count them" in warning


def test_what_no_subject_has_is_not_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = [table(tmp_path / f"{k}.tsv", C5=mean) for k, mean in enumerate((10.0, 14.0))]
    with caplog.at_level(logging.WARNING):
        group_tsv(paths, tmp_path / "out.tsv")  # no table has a tsnr
    assert not caplog.text


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("inf", "'inf' is no finite number"),
        ("-Infinity", "'-Infinity' is no finite number"),
        ("1e400", "'1e400' is no finite number"),
        ("1e39", "'1e39' is no finite number"),
        ("3,5", "'3,5' is no number: it has a comma for its decimal point"),
        ("many", "'many' is no number"),
        ("1_000", "'1_000' is no number"),
        ("\x1b[31m9", r"'\x1b[31m9' is no number"),
    ],
)
def test_a_cell_that_would_poison_a_mean_is_refused_through_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: str, problem: str
) -> None:
    good = table(tmp_path / "good.tsv", C5=10.0)
    bad = table(tmp_path / "bad.tsv", C4=1.0, C5=99.0)
    bad.write_text(bad.read_text().replace("\t99\t", f"\t{cell}\t"))
    assert main(["group", "-i", str(good), str(bad), "-o", str(tmp_path / "out.tsv")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"bad.tsv: line 3, column mean: {problem}" in said
    assert "allowed: a number" in said
    assert not (tmp_path / "out.tsv").exists()


def test_a_table_that_a_spreadsheet_saved_is_the_same(tmp_path: Path) -> None:
    a, b = (table(tmp_path / f"{name}.tsv", C5=10.5) for name in "ab")
    known = grouped(a, b)
    text = b.read_text().replace("\t", ";").replace("10.5", "10,5").replace("n/a", "")
    b.write_bytes(("\ufeffsep=;\r\n" + text.replace("\n", "\r\n")).encode())
    assert grouped(a, b) == known


def test_files(tmp_path: Path) -> None:
    paths = [table(tmp_path / "a.tsv", C5=10.0), table(tmp_path / "b.tsv", C5=12.0, C6=1.0)]
    assert group_tsv(paths, tmp_path / "out" / "group.tsv").n_levels == 2
    names = tuple(column.name for column in GROUP_COLUMNS)
    assert read_sheet(tmp_path / "out" / "group.tsv").header == names
    about = json.loads((tmp_path / "out" / "group.json").read_text())
    assert about["Sources"] == ["../a.tsv", "../b.tsv"]
    assert set(names) < set(about)


def test_errors(tmp_path: Path) -> None:
    good = table(tmp_path / "good.tsv", C5=1.0)
    maps = table(tmp_path / "maps.tsv", MAP_COLUMNS, C5=1.0)
    with pytest.raises(UsageError, match=r"maps.tsv: has other columns than .*good.tsv: .*max_x"):
        group_tsv([good, maps], tmp_path / "g.tsv")
    with pytest.raises(UsageError, match="is an input"):
        group_tsv([good], good)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.tsv")
    other = tmp_path / "other.tsv"
    for text, problem in (
        ("", "is empty"),
        ("a\tb\n1\t2\n", "is no table by level: has no column name, .* in line 1, only 'a', 'b'"),
        (good.read_text().replace("\tC5", "\tX9"), "line 2, column level: 'X9' is no spinal level"),
        (good.read_text() * 2, "line 3 is the header again: these are two tables"),
    ):
        other.write_text(text)
        with pytest.raises(InputError, match=problem):
            read_table(other)
    other.write_text(good.read_text() + good.read_text().splitlines()[1] + "\n")
    with pytest.raises(CellError, match="line 3, column name: 'C5' is in line 2 too"):
        read_table(other)
    other.write_text(maps.read_text() + maps.read_text().splitlines()[1] + "\n")
    with pytest.raises(CellError, match="'C5' of n/a is in line 2 too"):
        read_table(other)


def of_maps(path: Path, **means: float) -> Path:
    """Write a table of C5 in several maps, by the names of their files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header, line = table(path, MAP_COLUMNS, C5=1.0).read_text().splitlines()
    at = header.split("\t").index("mean")
    lines = []
    for name, mean in means.items():
        cells = [f"{name}.nii.gz", *line.split("\t")[1:]]
        lines.append("\t".join([*cells[:at], f"{mean:g}", *cells[at + 1 :]]))
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def joined(folder: Path, *words: str) -> dict[str, tuple[str, ...]]:
    """Run the command; return n, n_missing and mean of C5 by map."""
    assert main(["group", "-o", str(folder / "out.tsv"), *words]) == 0
    rows = [line.cells for line in read_sheet(folder / "out.tsv").lines]
    return {
        row["map"]: (row["n"], row["n_missing"], row["mean"])
        for row in rows
        if row["measure"] == "mean"
    }


@pytest.mark.parametrize("by", ["name", "folder"])
def test_sessions_are_of_their_subject_unless_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    paths = []
    for subject, means in {"01": (10, 12), "02": (20, 24), "03": (30, 36)}.items():
        for session, mean in enumerate(means, 1):
            names = f"sub-{subject}", f"ses-{session}"
            path = tmp_path / ("_".join(names) + "_levels.tsv")
            if by == "folder":
                path = tmp_path.joinpath(*names, "func", "levels.tsv")
                path.parent.mkdir(parents=True)
            paths.append(str(table(path, C5=float(mean))))
    assert joined(tmp_path, "-i", *paths) == {"n/a": ("3", "0", "22")}
    assert "1 levels and regions of 3 subjects (6 tables)" in capsys.readouterr().out
    assert json.loads((tmp_path / "out.json").read_text())["Units"] == [
        "sub-01", "sub-02", "sub-03",
    ]  # fmt: skip
    assert joined(tmp_path, "-unit", "session", "-i", *paths) == {"n/a": ("6", "0", "22")}
    assert "6 sessions (6 tables)" in capsys.readouterr().out
    # A subject that has one session less weighs as much as the others.
    assert joined(tmp_path, "-i", *paths[1:]) == {"n/a": ("3", "0", f"{(12 + 22 + 33) / 3:.4f}")}


def test_maps_of_several_subjects_are_one_map(tmp_path: Path) -> None:
    paths = [
        str(of_maps(tmp_path / f"{k}_stats.tsv", **{f"sub-0{k}_ses-{s}_task-rest_zstat": mean}))
        for k, s, mean in ((1, 1, 10.0), (2, 1, 20.0))
    ]
    name = "task-rest_zstat.nii.gz"
    assert joined(tmp_path, "-i", *paths) == {name: ("2", "0", "15")}
    # Maps of two subjects in one table are of two subjects, too.
    both = {f"sub-0{k}_task-rest_zstat": mean for k, mean in ((1, 10.0), (2, 30.0))}
    both_path = of_maps(tmp_path / "both_stats.tsv", **both)
    assert joined(tmp_path, "-i", str(both_path)) == {name: ("2", "0", "20")}


def test_maps_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [
        str(of_maps(tmp_path / f"sub-0{k}_stats.tsv", **{"1.feat/z1": 1.0 * k, "2.feat/z1": 9.0}))
        for k in (1, 2)
    ]
    assert joined(tmp_path, "-i", *paths) == {
        "1.feat/z1.nii.gz": ("2", "0", "1.5"),
        "2.feat/z1.nii.gz": ("2", "0", "9"),
    }


@pytest.mark.parametrize("way", ["same", "dots", "link", "hard link"])
def test_a_table_that_is_given_twice_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    first = other = table(tmp_path / "sub-01_levels.tsv", C5=1.0)
    if way == "dots":
        other = tmp_path / "." / ".." / tmp_path.name / first.name
    elif way == "link":
        other = tmp_path / "sub-02_levels.tsv"
        other.symlink_to(first)
    elif way == "hard link":
        other = tmp_path / "sub-02_levels.tsv"
        other.hardlink_to(first)
    assert main(["group", "-i", str(first), str(other), "-o", str(tmp_path / "out.tsv")]) == 2
    assert "is given twice" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out.tsv").exists()


def test_what_is_joined_and_should_perhaps_not_be_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        str(table(tmp_path / f"sub-01_task-{task}_levels.tsv", C5=1.0)) for task in ("rest", "move")
    ]
    assert joined(tmp_path, "-i", *paths) == {"n/a": ("1", "0", "1")}
    said = " ".join(capsys.readouterr().err.split())
    assert "differ by task enter with their mean (sub-01)" in said
    assert "all 2 tables are of one subject, sub-01" in said
