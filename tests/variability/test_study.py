"""A study from files: subjects, participants.tsv, factors, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.variability.participants import read_participants
from sct_rootlets.variability.study import read_study
from tests.variability.studies import C5, table_of, write_table


def tables(folder: Path, *names: str, definition: str = "extent") -> list[Path]:
    table = table_of({C5: 80.0}, definition=definition)
    return [write_table(folder / f"{name}_T2w_spinal_levels.tsv", table) for name in names]


def participants(folder: Path, text: str) -> Path:
    path = folder / "participants.tsv"
    path.write_text(text.replace(" ", "\t"))
    return path


def test_factors_are_columns_else_entities(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01_ses-1_acq-a", "sub-01_ses-2_acq-b", "sub-02_ses-1_acq-a")
    people = participants(
        tmp_path, "participant_id institution_id Manufacturer\nsub-01 mgh GE\nsub-02 ucl Philips\n"
    )
    study = read_study(paths, people, ["site", "vendor", "session", "acq", "resolution"])
    assert [scan.subject for scan in study.scans] == ["01", "01", "02"]
    assert study.scans[1].factors == {
        "site": "mgh",
        "vendor": "GE",
        "session": "2",
        "acq": "b",
        "resolution": "b",
    }
    assert study.scans[2].factors["vendor"] == "Philips"
    assert study.definition == "extent"
    assert not study.warnings


def test_raters_by_the_names_of_the_published_script(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-1_label-rootlet_rater1", "sub-1_label-rootlet_rater2")
    study = read_study(paths, by=["rater"])
    assert [scan.factors["rater"] for scan in study.scans] == ["rater1", "rater2"]


def test_the_entities_of_the_rootlets_file_serve_where_the_table_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "spinal_level,fname,slice_start,slice_end,distance_from_pmj_start,distance_from_pmj_end,"
        "height\n5,/x/sub-7_ses-2_T2w.nii.gz,1,2,80,70,10\n"
    )
    (scan,) = read_study([path]).scans
    assert (scan.subject, scan.entities["ses"]) == ("7", "2")


def test_sessions_as_rows(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01_ses-1", "sub-01_ses-2")
    people = participants(
        tmp_path, "participant_id session_id vendor\nsub-01 ses-1 GE\nsub-01 ses-2 Siemens\n"
    )
    study = read_study(paths, people, ["vendor"])
    assert [scan.factors["vendor"] for scan in study.scans] == ["GE", "Siemens"]


def test_files_as_rows_also_say_whose_they_are(tmp_path: Path) -> None:
    paths = tables(tmp_path, "a", "b")
    people = participants(
        tmp_path, "participant_id filename vendor\nsub-9 a_T2w.nii.gz GE\nsub-9 b_T2w.nii.gz X\n"
    )
    study = read_study(paths, people, ["vendor"])
    assert [(scan.subject, scan.factors["vendor"]) for scan in study.scans] == [
        ("9", "GE"),
        ("9", "X"),
    ]


@pytest.mark.parametrize(
    ("name", "rows", "problem", "file"),
    [
        ("sub-01", "sub-01 GE\nsub-01 Siemens\n", "which differ in the column ven", "ants.tsv"),
        ("sub-02", "sub-01 GE\n", "no row for sub-02", "participants.tsv"),
        ("t2", None, "does not say whose image it is", "t2_T2w_spinal_levels.tsv"),
    ],
)
def test_subjects_that_are_not_known(
    tmp_path: Path, name: str, rows: str | None, problem: str, file: str
) -> None:
    people = participants(tmp_path, f"participant_id vendor\n{rows}") if rows else None
    with pytest.raises(InputError, match=problem) as caught:
        read_study(tables(tmp_path, name), people, ["vendor"])
    assert file in str(caught.value)


def test_two_tables_of_one_image(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01", "other/sub-01")
    with pytest.raises(UsageError, match=r"same image as .*sub-01_T2w"):
        read_study(paths)
    with pytest.raises(UsageError, match="same image"):
        read_study([paths[0], paths[0]])
    runs = tables(tmp_path, "sub-01_run-1", "sub-01_run-2")
    study = read_study(runs)
    assert any("several tables that no factor of -by tells apart" in w for w in study.warnings)


def test_factors_that_are_none(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01", "sub-02")
    people = participants(tmp_path, "participant_id vendor age\nsub-01 GE 30\nsub-02 GE 40\n")
    with pytest.raises(UsageError, match=r"'colour'.*neither a column.*Columns: participant_id, v"):
        read_study(paths, people, ["colour"])
    with pytest.raises(UsageError, match=r"'vendor'.*is 'GE' for all of the 2 tables"):
        read_study(paths, people, ["vendor"])
    with pytest.raises(UsageError, match=r"'vendor'.*Give a participants.tsv"):
        read_study(paths, by=["vendor"])


def test_a_factor_known_for_some(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01", "sub-02", "sub-03")
    people = participants(tmp_path, "participant_id vendor\nsub-01 GE\nsub-02 X\nsub-03 n/a\n")
    study = read_study(paths, people, ["vendor"])
    assert "vendor" not in study.scans[2].factors
    assert any("vendor is not known for 1 of 3 tables" in warning for warning in study.warnings)


def test_tables_of_two_definitions(tmp_path: Path) -> None:
    paths = tables(tmp_path, "sub-01") + tables(tmp_path, "sub-02", definition="caudal")
    with pytest.raises(UsageError, match=r"several definitions: extent .* and caudal"):
        read_study(paths)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject vendor\nsub-01 GE\n", "no column participant_id in line 1, only 'subject'"),
        ("", "is empty"),
        ("participant_id vendor\nn/a GE\n", "line 2, column participant_id: 'n/a' says nothing"),
        ("participant_id vendor\nsub-01\n", "line 2 has 1 cells, and the header 2"),
        ("participant_id vendor\nsub-01 GE x\n", "line 2 has 3 cells, and the header 2"),
        ("participant_id vendor Vendor\nsub-01 GE x\n", "two columns of the same name"),
    ],
)
def test_damaged_participants(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_participants(participants(tmp_path, text))
    assert "participants.tsv" in str(caught.value)


def test_missing_participants(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_participants(tmp_path / "participants.tsv")
    binary = tmp_path / "p.tsv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-16"):
        read_participants(binary)
