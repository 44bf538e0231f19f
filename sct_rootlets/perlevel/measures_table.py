"""Measures per level as text: TSV or CSV, and the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.table.columns import FLAGS, STATUSES
from sct_rootlets.perlevel.measures import SHAPES, LevelMeasures, Spread

__all__ = ["MEASURE_FLAGS", "MeasureTable"]

Value = str | int | float | None

DECIMALS = 4
#: Widest line on the terminal.
_WIDTH = 100
#: Flags besides those that the table of levels gives a row.
MEASURE_FLAGS: Mapping[str, str] = {
    "partly_covered": "less than 95 % of the level's length has whole sections of the mask",
    "not_covered": "no whole section of the mask lies in the level",
}
_SHAPE_WORDS: Mapping[str, tuple[str, str]] = {
    "area": ("mm^2", "area of the cord on planes perpendicular to its centerline"),
    "diameter_AP": ("mm", "AP diameter, the mean over the middle 3 mm"),
    "diameter_RL": ("mm", "RL diameter, of the ellipse of equal second moments"),
    "eccentricity": ("", "eccentricity of that ellipse: 0 for a circle"),
    "solidity": ("", "area over that of the convex hull"),
}


@dataclass(frozen=True)
class _Column:
    name: str
    unit: str
    meaning: str
    get: Callable[[LevelMeasures], Value]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasureTable:
    """What was measured, one row a level.

    Attributes
    ----------
    rows : tuple of LevelMeasures
    slices : tuple of (int, int) or None
        Of every row: its most caudal and its most rostral axial slice.
    maps : tuple of str
        Names of the maps.
    fname : str
        Of the cord mask.
    """

    rows: tuple[LevelMeasures, ...]
    slices: tuple[tuple[int, int] | None, ...]
    maps: tuple[str, ...]
    fname: str

    def header(self, delimiter: str) -> str:
        """Return the line of the columns' names."""
        return _lines([[column.name for column in self._columns()]], delimiter)

    def body(self, delimiter: str) -> str:
        """Return a line a level; what is not known is ``n/a`` in a TSV and empty in a CSV."""
        unknown = "n/a" if delimiter == "\t" else ""
        columns = self._columns()
        return _lines(
            [[_cell(column.get(row), unknown) for column in columns] for row in self.rows],
            delimiter,
        )

    def describe_columns(self) -> dict[str, dict[str, Any]]:
        """Return what the columns mean, as BIDS has it in JSON files beside tables."""
        described: dict[str, dict[str, Any]] = {}
        for column in self._columns():
            entry: dict[str, Any] = {"Description": column.meaning}
            if column.unit:
                entry["Units"] = column.unit
            if column.values:
                entry["Levels"] = dict(column.values)
            described[column.name] = entry
        return described

    def format_table(self) -> str:
        """Return it as aligned plain text of at most 100 columns for the terminal."""
        rows = [row for row in self.rows if row.n_planes]
        cells = [["level", "planes", "length mm", "covered", "area mm²", "AP mm", "RL mm"]]
        for row in rows:
            covered = "n/a" if row.coverage is None else f"{row.coverage:.0%}"
            shapes = [_shown(row.shapes.get(name)) for name in SHAPES[:3]]
            cells.append([str(row.level), str(row.n_planes), f"{row.length_mm:.1f}", covered])
            cells[-1] += shapes
        blocks = [_aligned(cells)]
        for names in _fitting(self.maps):
            lines = [[str(row.level), *(_shown(row.maps.get(n)) for n in names)] for row in rows]
            blocks.append(_aligned([["level", *names], *lines]))
        without = ", ".join(str(row.level) for row in self.rows if not row.n_planes)
        if without:
            blocks.append(f"No whole section of the mask: {without}")
        return "\n\n".join(blocks)

    def _columns(self) -> list[_Column]:
        slices = {id(row): ends for row, ends in zip(self.rows, self.slices, strict=True)}

        def slice_at(end: int) -> Callable[[LevelMeasures], Value]:
            def get(row: LevelMeasures) -> Value:
                ends = slices[id(row)]
                return None if ends is None else ends[end]

            return get

        columns = [
            _Column("fname", "", "File name of the cord mask", lambda row: self.fname),
            _Column("level", "", "Spinal level", lambda row: str(row.level)),
            _Column(
                "spinal_level",
                "",
                "Value of the spinal level in label images: C1-C8 are 1-8, T1 is 9, S5 is 30",
                lambda row: row.level.value,
                {str(level.value): str(level) for level in SpinalLevel},
            ),
            _Column(
                "status",
                "",
                "How the borders of the level are known, where a table of levels was given",
                lambda row: row.borders.status,
                STATUSES,
            ),
            _Column(
                "flags",
                "",
                "What is particular about the row; several are separated by commas",
                lambda row: ",".join(row.flags) or None,
                {**FLAGS, **MEASURE_FLAGS},
            ),
            _Column(
                "rostral_mm",
                "mm",
                "Rostral border along the centerline of this mask, from its rostral end",
                lambda row: row.borders.rostral_mm,
            ),
            _Column(
                "caudal_mm", "mm", "Caudal border, likewise", lambda row: row.borders.caudal_mm
            ),
            _Column(
                "slice_start",
                "",
                "Most caudal axial slice of the mask whose middle lies in the level, from 0 at the "
                "inferior end (SCT's orientation RPI)",
                slice_at(0),
            ),
            _Column("slice_end", "", "Most rostral such slice", slice_at(1)),
            _Column(
                "n_planes",
                "",
                "Planes within the level that the mask fills a whole section of",
                lambda row: row.n_planes,
            ),
            _Column(
                "coverage",
                "",
                "Share of the level's length that these planes stand for, 0 to 1",
                lambda row: row.coverage,
            ),
            _Column("SUM(length)", "mm", "That length", lambda row: row.length_mm),
            _Column(
                "SUM(volume)", "mm^3", "Volume of the cord over it", lambda row: row.volume_mm3
            ),
        ]
        for name in SHAPES:
            unit, words = _SHAPE_WORDS[name]
            columns += _spread(name, unit, words, "planes", _of_shape(name))
        for name in self.maps:
            columns += _spread(name, "", name, "volume", _of_map(name))
        return columns


