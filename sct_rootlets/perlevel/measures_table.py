"""Measures per level as text: TSV or CSV, and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.table.columns import FLAGS, STATUSES
from sct_rootlets.perlevel.measures import LevelMeasures
from sct_rootlets.perlevel.sections import SHAPES
from sct_rootlets.perlevel.spreads import Spread
from sct_rootlets.tables import Column, aligned, decimals, to_text

__all__ = ["MEASURE_FLAGS", "MeasureTable"]

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

    def to_text(self, delimiter: str) -> str:
        """Return a header and a line a level, cells divided by a tab or a comma."""
        return to_text(self.columns, self._values(), delimiter)

    def format_table(self) -> str:
        """Return it as aligned plain text of at most 100 columns for the terminal."""
        rows = [row for row in self.rows if row.n_planes]
        cells = [["level", "planes", "length mm", "covered", "area mm²", "AP mm", "RL mm"]]
        for row in rows:
            covered = "n/a" if row.coverage is None else f"{row.coverage:.0%}"
            shapes = [_shown(row.shapes.get(name)) for name in SHAPES[:3]]
            cells.append([str(row.level), str(row.n_planes), f"{row.length_mm:.1f}", covered])
            cells[-1] += shapes
        blocks = [aligned(cells)]
        for names in _fitting(self.maps):
            lines = [[str(row.level), *(_shown(row.maps.get(n)) for n in names)] for row in rows]
            blocks.append(aligned([["level", *names], *lines]))
        without = ", ".join(str(row.level) for row in self.rows if not row.n_planes)
        if without:
            blocks.append([f"No whole section of the mask: {without}"])
        return "\n\n".join("\n".join(block) for block in blocks)

    @property
    def columns(self) -> list[Column]:
        """The columns: of every level, and of what was measured in it."""
        columns = [*_COLUMNS]
        for name in SHAPES:
            unit, words = _SHAPE_WORDS[name]
            columns += _spread(name, unit, words, "planes")
        for name in self.maps:
            columns += _spread(name, "", name, "volume")
        return [replace(column, number=decimals(DECIMALS)) for column in columns]

    def _values(self) -> Iterator[dict[str, Any]]:
        for row, slices in zip(self.rows, self.slices, strict=True):
            first, last = slices or (None, None)
            values = {
                "fname": self.fname,
                "level": row.level,
                "spinal_level": row.level.value,
                "status": row.borders.status,
                "flags": ",".join(row.flags),
                "rostral_mm": row.borders.rostral_mm,
                "caudal_mm": row.borders.caudal_mm,
                "slice_start": first,
                "slice_end": last,
                "n_planes": row.n_planes,
                "coverage": row.coverage,
                "SUM(length)": row.length_mm,
                "SUM(volume)": row.volume_mm3,
            }
            for name in (*SHAPES, *self.maps):
                spread = (row.shapes if name in SHAPES else row.maps).get(name)
                for what, attribute in _OF_SPREAD.items():
                    values[f"{what}({name})"] = getattr(spread, attribute, None)
            yield values


_OF_SPREAD = {
    "MEAN": "mean",
    "STD": "std",
    "BORDER_SD": "border_sd",
    "MEDIAN": "median",
    "VOLUME": "volume_mm3",
}
_COLUMNS = (
    Column("fname", "File name of the cord mask"),
    Column("level", "Spinal level"),
    Column(
        "spinal_level",
        "Value of the spinal level in label images: C1-C8 are 1-8, T1 is 9, S5 is 30",
        values={str(level.value): str(level) for level in SpinalLevel},
    ),
    Column(
        "status",
        "How the borders of the level are known, where a table of levels was given",
        values=STATUSES,
    ),
    Column(
        "flags",
        "What is particular about the row; several are separated by commas",
        values={**FLAGS, **MEASURE_FLAGS},
    ),
    Column(
        "rostral_mm",
        "Rostral border along the centerline of this mask, from its rostral end",
        "mm",
    ),
    Column("caudal_mm", "Caudal border, likewise", "mm"),
    Column(
        "slice_start",
        "Most caudal axial slice of the mask whose middle lies in the level, from 0 at the "
        "inferior end (SCT's orientation RPI)",
    ),
    Column("slice_end", "Most rostral such slice"),
    Column("n_planes", "Planes within the level that the mask fills a whole section of"),
    Column("coverage", "Share of the level's length that these planes stand for, 0 to 1"),
    Column("SUM(length)", "That length", "mm"),
    Column("SUM(volume)", "Volume of the cord over it", "mm^3"),
)


def _spread(name: str, unit: str, words: str, over: str) -> list[Column]:
    """Return the columns of one quantity over the ``planes`` or the ``volume`` of a level."""
    columns = [
        Column(f"MEAN({name})", f"Mean over the {over} of the level: {words}", unit),
        Column(f"STD({name})", f"Standard deviation over the {over}", unit),
        Column(
            f"BORDER_SD({name})",
            "Standard deviation of that mean that comes of that of the level's borders",
            unit,
        ),
    ]
    if over == "volume":
        columns += [
            Column(f"MEDIAN({name})", "Median over that volume", unit),
            Column(f"VOLUME({name})", "That volume", "mm^3"),
        ]
    return columns


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
