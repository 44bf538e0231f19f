"""The catalogue of models as text: a table of all, or all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sct_rootlets.store.space import bytes_text
from sct_rootlets.tables import aligned

__all__ = ["format_model", "format_table"]

_COLUMNS = ("model", "contrasts", "levels", "size", "installed", "where")


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of ``list_models`` as a table a person can read."""
    cells = [list(_COLUMNS)]
    notes = []
    for row in rows:
        reference, size = f"{row['name']}@{row['version']}", row["size_bytes"]
        unknown = "unknown" if row["problems"] else "not published"
        cells.append(
            [
                reference + ("*" if row["is_default"] else ""),
                ", ".join(row["contrasts"]) or "not published",
                row["levels"],
                unknown if size is None else bytes_text(size),
                row["installed"],
                row["folder"] or "",
            ]
        )
        if row["problems"]:
            what = "; ".join(row["problems"])
            notes.append(f"{reference} is {row['installed']}: {what}. {row['remedy']}")
    lines = aligned(cells, left=range(len(_COLUMNS)))
    return "\n".join([*lines, "", "* what the name alone means", *notes])


def format_model(content: Mapping[str, Any]) -> str:
    """Return what ``show_model`` returned as text, one fact a line."""
    return "\n".join(_lines(content))


def _lines(value: Any, indent: str = "") -> list[str]:
    lines = []
    pairs = value.items() if isinstance(value, Mapping) else (("-", each) for each in value)
    for key, each in pairs:
        name = key if key == "-" else f"{str(key).replace('_', ' ')}:"
        if isinstance(each, (Mapping, list)) and each:
            flat = isinstance(each, list) and all(isinstance(one, str) for one in each)
            if flat and sum(map(len, each)) < 80:
                lines.append(f"{indent}{name} {', '.join(each)}")
            else:
                lines += [f"{indent}{name}", *_lines(each, f"{indent}  ")]
        elif each is None or each == [] or each == {}:
            lines.append(f"{indent}{name} not published")
        else:
            lines.append(f"{indent}{name} {each}")
    return lines
