"""Every command that reads a table of anybody, on wrong ones: status, message, nothing written."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets import pipeline
from sct_rootlets.cli.main import main
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS
from sct_rootlets.tables import read_sheet, to_text
from tests.synthetic import Neck, save_array
from tests.variability.studies import C5, C6, table_of, write_table

pytestmark = pytest.mark.usefixtures("no_figures")

LEVELS, OTHER = "sub-1_spinal_levels.tsv", "sub-2_spinal_levels.tsv"
#: Commands, with the table that is spoilt in each.
COMMANDS = {
    f"variability -i {LEVELS} {OTHER} -o out/v.tsv -resamples 200": LEVELS,
    f"variability -i {LEVELS} {OTHER} -participants people.tsv -by vendor -o out/v.tsv": (
        "people.tsv"
    ),
    "group -i a_levels.tsv b_levels.tsv -o out/g.tsv": "b_levels.tsv",
    "perlevel -i cord.nii.gz -levels levels.tsv -o out/p.tsv": "levels.tsv",
    "evaluate -i rootlets.nii.gz -ref rootlets.nii.gz -tables levels.tsv -ref-tables truth.tsv "
    "-o out/e.tsv": "levels.tsv",
    "map -i levels.nii.gz -d epi.nii.gz -o out/m.nii.gz": "levels.tsv",
    "export -i levels.nii.gz -ofolder out": "levels_dseg.tsv",
}


@pytest.fixture(scope="module")
def made(neck: Neck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of good tables, of everything that is read; no test may change it."""
    folder = tmp_path_factory.mktemp("tables")
    neck.write(folder)
    pipeline.levels(neck.rootlets, neck.cord).write(folder / "levels.nii.gz")
    shutil.copy(folder / "levels.tsv", folder / "truth.tsv")
    save_array(folder / "epi.nii.gz", neck.image.data, neck.image.grid.affine)
    for k, name in enumerate((LEVELS, OTHER)):
        write_table(folder / name, table_of({C5: 84.0 + k, C6: 99.0 + k}))
    (folder / "people.tsv").write_text("participant_id\tvendor\nsub-1\tGE\nsub-2\tX\n")
    for k, name in enumerate("ab"):
        row = {column.name: k + 1.5 for column in LEVEL_COLUMNS}
        row |= {"name": "C5", "level": "C5", "n_voxels": 40, "n_labelled": 20}
        (folder / f"{name}_levels.tsv").write_text(to_text(LEVEL_COLUMNS, [row]))
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def header(text: str) -> str:
    return text.splitlines()[0]


def last(text: str) -> str:
    return text.splitlines()[-1]


#: What is wrong with a table, and what is said of it.
SPOILT: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "utf-16": (lambda text: text.encode("utf-16"), "is text in UTF-16"),
    "utf-16 without a mark": (lambda text: text.encode("utf-16-le"), "is text in UTF-16 in line 1"),
    "latin-1": (lambda text: text.encode() + b"\xe9", "it has the byte 0xe9 in line"),
    "nul": (lambda text: text + "\0", "is no text: it has a NUL byte in line"),
    "gzip": (lambda text: gzip.compress(text.encode()), "is compressed by gzip. Unpack it"),
    "xlsx": (lambda text: b"PK\x03\x04" + text.encode(), "is a workbook of a spreadsheet"),
    "lfs": (lambda text: "version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "empty": (lambda text: "", "is empty"),
    "header only": (lambda text: header(text) + "\n", "has columns (line 1) and not one row"),
    "two tables": (lambda text: text + text, "is the header again: these are two tables"),
    "column twice": (
        lambda text: text.replace(header(text), f"{header(text)}\t{header(text).split()[1]}", 1),
        "stands there twice",
    ),
    "short": (lambda text: text + last(text).rpartition("\t")[0] + "\n", "cells, and the header"),
    "long": (lambda text: text + last(text) + "\tx\n", "cells, and the header"),
    "quote": (lambda text: text + '"' + last(text) + "\n", "opens a quote and does not close it"),
}
#: These measure images when their table was read, and read it as others do.
SLOW = ("map", "perlevel")
#: Slower commands are tried with some of it.
FEW = ("utf-16", "lfs", "two tables", "short")


