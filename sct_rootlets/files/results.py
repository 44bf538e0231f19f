"""The files of results: together, owned, and listed in a record that comes last."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.files.guards import refusal
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.record import GROWS, read_record, seal_page, sealed
from sct_rootlets.files.sidecar import relative
from sct_rootlets.files.standing import not_ours

__all__ = ["ResultSet"]


@dataclass
class _Listed:
    """What a record says besides, None for a page, and the files that it lists."""

    content: Mapping[str, Any] | None
    files: list[Path] = field(default_factory=list)
    growing: tuple[Path, ...] = ()


class ResultSet(OutputSet):
    """An `OutputSet` whose files belong to results: each is listed in a record of its result.

    The record is a JSON or a page. It gets the sha256 of the files, and is moved in last, so that
    it never speaks of files that are not there. Files that are there, and are not as their record
    says, are not replaced.

    Parameters
    ----------
    overwrite : bool
        Whether such files may be replaced all the same.

    Raises
    ------
    UsageError
        If a file would be replaced that is not ours, or was changed since it was written.
        Commands ask :func:`sct_rootlets.files.guards.require_free` before any work.

    Examples
    --------
    >>> import json, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with ResultSet() as outputs:
    ...     outputs.write(folder / "a.tsv", "level")
    ...     outputs.record(folder / "a.json", {"Description": "A table."}, [folder / "a.tsv"])
    >>> sorted(json.loads((folder / "a.json").read_text())["Files"])
    ['a.json', 'a.tsv']
    """

    def __init__(self, *, overwrite: bool = False) -> None:
        super().__init__()
        self._overwrite = overwrite
        self._records: dict[Path, _Listed] = {}

    def __enter__(self) -> ResultSet:
        return self

    def record(
        self,
        target: Path,
        content: Mapping[str, Any],
        files: Iterable[Path] = (),
        *,
        growing: Iterable[Path] = (),
    ) -> None:
        """Write a JSON that lists `files`, as far as they are staged by the end.

        Parameters
        ----------
        target : Path
        content : mapping
            What else it says.
        files : iterable of Path
        growing : iterable of Path
            Tables that several runs add lines to, which are written in another way.
        """
        listed = self._records.setdefault(target, _Listed(None))
        listed.content, listed.growing = content, tuple(growing)
        self.list_in(target, files)

    def list_in(self, target: Path, files: Iterable[Path]) -> None:
        """Have a record list further files; a page is a record by its proof."""
        self._records.setdefault(target, _Listed(None)).files += files

    def _prepare(self) -> None:
        staged = {target: temporary for temporary, target in self._staged}
        listed = {path for one in self._records.values() for path in one.files}
        forgotten = staged.keys() - listed - self._records.keys()
        if forgotten:  # or the next run would take it for somebody else's
            raise ValueError(f"{min(forgotten)} is in no record")
        pages = {path for path, one in self._records.items() if one.content is None}
        for path in pages:
            files = self._records[path].files
            seal_page(staged[path], path.name, _hashes(files, staged, path.parent))
        # Pages are moved in after what they list, and the JSON files after all.
        self._staged.sort(key=lambda pair: pair[1] in pages)
        for path, one in self._records.items():
            if one.content is not None:
                files_of_it = _hashes(one.files, staged, path.parent)
                files_of_it |= {relative(table, path.parent): GROWS for table in one.growing}
                earlier = self._earlier(path, files_of_it)
                self.write(path, sealed(path, one.content, files_of_it, earlier))
        if not self._overwrite:
            self._require_ours()
        super()._prepare()

    def _earlier(self, path: Path, files: Mapping[str, str]) -> dict[str, str]:
        """Return what the record that is there lists besides, as far as it stays."""
        before = read_record(path)
        if before is None or not before.is_ours:
            return {}
        gone = {relative(target, path.parent) for target in self._gone}
        return {
            name: sha256
            for name, sha256 in before.files.items()
            if name not in (*files, *gone, path.name) and os.path.lexists(path.parent / name)
        }

    def _require_ours(self) -> None:
        """Raise if somebody has put a file, or edited one, where the results are to go.

        What is there already may be written again: the records that are staged list it.
        """
        targets = [*(target for _, target in self._staged), *self._gone]
        kept = not_ours(targets, [path for one in self._records.values() for path in one.files])
        if kept:
            raise refusal(kept)


def _hashes(files: Iterable[Path], staged: Mapping[Path, Path], folder: Path) -> dict[str, str]:
    """Return the sha256 of those files that are staged, by their names as seen from `folder`."""
    return {relative(path, folder): file_sha256(staged[path]) for path in files if path in staged}
