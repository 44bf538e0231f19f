"""Files whose content is somewhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.pointers import absent, pointer_in


@pytest.mark.parametrize(
    ("start", "what", "remedy"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "git lfs pull"),
        (b"/annex/objects/MD5E-s9--9.tsv\n", "git-annex", "git annex get a.tsv"),
        (b"../.git/annex/objects/k1/Zz/MD5E-s9--9/MD5E-s9--9", "git-annex", "datalad get a.tsv"),
    ],
)
def test_pointers_are_known(start: bytes, what: str, remedy: str) -> None:
    found = pointer_in(start, "x/a.tsv")
    assert found is not None
    assert found[0] == f"a pointer of {what}, not the file itself"
    assert remedy in found[1]


@pytest.mark.parametrize(
    "start", [b"", b"a\tb\n", b"x" * 2000 + b".git/annex/objects/", b"\x1f\x8b"]
)
def test_other_files_are_none(start: bytes) -> None:
    assert pointer_in(start, "a.tsv") is None


def test_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    assert absent(path) == ("no such file", "Check the path")
    path.symlink_to("../.git/annex/objects/a/b/MD5E-s9--9.tsv/MD5E-s9--9.tsv")
    problem, remedy = absent(path)
    assert "content is not on this machine" in problem
    assert "git annex get a.tsv" in remedy
    path.unlink()
    path.symlink_to("elsewhere")
    assert absent(path)[0] == "is a link to elsewhere, which does not exist"