@pytest.mark.parametrize(
    ("words", "how"),
    [
        pytest.param(words, how, id=f"{words.split()[0]}-{table}-{how}")
        for words, table in COMMANDS.items()
        for how in (SPOILT if words.startswith(("variability", "group")) else FEW)
    ],
)
def test_a_table_that_cannot_be_read_is_said(
    here: Path, refused: Callable[..., None], words: str, how: str
) -> None:
    path = here / COMMANDS[words]
    spoil, message = SPOILT[how]
    content = spoil(path.read_text())
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(words, 1, f"{path.name}: ", message)


@pytest.mark.parametrize("words", [one for one in COMMANDS if not one.startswith(SLOW)])
def test_what_a_spreadsheet_makes_of_a_table_is_read(here: Path, words: str) -> None:
    assert main([*words.replace("out", "plain").split(), "-v", "0"]) == 0
    path = here / COMMANDS[words]
    text = path.read_text().replace("\t", ";").replace("n/a", "")
    path.write_bytes(("\ufeffsep=;\r\n" + text.replace("\n", "\r\n\r\n")).encode())
    assert main([*words.split(), "-v", "0"]) == 0
    tables = {one.name: one.read_bytes() for one in Path("out").iterdir() if one.suffix != ".json"}
    assert tables == {name: (here / "plain" / name).read_bytes() for name in tables}
    assert tables


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e400", "20000", "8,5", "x", "1_0"])
@pytest.mark.parametrize("words", [name for name in COMMANDS if "evels.tsv" in COMMANDS[name]])
def test_a_cell_that_is_no_number_is_refused_with_line_column_and_content(
    here: Path, refused: Callable[..., None], words: str, cell: str
) -> None:
    path = here / COMMANDS[words]
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    column = next(name for name in ("caudal_mm", "mean") if name in lines[0])
    lines[-1][lines[0].index(column)] = cell
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    if (cell, column) == ("20000", "mean"):
        return  # a map may have such values
    message = f"{path.name}: line {len(lines)}, column {column}: '{cell}' is "
    refused(words, 1, message, "(allowed: a number")


