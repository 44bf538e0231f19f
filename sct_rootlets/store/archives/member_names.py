"""Which names the members of an archive may have.

An archive is made on one system and unpacked on another: what is refused here is refused on
each, so that a model that installs on Linux also installs on macOS and on a Windows share.
"""

from __future__ import annotations

import unicodedata

from sct_rootlets.errors import ArchiveError

__all__ = ["MemberNames"]

_LONGEST_PART_BYTES = 255
_LONGEST_NAME_BYTES = 1024
_DEEPEST = 32

#: Separators, drives, streams and patterns of Windows.
_FORBIDDEN_CHARACTERS = frozenset('\\:*?"<>|')
#: Control, invisible (bidirectional overrides among them), undecodable; line separators.
_FORBIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "clock$", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"]
)


#: Where Finder keeps what belongs to macOS; a folder of it looks like a second model.
_NOT_CONTENT = "__MACOSX"


class MemberNames:
    """The names of an archive's members, each checked by itself and against all before it.

    Examples
    --------
    >>> names = MemberNames()
    >>> names.add("./model/dataset.json")
    ('model', 'dataset.json')
    >>> names.add("model/DATASET.json")
    Traceback (most recent call last):
    ...
    sct_rootlets.errors.ArchiveError: it holds 'model/DATASET.json' and 'model/dataset.json', \
which are one file on some systems
    """

    def __init__(self) -> None:
        #: Name as a file system may compare it -> (name as written, whether it is a folder).
        self._seen: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}

    def add(self, name: str, *, is_folder: bool = False) -> tuple[str, ...]:
        """Check `name` and return its parts.

        There are none for the folder that all lies in, and for what is left out.

        Raises
        ------
        ArchiveError
            Saying which name is refused, and why.
        """
        parts = _parts(name, is_folder)
        for depth in range(1, len(parts) + 1):
            self._enter(parts[:depth], is_folder or depth < len(parts))
        return () if parts[:1] == (_NOT_CONTENT,) else parts

    def _enter(self, parts: tuple[str, ...], is_folder: bool) -> None:
        key = tuple(_folded(part) for part in parts)
        before, was_folder = self._seen.get(key, (parts, None))
        self._seen[key] = parts, is_folder
        if before != parts:
            names = " and ".join(repr("/".join(both)) for both in (parts, before))
            raise ArchiveError(f"it holds {names}, which are one file on some systems")
        if was_folder not in (None, is_folder):
            raise ArchiveError(f"it holds {'/'.join(parts)!r} as a file and as a folder")
        if was_folder is False:
            raise ArchiveError(f"it holds {'/'.join(parts)!r} twice")


def _folded(part: str) -> str:
    """Return one spelling for all that a file system may take to be the same name."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())


def _parts(name: str, is_folder: bool) -> tuple[str, ...]:
    def refused(why: str) -> ArchiveError:
        # repr: what is refused may be what a terminal would act on.
        return ArchiveError(f"it holds the name {name[:200]!r}, which {why}")

    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in name):
        raise refused("has control, invisible or undecodable characters")
    if name.startswith("/"):
        raise refused("is absolute")
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        raise refused("is too long")
    forbidden = sorted(_FORBIDDEN_CHARACTERS.intersection(name))
    if forbidden:
        raise refused(f"has the character {forbidden[0]!r}")
    parts = (name[:-1] if is_folder and name.endswith("/") else name).split("/")
    if parts[0] == "." and (is_folder or len(parts) > 1):  # as "tar -c ." writes all names
        del parts[0]
    if len(parts) > _DEEPEST:
        raise refused("is too deep")
    for part in parts:
        if part == "..":
            raise refused("leads out of the folder")
        if part in ("", "."):
            raise refused("has an empty part")
        if len(part.encode()) > _LONGEST_PART_BYTES:
            raise refused("is too long")
        if part.endswith((" ", ".")):
            raise refused("ends in a space or a dot")
        if part.partition(".")[0].rstrip(" ").lower() in _RESERVED:
            raise refused("is reserved on some systems")
    return tuple(parts)