def _of_shape(name: str) -> Callable[[LevelMeasures], Spread | None]:
    return lambda row: row.shapes.get(name)


def _of_map(name: str) -> Callable[[LevelMeasures], Spread | None]:
    return lambda row: row.maps.get(name)


def _spread(
    name: str, unit: str, words: str, over: str, get: Callable[[LevelMeasures], Spread | None]
) -> list[_Column]:
    """Return the columns of one quantity over the ``planes`` or the ``volume`` of a level."""

    def of(what: str) -> Callable[[LevelMeasures], Value]:
        def value(row: LevelMeasures) -> Value:
            spread = get(row)
            number: float | None = None if spread is None else getattr(spread, what)
            return number

        return value

    columns = [
        _Column(f"MEAN({name})", unit, f"Mean over the {over} of the level: {words}", of("mean")),
        _Column(f"STD({name})", unit, f"Standard deviation over the {over}", of("std")),
        _Column(
            f"BORDER_SD({name})",
            unit,
            "Standard deviation of that mean that comes of that of the level's borders",
            of("border_sd"),
        ),
    ]
    if over == "volume":
        columns += [
            _Column(f"MEDIAN({name})", unit, "Median over that volume", of("median")),
            _Column(f"VOLUME({name})", "mm^3", "That volume", of("volume_mm3")),
        ]
    return columns


def _lines(cells: Sequence[Sequence[str]], delimiter: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(cells)
    return stream.getvalue()


def _cell(value: Value, unknown: str) -> str:
    if value is None:
        return unknown
    return (
        f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}" if isinstance(value, float) else str(value)
    )


def _shown(spread: Spread | None) -> str:
    """Return mean and standard deviation with digits that fit the mean."""
    if spread is None or spread.mean is None or spread.std is None:
        return "n/a"
    size = abs(spread.mean)
    decimals = 4 if size < 0.1 else 3 if size < 1 else 2 if size < 100 else 1
    return f"{spread.mean:.{decimals}f} ± {spread.std:.{decimals}f}"


def _fitting(names: Sequence[str]) -> list[list[str]]:
    """Return the names in groups that fit into one line."""
    groups: list[list[str]] = []
    room = 0
    for name in names:
        needed = max(len(name), 20) + 2
        if not groups or needed > room:
            groups.append([])
            room = _WIDTH - 8
        groups[-1].append(name)
        room -= needed
    return groups


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    """Return a table, the first column to the left and the others to the right."""
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    lines = [
        [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        for line in cells
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)
