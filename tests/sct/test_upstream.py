"""The patches and the scripts of ``docs/upstream.md`` are what the page says they are."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scts import the_sct

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "upstream.md").read_text(encoding="utf-8")
PATCHES = {
    int(number): patch
    for number, patch in re.findall(r"^## (\d)\..*?^```diff\n(.*?)^```", TEXT, re.M | re.S)
}


def git_apply(folder: Path, patch: str, *options: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("git") is None:
        pytest.skip("no git")
    return subprocess.run(
        ["git", "apply", *options], input=patch, cwd=folder, capture_output=True, text=True
    )


def test_every_section_has_its_patch() -> None:
    numbers = [int(number) for number in re.findall(r"^## (\d)\. ", TEXT, re.M)]
    assert numbers == list(PATCHES) == list(range(1, len(numbers) + 1))
    for needed in ("**Problem.**", "**Tried.**"):
        assert TEXT.count(needed) == len(numbers)


@pytest.mark.parametrize("number", PATCHES)
def test_a_patch_has_as_many_lines_as_the_table_says(number: int, tmp_path: Path) -> None:
    done = git_apply(tmp_path, PATCHES[number], "--numstat")
    assert done.returncode == 0, done.stderr
    counts = [line.split()[:2] for line in done.stdout.splitlines()]
    added, removed = (sum(int(row[column]) for row in counts) for column in (0, 1))
    said = re.search(rf"^\| \[{number}\].*\| \+(\d+) -(\d+) \|$", TEXT, re.M)
    assert said is not None
    assert (added, removed) == (int(said[1]), int(said[2]))


@pytest.mark.sct
def test_the_patches_apply_to_sct(tmp_path: Path) -> None:
    sct = the_sct()
    shutil.copytree(
        sct.folder / "spinalcordtoolbox",
        tmp_path / "spinalcordtoolbox",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    ours = {number: text for number, text in PATCHES.items() if "/nnunetv2/" not in text}
    for number, patch in ours.items():
        alone = git_apply(tmp_path, patch, "--check")
        assert alone.returncode == 0, f"patch {number} on SCT {sct.version}: {alone.stderr}"
    for patch in ours.values():  # and all together
        assert git_apply(tmp_path, patch).returncode == 0


@pytest.mark.slow
def test_upstream_nnunet_has_no_second_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nnunetv2")
    # As Python runs a script, but not in a process that imports torch once more.
    monkeypatch.syspath_prepend(DOCS / "upstream")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    runpy.run_path(str(DOCS / "upstream" / "double_pass.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert said.startswith("nnunetv2 ")
    for folds in (1, 2, 5):
        assert f"{folds} fold(s): {folds} passes; result / mean over folds = 1.000" in said
