"""Columns of tables: name, unit, meaning, and how their numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["Column", "column", "columns", "columns_of", "decimals", "describe"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    text : str
        What it is: a sentence without its final stop.
    unit : str
        Empty where there is none.
    values : mapping of str to str
        What the fixed words mean that it may hold.
    number : callable
        Makes text of a finite float; six digits by default.
    """

    name: str
    text: str = ""
    unit: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[float], str] = "{:.6g}".format


def decimals(count: int) -> Callable[[float], str]:
    """Return what writes numbers with so many decimals, and no minus before a zero.

    Examples
    --------
    >>> decimals(2)(-0.001), decimals(2)(2.5)
    ('0.00', '2.50')
    """
    return lambda number: f"{round(number, count) + 0.0:.{count}f}"


def column(text: str, unit: str = "", values: Mapping[str, str] | None = None) -> Any:
    """Return a field of a dataclass that is a column; its name is that of the field."""
    return field(metadata={"text": text, "unit": unit, "values": values or {}})


def columns_of(row_type: type, number: Callable[[float], str]) -> tuple[Column, ...]:
    """Return the columns that the fields of a dataclass are, made by :func:`column`."""
    return tuple(Column(one.name, **one.metadata, number=number) for one in fields(row_type))


def columns(
    texts: Mapping[str, str], number: Callable[[float], str] = Column.number
) -> tuple[Column, ...]:
    """Return columns by name and text; the end of a name (``_mm``, ``_mm3``) tells the unit.

    Examples
    --------
    >>> columns({"error_mm": "Found less truth"})[0].unit
    'mm'
    """
    units = {"mm": "mm", "mm3": "mm^3"}
    return tuple(
        Column(name, text, units.get(name.rpartition("_")[2], ""), number=number)
        for name, text in texts.items()
    )


def describe(columns: Iterable[Column]) -> dict[str, dict[str, Any]]:
    """Return what the columns mean, as BIDS has it in JSON files beside tables.

    Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html
    """
    described: dict[str, dict[str, Any]] = {}
    for one in columns:
        entry: dict[str, Any] = {"Description": one.text}
        if one.unit:
            entry["Units"] = one.unit
        if one.values:
            entry["Levels"] = dict(one.values)
        described[one.name] = entry
    return described
