"""Measures per level as files: a table, alone or added to one that is there, and its sidecar."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.errors import UsageError
from sct_rootlets.files.appending import append_lines
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.json_files import read_object
from sct_rootlets.files.made_by import parameters_in
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import hashes, sidecar
from sct_rootlets.perlevel.measures_table import MeasureTable
from sct_rootlets.tables import describe, read_header
from sct_rootlets.texts import shown

__all__ = ["PerLevelResult", "perlevel_files"]

#: By what the sidecar of a table of measures is known.
_KIND = "Measures per spinal level"
_DELIMITERS = {".tsv": "\t", ".csv": ","}
#: With these columns a table of measures begins.
_OWN = ("fname", "level", "spinal_level", "status")
_OTHER_NAME = "Choose another name with -o"


@dataclass(frozen=True)
class PerLevelResult:
    """Measures per level, and what their file needs besides.

    Attributes
    ----------
    table : MeasureTable
    parameters : dict
        What was asked for.
    sources : tuple of str
        Input files.
    warnings : tuple of str
    """

    table: MeasureTable
    parameters: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def write(
        self, target: str | os.PathLike[str], *, append: bool = False, overwrite: bool = False
    ) -> dict[str, Path]:
        """Write the table and, beside it, what its columns mean.

        Parameters
        ----------
        target : path-like
            ``.tsv``, as BIDS has tables, or ``.csv``, as SCT has them.
        append : bool
            Add the rows to a table that is there, if it has the same columns and parameters.
            Several processes may do so at once. The sidecar then names no sources.
        overwrite : bool
            Replace also files that are not as an earlier run wrote them.

        Returns
        -------
        dict of str to Path
            ``table`` and ``json``.

        Raises
        ------
        UsageError
            If the name ends in something else, there is another table to append to, or a file
            would be replaced that is an input or, without `overwrite`, not as we wrote it.
        InputError
            If what is there cannot be read.
        """
        files = perlevel_files(target)
        path = files["table"]
        require_no_input(files.values(), self.sources)
        text = self.table.to_text(_DELIMITERS[path.suffix.lower()])
        header, body = text[: text.index("\n") + 1], text[text.index("\n") + 1 :]
        content = self._sidecar(path.parent, append=append)
        if append:
            self._require_appendable(files)
            append_lines(path, header, body)
            if not files["json"].exists():
                with ResultSet() as outputs:
                    outputs.record(files["json"], content, growing=[path])
            return files
        with ResultSet(overwrite=overwrite) as outputs:
            outputs.write(path, text)
            outputs.record(files["json"], content, [path])
        return files

    def _require_appendable(self, files: dict[str, Path]) -> None:
        """Raise if what is there is no table to append to."""
        known: dict[str, Any] = {}
        if files["json"].exists():
            known = read_object(files["json"], remedy=_OTHER_NAME)
            if known.get("Kind") != _KIND:
                raise UsageError(
                    "is not of a table of measures",
                    path=files["json"],
                    remedy=_OTHER_NAME,
                )
        if not files["table"].exists():
            return
        found, delimiter = read_header(files["table"], _OWN)
        columns = tuple(column.name for column in self.table.columns)
        if found[: len(_OWN)] != columns[: len(_OWN)]:
            raise UsageError(
                "is not a table of measures per spinal level",
                path=files["table"],
                remedy=_OTHER_NAME,
            )
        if found != columns:
            differing = sorted({*found} ^ {*columns}) or ["in another order"]
            raise UsageError(
                f"has other columns than what is to be appended: {', '.join(differing)}",
                path=files["table"],
                remedy="Give the same maps under the same names, or choose another -o",
            )
        if delimiter != _DELIMITERS[files["table"].suffix.lower()]:
            raise UsageError(
                f"has {shown(delimiter)} between its cells, as a spreadsheet saves a table, and "
                "is appended to as it was written only",
                path=files["table"],
                remedy="Save it as it was, or choose another -o",
            )
        before = parameters_in(known)
        if before and before != self.parameters:
            raise UsageError(
                f"was made with other parameters ({before}, and now {self.parameters})",
                path=files["table"],
                remedy="Use the same for the whole table, or choose another -o",
            )

    def _sidecar(self, folder: Path, *, append: bool) -> dict[str, Any]:
        """Return the sidecar; a table that grows has rows of inputs that it cannot name."""
        sources = () if append else self.sources
        extra: dict[str, Any] = {"Kind": _KIND, "Columns": describe(self.table.columns)}
        if not append:
            extra |= {"SourceSHA256": hashes(sources, folder), "warnings": list(self.warnings)}
        return sidecar(
            beside=folder,
            sources=sources,
            spatial_reference=None,
            description="Area of the spinal cord and means of maps per spinal level, on planes "
            "perpendicular to its centerline.",
            parameters=self.parameters,
            extra=extra,
        )


def perlevel_files(target: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the table and its JSON, by what they are.

    Raises
    ------
    UsageError
        If the name ends in something else than ``.tsv`` or ``.csv``.
    """
    path = Path(target)
    if path.suffix.lower() not in _DELIMITERS:
        raise UsageError("does not end in .tsv or .csv", path=path)
    return {"table": path, "json": path.with_suffix(".json")}