def test_a_table_in_a_report(here: Path, figures: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The page says which result is broken, and why; the others are shown."""
    (here / LEVELS).write_text((here / LEVELS).read_text().replace("88.0000", "inf"))
    assert main(["report", "-i", LEVELS, OTHER, "-o", "r.html", "-jobs", "1"]) == 0
    said = " ".join(capsys.readouterr())
    assert "column caudal_mm: 'inf' is no finite number" in " ".join(said.split())


def replaced(path: str, level: str, cells: dict[str, str]) -> None:
    """Put other cells into the row of a level."""
    lines = [line.split("\t") for line in Path(path).read_text().splitlines()]
    (row,) = (line for line in lines if line[0] == level)
    for column, cell in cells.items():
        row[lines[0].index(column)] = cell
    Path(path).write_text("\n".join("\t".join(line) for line in lines) + "\n")


def rows_of(path: str, **wanted: str) -> list[dict[str, str]]:
    rows = [dict(line.cells) for line in read_sheet(path).lines]
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("cell", ["nan", "", "n/a", "NA"])
def test_a_border_that_a_table_lacks_is_in_no_mean_and_is_counted_and_said(
    here: Path, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    third = "sub-3_spinal_levels.tsv"
    write_table(here / third, table_of({C5: 86.0, C6: 101.0}))
    replaced(OTHER, "C5", {"caudal_mm": cell})
    words = f"variability -i {LEVELS} {OTHER} {third} -o out/v.tsv -resamples 200"
    assert main(words.split()) == 0
    rows = {
        row["measure"]: row
        for row in rows_of("out/v.tsv", scope="between_subjects", group="all", level="C5")
    }
    counts = ("n_subjects", "n_images", "n_missing", "n_left_out", "mean_mm")
    assert [rows["caudal"][key] for key in counts] == ["2", "2", "1", "0", "89.0000"]
    assert [rows["rostral"][key] for key in counts] == ["3", "3", "0", "0", "81.0000"]
    assert [rows["midpoint"][key] for key in counts] == ["2", "2", "1", "0", "85.0000"]
    said = " ".join(capsys.readouterr().err.split())
    assert (
        f"1 levels lack a number, and means are of the others (n_missing counts them): {OTHER}"
        in said
    )
    assert f"{OTHER} has no caudal border of C5 (measured)" in said
    assert json.loads(Path("out/v.json").read_text())["warnings"]


def test_levels_that_no_table_has_to_have_are_not_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced(OTHER, "C5", {"status": "unseen", "caudal_mm": "n/a", "rostral_mm": "n/a"})
    assert main(f"variability -i {LEVELS} {OTHER} -o out/v.tsv -resamples 200".split()) == 0
    assert "lack a number" not in capsys.readouterr().err


@pytest.mark.parametrize("cell", ["nan", "", "NA"])
def test_a_covariate_that_is_not_known_is_left_out_and_said(
    here: Path, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    write_table(here / "sub-3_spinal_levels.tsv", table_of({C5: 86.0, C6: 101.0}))
    Path("people.tsv").write_text(f"participant_id\tage\nsub-1\t30\nsub-2\t40\nsub-3\t{cell}\n")
    words = f"variability -i {LEVELS} {OTHER} sub-3_spinal_levels.tsv -participants people.tsv"
    assert main([*words.split(), *["-by", "age", "-o", "out/v.tsv", "-resamples", "200"]]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "age is not known for 1 of 3 tables" in said
    assert "such as sub-3_spinal_levels.tsv" in said
    groups = {row["group"] for row in rows_of("out/v.tsv", factor="age", scope="between_subjects")}
    assert groups == {"30", "40"}


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_a_covariate_that_is_infinite_is_refused(
    here: Path, refused: Callable[..., None], cell: str
) -> None:
    Path("people.tsv").write_text(f"participant_id\tAge\nsub-1\t{cell}\nsub-2\t40\n")
    words = f"variability -i {LEVELS} {OTHER} -participants people.tsv -by age -o out/v.tsv"
    refused(words, 1, f"people.tsv: line 2, column age: '{cell}' is no finite number")


def test_a_word_that_is_no_number_stays_a_word(here: Path) -> None:
    """A site may be called so."""
    Path("people.tsv").write_text("participant_id\tsite\nsub-1\tINF\nsub-2\tUCL\n")
    words = f"variability -i {LEVELS} {OTHER} -participants people.tsv -by site -o out/v.tsv"
    assert main([*words.split(), "-resamples", "200"]) == 0


def test_a_level_without_places_is_not_measured_and_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced("levels.tsv", "C5", {"caudal_y": "nan"})
    Path("levels.nii.gz").unlink()  # it would count, where the table says nothing
    assert main(["perlevel", "-i", "cord.nii.gz", "-levels", "levels.tsv", "-o", "out/p.tsv"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "levels.tsv has no place of a border (rostral_x to caudal_z n/a or empty) of C5" in said
    (row,) = rows_of("out/p.tsv", level="C5")
    assert (row["n_planes"], row["MEAN(area)"]) == ("0", "n/a")
    assert json.loads(Path("out/p.json").read_text())["warnings"]


def test_borders_without_places_are_compared_with_nothing_and_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced("levels.tsv", "C5", {"caudal_y": ""})
    Path("levels.nii.gz").unlink()  # it would count, where the table says nothing
    words = next(one for one in COMMANDS if one.startswith("evaluate"))
    assert main(words.split()) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "the table of the prediction has no place in the world" in said
    assert "for a border of C5, which is not compared" in said
    (all_levels,) = rows_of("out/e_summary.tsv", metric="border_error_mm", level="levels")
    (c5,) = rows_of("out/e_summary.tsv", metric="border_error_mm", level="C5")
    assert (all_levels["mean"], c5["n"]) == ("0", "1")


def test_a_report_flags_a_level_without_a_number(
    here: Path, figures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced(OTHER, "C5", {"caudal_mm": "nan"})
    assert main(["report", "-i", LEVELS, OTHER, "-o", "r.html", "-jobs", "1", "-v", "0"]) == 0
    page = Path("r.html").read_text()
    assert "no number in the table, so counted nowhere: C5 (caudal border)" in page


@pytest.mark.parametrize(
    "change",
    [
        {"Sources": 3},
        {"Sources": [3, None]},
        {"GeneratedBy": [True]},
        {"SourceSHA256": ["a"]},
    ],
)
def test_a_sidecar_that_says_nonsense_of_its_maker_is_named(
    here: Path, figures: None, capsys: pytest.CaptureFixture[str], change: dict[str, object]
) -> None:
    path = here / LEVELS.replace(".tsv", ".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert main(["report", "-i", LEVELS, OTHER, "-o", "r.html", "-jobs", "1"]) == 0
    assert "unexpected" not in "".join(capsys.readouterr())
    page = Path("r.html").read_text()
    assert "unexpected" not in page
    assert f"{path.name} has {next(iter(change))} not as sct_rootlets writes it" in page
