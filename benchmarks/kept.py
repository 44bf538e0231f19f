"""Results that are on disk after every single measurement."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["Kept"]

Record = dict[str, Any]


class Kept:
    """Records by part and key, in one JSON file that is whole at any time.

    Parameters
    ----------
    path : Path
        The file. What it holds is taken over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: dict[str, dict[str, Record]] = {}
        if path.exists():
            self._parts = json.loads(path.read_text(encoding="utf-8"))

    def part(self, name: str) -> dict[str, Record]:
        """Return all records of a part, by key, in the order in which they were put."""
        return dict(self._parts.get(name, {}))

    def get(self, part: str, key: str) -> Record | None:
        """Return the record of `key` in `part`, or None."""
        return self._parts.get(part, {}).get(key)

    def put(self, part: str, key: str, record: Record) -> None:
        """Keep a record, and write the file."""
        self._parts.setdefault(part, {})[key] = record
        self._write()

    def forget(self, part: str) -> None:
        """Drop all records of a part, and write the file."""
        if self._parts.pop(part, None) is not None:
            self._write()

    def _write(self) -> None:
        partial = self._path.with_name(f".{os.getpid()}-{self._path.name}")
        partial.write_text(json.dumps(self._parts, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self._path)
