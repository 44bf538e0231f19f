"""Tables of measures that are added to: as they were written, as editors left them, and others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.perlevel.level_borders import LevelBorders
from sct_rootlets.perlevel.measures import LevelMeasures
from sct_rootlets.perlevel.measures_table import MeasureTable
from sct_rootlets.perlevel.result import PerLevelResult
from sct_rootlets.tables import read_sheet


def result(fname: str = "a_seg.nii.gz", *maps: str) -> PerLevelResult:
    """Return measures of one level."""
    borders = LevelBorders(SpinalLevel.C5, 10.0, 20.0)
    row = LevelMeasures(borders, 0, 0.0, {}, 0.0, 0.0, dict.fromkeys(maps, _NONE), ())
    return PerLevelResult(MeasureTable((row,), (None,), maps, fname), {"method": "wa"})


_NONE = None  # no spread was measured


def names(path: Path) -> list[str]:
    return [line.cells["fname"] for line in read_sheet(path).lines]


@pytest.mark.parametrize("name", ["all.tsv", "all.csv"])
@pytest.mark.parametrize(
    "edited",
    [
        lambda text: text,
        lambda text: text.rstrip(b"\n"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r\n").removesuffix(b"\r\n"),
        lambda text: text + b"\n\n",
    ],
)
def test_rows_go_on_lines_of_their_own_whatever_an_editor_did(
    tmp_path: Path, name: str, edited: object
) -> None:
    path = tmp_path / name
    result("a_seg.nii.gz").write(path, append=True)
    path.write_bytes(edited(path.read_bytes()))  # type: ignore[operator]
    result("b_seg.nii.gz").write(path, append=True)
    result("c_seg.nii.gz").write(path, append=True)
    assert names(path) == ["a_seg.nii.gz", "b_seg.nii.gz", "c_seg.nii.gz"]
    assert path.read_bytes().count(b"\r\n") in (0, path.read_bytes().count(b"\n"))


@pytest.mark.parametrize(
    ("edited", "error", "problem"),
    [
        (lambda text: text.replace("\t", ";"), UsageError, "has ';' between its cells"),
        (lambda text: text.replace("\t", ","), UsageError, "has ',' between its cells"),
        (lambda text: text.encode("utf-16"), InputError, "is text in UTF-16"),
        (lambda text: b"PK\x03\x04" + text.encode(), InputError, "is a workbook of a spreadsheet"),
        (lambda text: "", InputError, "is empty"),
        (lambda text: text.replace("coverage", "n_planes"), InputError, "stands there twice"),
        (lambda text: text.replace("coverage", "cover"), UsageError, "columns .*: cover, coverage"),
        (lambda text: text.replace("fname", "file"), UsageError, "is not a table of measures"),
    ],
)
def test_what_cannot_be_added_to_is_said_and_left_as_it_is(
    tmp_path: Path, edited: object, error: type[Exception], problem: str
) -> None:
    path = tmp_path / "all.tsv"
    result().write(path, append=True)
    content = edited(path.read_text())  # type: ignore[operator]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    with pytest.raises(error, match=problem):
        result().write(path, append=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "error", "problem"),
    [
        ("{", InputError, "all.json: is not valid JSON"),
        ("[]", InputError, "all.json: is not a JSON object"),
        ('{"Kind": "something"}', UsageError, "is not of a table of measures"),
    ],
)
def test_a_sidecar_that_says_nothing_is_named(
    tmp_path: Path, text: str, error: type[Exception], problem: str
) -> None:
    path = tmp_path / "all.tsv"
    result().write(path)
    path.with_suffix(".json").write_text(text)
    with pytest.raises(error, match=problem):
        result().write(path, append=True)
    with pytest.raises(UsageError, match=r"all\.json.* was not made by sct_rootlets"):
        result().write(path)


@pytest.mark.parametrize("makers", [[], [3], {}, None])
def test_a_sidecar_without_parameters_is_no_reason_to_refuse(
    tmp_path: Path, makers: object
) -> None:
    path = tmp_path / "all.tsv"
    result().write(path)
    content = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**content, "GeneratedBy": makers}))
    result("b_seg.nii.gz").write(path, append=True)
    assert names(path) == ["a_seg.nii.gz", "b_seg.nii.gz"]


def test_a_map_whose_name_holds_what_divides_cells(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    for name in "ab":
        result(f"{name}_seg.nii.gz", "x;y").write(path, append=True)
    assert names(path) == ["a_seg.nii.gz", "b_seg.nii.gz"]
