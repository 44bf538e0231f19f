"""Text from files: what is read, and what is said of files that are something else."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.texts import MOST_BYTES, read_start, read_text, shown


@pytest.mark.parametrize("read", [read_text, read_start])
@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        ("a\tb\n".encode("utf-16"), "is text in UTF-16", "Save it as UTF-8"),
        ("a\tb\n".encode("utf-16-be"), "is text in UTF-16 in line 1", "Save it as UTF-8"),
        ("a\tb\n".encode("utf-32"), "is text in UTF-16", "Save it as UTF-8"),
        (b"a\tb\n1\t\x00\n2\t3\n", "is no text: it has a NUL byte in line 2", "Save it as UTF-8"),
        ("a\n1\né".encode("latin-1"), "no text in UTF-8: it has the byte 0xe9 in line 3", "UTF-8"),
        (gzip.compress(b"a\tb\n", mtime=0), "is compressed by gzip", "gunzip a.tsv"),
        (b"PK\x03\x04[Content_Types].xml", "is a workbook of a spreadsheet", "as CSV, in UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of an old spreadsheet", "as CSV"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "pointer of Git LFS",
            "git lfs pull",
        ),
        (b"/annex/objects/MD5E-s9--9.tsv\n", "a pointer of git-annex", "git annex get a.tsv"),
        (b"<!DOCTYPE html><html>", "is a web page", "fetch the file itself"),
    ],
)
def test_what_is_no_text_in_utf8_is_said(
    tmp_path: Path, read: object, content: bytes, problem: str, remedy: str
) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        read(path)  # type: ignore[operator]
    assert caught.value.path == str(path)
    assert remedy in caught.value.remedy


def test_a_file_of_5_gb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tsv"
    path.write_text("a\tb\n")
    os.truncate(path, 5_000_000_000)  # sparse
    with pytest.raises(InputError, match="has 5,000 MB or more, and what is read here has at most"):
        read_text(path)
    path.write_bytes(b"a" * 2000)
    assert len(read_text(path, 2000)) == 2000
    with pytest.raises(InputError, match="at most 0 MB"):
        read_text(path, 1999)
    assert MOST_BYTES > 1e7


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_text(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="Is a directory"):
        read_text(tmp_path)
    link = tmp_path / "link.tsv"
    link.symlink_to(".git/annex/objects/k1/Zz/MD5E-s9--9.tsv/MD5E-s9--9.tsv")
    with pytest.raises(InputError, match=r"content is not on this machine.*git annex get link.tsv"):
        read_text(link)
    link.unlink()
    link.symlink_to("elsewhere.tsv")
    with pytest.raises(InputError, match=r"a link to elsewhere.tsv, which does not exist"):
        read_text(link)


def test_the_start_of_a_file_is_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("é\tb\n" * 30_000)
    start = read_start(path)
    assert start.endswith("b\n")
    assert 60_000 < len(start.encode()) <= 2**16


def test_what_is_shown_is_short_and_visible() -> None:
    assert shown("a\tb\x1b\u202e") == r"'a\tb\x1b\u202e'"
    assert len(shown("x" * 1000)) == 42
