"""Files whose content is somewhere else: pointers of Git LFS and git-annex, links to nothing."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["absent", "pointer_in"]

_ANNEX = "Get its content with: git annex get {} (or datalad get {})"
#: How pointers begin, and of what they are.
_BEGINNINGS = {
    b"version https://git-lfs": ("Git LFS", "Get its content with: git lfs pull"),
    b"/annex/objects/": ("git-annex", _ANNEX),
}


def pointer_in(start: bytes, path: str | os.PathLike[str]) -> tuple[str, str] | None:
    """Return what a file is that begins with `start`, and what to do; None if it is no pointer.

    Examples
    --------
    >>> pointer_in(b"version https://git-lfs.github.com/spec/v1", "a.nii.gz")
    ('a pointer of Git LFS, not the file itself', 'Get its content with: git lfs pull')
    """
    of, remedy = next(
        (known for beginning, known in _BEGINNINGS.items() if start.startswith(beginning)), ("", "")
    )
    # A link of git-annex is a file of text where links are none, as in a clone on Windows.
    if not of and len(start) < 1000 and b".git/annex/objects/" in start:
        of, remedy = "git-annex", _ANNEX
    if not of:
        return None
    name = Path(path).name
    return f"a pointer of {of}, not the file itself", remedy.format(name, name)


def absent(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return what to say of a path that leads to no file, and what to do; it may be a link."""
    path = Path(path)
    if not path.is_symlink():
        return "no such file", "Check the path"
    target = os.readlink(path)
    if "annex" in target:
        problem = "is a link of git-annex whose content is not on this machine"
        return problem, _ANNEX.format(path.name, path.name)
    return f"is a link to {target}, which does not exist", "Check the link"
