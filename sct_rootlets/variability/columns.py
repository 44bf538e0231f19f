"""Rows as dataclasses whose fields are columns: the TSV, and the JSON that describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, field, fields
from typing import Any

__all__ = ["column", "describe", "to_tsv"]

#: Decimals of numbers in files.
DECIMALS = 4


def column(meaning: str, unit: str = "", values: Mapping[str, str] | None = None) -> Any:
    """Return a field of a row, with what a reader of the file has to know of it.

    Parameters
    ----------
    meaning : str
        A sentence without its final stop.
    unit : str
    values : mapping of str to str, optional
        What fixed words mean.
    """
    return field(metadata={"meaning": meaning, "unit": unit, "values": dict(values or {})})


def describe(row_type: type) -> dict[str, dict[str, Any]]:
    """Return what the columns mean, as BIDS has it in JSON files beside tables."""
    described: dict[str, dict[str, Any]] = {}
    for one in _columns(row_type):
        entry: dict[str, Any] = {"Description": one.metadata["meaning"]}
        if one.metadata["unit"]:
            entry["Units"] = one.metadata["unit"]
        if one.metadata["values"]:
            entry["Levels"] = one.metadata["values"]
        described[one.name] = entry
    return described


def to_tsv(row_type: type, rows: Iterable[Any]) -> str:
    """Return rows as tab-separated text; ``n/a`` for what is not known."""
    names = [one.name for one in _columns(row_type)]
    lines = ["\t".join(names)]
    lines += ["\t".join(cell(getattr(row, name)) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: Any) -> str:
    """Return a value as the text of a cell."""
    if value is None or value == "":
        return "n/a"
    if isinstance(value, float):
        if value != 0 and abs(value) < 10**-DECIMALS:
            return f"{value:.2e}"
        return f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}"
    # Tabs and line breaks, as a name of a group may have, would break the table.
    return " ".join(str(value).split())


def _columns(row_type: type) -> Sequence[Field[Any]]:
    return fields(row_type)
