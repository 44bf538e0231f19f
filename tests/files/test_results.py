"""Results: what is listed where, and what is not replaced at the last moment either."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files import outputs as module
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.record import page_proof, read_record
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar
from sct_rootlets.files.standing import Standing, not_ours

ABOUT = sidecar(beside="", sources=(), description="A table.")


def write(folder: Path, text: str = "1", *, overwrite: bool = False, figure: bool = True) -> None:
    """Write a table with a figure and its JSON, and a page with another figure."""
    table, picture, about = (folder / f"t2{end}" for end in (".tsv", ".png", ".json"))
    page, drawn = (folder / "qc" / f"t2{end}" for end in (".html", ".png"))
    with ResultSet(overwrite=overwrite) as outputs:
        outputs.record(about, ABOUT, [table])
        outputs.write(page, f"<html>{page_proof([page.name, drawn.name])}{text}</html>")
        outputs.list_in(page, [drawn])
        outputs.write(table, text)
        if figure:
            outputs.write(picture, text)
        outputs.write(drawn, text)
        outputs.list_in(about, [picture])


def remove_figure(folder: Path, outputs: ResultSet) -> None:
    outputs.write(folder / "t2.tsv", "without a figure")
    outputs.remove(folder / "t2.png")
    outputs.record(folder / "t2.json", ABOUT, [folder / "t2.tsv", folder / "t2.png"])


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


EVERYTHING = {"t2.tsv", "t2.png", "t2.json", "qc/t2.html", "qc/t2.png"}


def test_records_list_what_was_written_and_come_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved, actual = [], os.replace

    def replace(source: Path, target: Path) -> None:
        moved.append(Path(target).name)
        actual(source, target)

    monkeypatch.setattr(module.os, "replace", replace)
    write(tmp_path)
    assert names(tmp_path) == EVERYTHING
    assert moved == ["t2.tsv", "t2.png", "t2.png", "t2.html", "t2.json"]
    listed = json.loads((tmp_path / "t2.json").read_text())["Files"]
    assert set(listed) == {"t2.tsv", "t2.png", "t2.json"}
    assert listed["t2.tsv"] == file_sha256(tmp_path / "t2.tsv")
    page = read_record(tmp_path / "qc" / "t2.html")
    assert page is not None
    assert page.sha256_of(tmp_path / "qc" / "t2.png") == file_sha256(tmp_path / "qc" / "t2.png")
    assert not not_ours(tmp_path / name for name in EVERYTHING)


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_what_was_edited_amid_the_work_is_not_replaced(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / name).write_text("edited while the next run was at work")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    with pytest.raises(UsageError, match=Path(name).name):
        write(tmp_path, "2")
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
    write(tmp_path, "2", overwrite=True)
    write(tmp_path, "3")
    assert (tmp_path / "t2.tsv").read_text() == "3"


def test_what_would_be_written_again_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "t2.tsv").write_text("1")
    write(tmp_path)
    (tmp_path / "t2.json").unlink()
    with pytest.raises(UsageError, match=r"2 files .*t2\.tsv was not made .*t2\.png was not made"):
        write(tmp_path, "2")


def test_what_is_not_written_again_stays_known_and_what_is_removed_does_not(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    write(tmp_path, "2", figure=False)
    content = json.loads((tmp_path / "t2.json").read_text())
    assert content["EarlierFiles"] == {"t2.png": file_sha256(tmp_path / "t2.png")}
    write(tmp_path, "3")
    assert "EarlierFiles" not in json.loads((tmp_path / "t2.json").read_text())
    with ResultSet() as outputs:
        remove_figure(tmp_path, outputs)
    assert "EarlierFiles" not in json.loads((tmp_path / "t2.json").read_text())
    assert "t2.png" not in names(tmp_path)


def test_what_somebody_changed_is_not_removed_either(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "t2.png").write_text("annotated")
    with pytest.raises(UsageError, match=r"t2\.png: was changed"), ResultSet() as outputs:
        remove_figure(tmp_path, outputs)
    assert (tmp_path / "t2.png").read_text() == "annotated"


def test_a_table_that_grows_is_not_replaced(tmp_path: Path) -> None:
    table = tmp_path / "t2.tsv"
    table.write_text("rows\n")
    with ResultSet() as outputs:
        outputs.record(tmp_path / "t2.json", ABOUT, growing=[table])
    assert not_ours([table, tmp_path / "t2.json"]) == {table: Standing.GROWN}


def test_a_file_that_no_record_lists_is_a_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"t2\.tsv is in no record"), ResultSet() as outputs:
        outputs.write(tmp_path / "t2.tsv", "")
    assert not names(tmp_path)


def test_a_full_disk_at_the_record_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sct_rootlets.files.results.sealed", full)
    with pytest.raises(RootletsError, match="Make room"):
        write(tmp_path)
    assert not names(tmp_path)
