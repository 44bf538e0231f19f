"""Whose files are, by what their records say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sct_rootlets.files import outputs as module
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import GENERATOR, sidecar
from sct_rootlets.files.standing import Standing, not_ours, place_of, standing
from tests.forked import context
from tests.unprivileged import IS_SUPERUSER, unprivileged

ABOUT = sidecar(beside="", sources=(), description="A mask.")


def write(folder: Path, version: str = "1", *, more: tuple[str, ...] = ()) -> None:
    """Write a result: a mask, a table and a figure elsewhere, listed in the sidecar of the mask."""
    mask, table = folder / "t2_seg.nii.gz", folder / "t2_seg.tsv"
    figure = folder / "qc" / "t2.png"
    with ResultSet() as outputs:
        for path in (mask, table, figure):
            outputs.write(path, f"{path.name} {version}")
        outputs.record(folder / "t2_seg.json", {**ABOUT, "V": version}, [mask, table, figure])


def standings(folder: Path) -> dict[str, Standing]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    kept = not_ours(files)
    return {path.name: kept.get(path, Standing.OURS) for path in files}


def test_a_result_is_ours_as_long_as_nobody_changes_it(tmp_path: Path) -> None:
    write(tmp_path)
    assert set(standings(tmp_path).values()) == {Standing.OURS}
    assert standing(tmp_path / "t2_seg.nii.gz") is Standing.OURS
    assert standing(tmp_path / "t2_seg.tsv") is Standing.OURS
    assert standing(tmp_path / "none.nii.gz") is None
    (tmp_path / "t2_seg.nii.gz").write_text("corrected")
    assert standing(tmp_path / "t2_seg.nii.gz") is Standing.CHANGED
    assert standings(tmp_path)["t2.png"] is Standing.OURS


@pytest.mark.parametrize("name", ["t2_seg.nii.gz", "t2_seg.tsv", "t2.png"])
def test_of_another_name_it_is_not_ours(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    path = next(tmp_path.rglob(name))
    other = path.with_name(f"other_{name}")
    path.rename(other)
    assert standings(tmp_path)[other.name] is Standing.FOREIGN


def test_a_moved_folder_is_still_ours(tmp_path: Path) -> None:
    write(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "link").symlink_to("b")
    assert set(standings(tmp_path / "b").values()) == {Standing.OURS}
    figure = tmp_path / "link" / "qc" / "t2.png"
    assert figure not in not_ours([figure, tmp_path / "b" / "t2_seg.json"])
    assert place_of(tmp_path / "link" / "x") == place_of(tmp_path / "b" / "x")


def test_what_a_version_without_records_made(tmp_path: Path) -> None:
    for name in ("t2_seg.nii.gz", "t2_seg_midpoint.nii.gz", "t2_other.nii.gz"):
        (tmp_path / name).write_text("")
    (tmp_path / "t2_seg.json").write_text(json.dumps({"GeneratedBy": [{"Name": GENERATOR}]}))
    found = standings(tmp_path)
    assert found.pop("t2_other.nii.gz") is Standing.FOREIGN
    assert set(found.values()) == {Standing.UNKNOWN}


def test_what_cannot_be_judged_is_kept(tmp_path: Path) -> None:
    write(tmp_path)
    mask, table = tmp_path / "t2_seg.nii.gz", tmp_path / "t2_seg.tsv"
    mask.unlink()
    mask.symlink_to("annex/that was not fetched")
    table.chmod(0o444)
    assert standing(mask) is Standing.UNREADABLE
    assert standing(table) is Standing.PROTECTED
    table.chmod(0o644)
    with unprivileged(tmp_path):
        if IS_SUPERUSER:
            os.chmod("t2_seg.tsv", 0o200)
        assert standing("t2_seg.tsv") is (Standing.UNREADABLE if IS_SUPERUSER else Standing.OURS)


def test_a_link_to_what_we_wrote_is_ours(tmp_path: Path) -> None:
    write(tmp_path)
    mask = tmp_path / "t2_seg.nii.gz"
    mask.rename(tmp_path / "annexed")
    (tmp_path / "annexed").chmod(0o444)  # as git-annex has it
    mask.symlink_to("annexed")
    assert standing(mask) is Standing.OURS


def test_a_record_that_would_lose_its_file_is_of_another_result(tmp_path: Path) -> None:
    write(tmp_path)
    record = tmp_path / "t2_seg.json"
    assert not_ours([record, tmp_path / "t2_seg.nii"]) == {record: Standing.OTHER}
    mask, table = tmp_path / "t2_seg.nii.gz", tmp_path / "t2_seg.tsv"
    assert not_ours([record, mask]) == {record: Standing.OTHER}
    assert not not_ours([record, mask, table])
    assert not not_ours([record, mask], [table])
    table.unlink()
    assert not not_ours([record, mask])


def killed(folder: str, count: int) -> None:
    """Write a result in a process that is gone at the `count`-th move, whatever comes then."""
    left, actual = [count], os.replace

    def replace(source: Path, target: Path) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(9)
        actual(source, target)

    module.os.replace = replace  # type: ignore[assignment]
    write(Path(folder), "2")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("earlier", [False, True])
def test_after_a_kill_amid_the_moves_all_is_known_and_the_next_run_sweeps(
    count: int, earlier: bool, tmp_path: Path
) -> None:
    if earlier:
        write(tmp_path)
    process = context.Process(target=killed, args=(str(tmp_path), count))
    process.start()
    process.join()
    assert process.exitcode == (0 if count == 5 else 9)
    visible = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    visible = {name for name in visible if not name.startswith(".")}
    # The JSON, which says what belongs together, is there once all of it is.
    assert ("t2_seg.json" in visible) == (earlier or count == 5)
    targets = [tmp_path / name for name in ("t2_seg.nii.gz", "t2_seg.tsv", "t2_seg.json")]
    assert not not_ours([*targets, tmp_path / "qc" / "t2.png"])
    (tmp_path / "t2_seg.tsv").write_text("somebody's")
    assert tmp_path / "t2_seg.tsv" in not_ours(targets)
    (tmp_path / "t2_seg.tsv").unlink()
    write(tmp_path, "3")
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(everything) == 4
    assert all("3" in path.read_text() for path in everything)


def test_a_hidden_record_makes_no_other_file_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_remove", lambda path: None)  # as if killed
    monkeypatch.setattr(module.os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    (tmp_path / "t2_seg.nii.gz").write_text("a manual mask")
    assert standing(tmp_path / "t2_seg.nii.gz") is Standing.FOREIGN
