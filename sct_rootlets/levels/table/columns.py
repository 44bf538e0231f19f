"""The columns of the table of levels: name, unit, meaning, and how to get the value.

From this one list come the TSV, the ``Columns`` of the JSON beside it and the data
dictionary in docs/table.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sct_rootlets.anatomy import SpinalLevel, disc_name

if TYPE_CHECKING:
    from sct_rootlets.levels.table.level_table import LevelRow, LevelTable

__all__ = [
    "COLUMNS",
    "FLAGS",
    "FORMER_COLUMNS",
    "PUBLISHED_COLUMNS",
    "STATUSES",
    "TABLE",
    "Column",
    "describe_columns",
]

Value = str | int | float | None

#: How the borders of a level are known.
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "measured": "its rootlets were seen and give its borders",
        "interpolated": "not seen, and placed between levels that were",
        "extrapolated": "not seen, and placed beyond the levels that were",
        "predicted": "no rootlets at all, and placed from the vertebrae",
        "unseen": "not known",
    }
)
#: Flags a row may carry, and what they say.
FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "cut_rostral": "the field of view ends within the level, rostrally",
        "cut_caudal": "the field of view ends within the level, caudally",
        "rostral_estimated": "no rootlets of the level above: rostral border from the population",
        "caudal_estimated": "no rootlets of the level below: caudal border from the population",
        "contradicted": "evidence that contradicts its neighbours was settled by likelihood",
        "strays": "voxels of this level were left out as strays",
        "one_side": "rootlets on one side only",
        "far": "no rootlet within reach of the cord: continued from farther out",
        "renumbered": "the level's value in the input was another one",
    }
)
#: Columns that every table of levels has had.
FORMER_COLUMNS = (
    "level", "spinal_level", "status", "rostral_mm", "caudal_mm", "midpoint_mm", "length_mm",
    "rostral_x", "rostral_y", "rostral_z", "caudal_x", "caudal_y", "caudal_z",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
    unit : str
        Empty where there is none.
    meaning : str
        A sentence without its final stop.
    get : callable
        ``get(row, table)`` gives the value; None where not known.
    values : mapping of str to str
        What the fixed words mean that the column may hold.
    """

    name: str
    unit: str
    meaning: str
    get: Callable[[LevelRow, LevelTable], Value]
    values: Mapping[str, str] = field(default_factory=dict)


def describe_columns() -> dict[str, dict[str, Any]]:
    """Return what the columns mean, as BIDS has it in JSON files beside tables.

    Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html
    """
    described: dict[str, dict[str, Any]] = {}
    for column in TABLE:
        entry: dict[str, Any] = {"Description": column.meaning}
        if column.unit:
            entry["Units"] = column.unit
        if column.values:
            entry["Levels"] = dict(column.values)
        described[column.name] = entry
    return described


def _of_row(name: str) -> Callable[[LevelRow, LevelTable], Value]:
    """Return what gets the attribute `name` of the row."""

    def get(row: LevelRow, table: LevelTable) -> Value:
        value: Value = getattr(row, name)
        return value

    return get


def _coordinate(place: str, axis: int) -> Callable[[LevelRow, LevelTable], Value]:
    def get(row: LevelRow, table: LevelTable) -> Value:
        point = getattr(row, f"{place}_world")
        return None if point is None else float(point[axis])

    return get


def _vertebra(place: str) -> Callable[[LevelRow, LevelTable], Value]:
    def get(row: LevelRow, table: LevelTable) -> Value:
        found = None if row.vertebral is None else getattr(row.vertebral, place)
        return None if found is None else str(found.vertebra)

    return get


def _fraction(place: str) -> Callable[[LevelRow, LevelTable], Value]:
    def get(row: LevelRow, table: LevelTable) -> Value:
        found = None if row.vertebral is None else getattr(row.vertebral, place)
        return None if found is None else float(found.fraction)

    return get


def _nearest_disc(row: LevelRow) -> int | None:
    away = {} if row.vertebral is None else row.vertebral.from_disc_mm
    return min(away, key=lambda label: abs(away[label])) if away else None


def _disc(row: LevelRow, table: LevelTable) -> Value:
    label = _nearest_disc(row)
    return None if label is None else disc_name(label)


def _from_disc(row: LevelRow, table: LevelTable) -> Value:
    label = _nearest_disc(row)
    return None if label is None or row.vertebral is None else row.vertebral.from_disc_mm[label]


def _from_pmj(place: str) -> Callable[[LevelRow, LevelTable], Value]:
    def get(row: LevelRow, table: LevelTable) -> Value:
        s_mm = getattr(row, f"{place}_mm")
        return None if s_mm is None or table.pmj_mm is None else s_mm - table.pmj_mm

    return get


def _relative_length(row: LevelRow, table: LevelTable) -> Value:
    if row.length_mm is None or not table.c3_c7_height_mm:
        return None
    return row.length_mm / table.c3_c7_height_mm


def _of_slices(name: str) -> Callable[[LevelRow, LevelTable], Value]:
    def get(row: LevelRow, table: LevelTable) -> Value:
        value: Value = None if row.slices is None else getattr(row.slices, name)
        return value

    return get


_PLACES = {"rostral": "rostral border", "midpoint": "midpoint", "caudal": "caudal border"}

#: The columns, in the order of the file.
TABLE: tuple[Column, ...] = (
    Column("level", "", "Spinal level", lambda row, table: str(row.level)),
    Column(
        "spinal_level",
        "",
        "Value of the spinal level in label images: C1-C8 are 1-8, T1 is 9, S5 is 30",
        lambda row, table: row.level.value,
        MappingProxyType({str(level.value): str(level) for level in SpinalLevel}),
    ),
    Column("status", "", "How the borders of the level are known", _of_row("status"), STATUSES),
    Column(
        "rostral_mm",
        "mm",
        "Rostral border: position along the centerline from the origin that the JSON names, "
        "growing caudally",
        _of_row("rostral_mm"),
    ),
    Column("caudal_mm", "mm", "Caudal border, likewise", _of_row("caudal_mm")),
    Column("midpoint_mm", "mm", "Middle between the borders, likewise", _of_row("midpoint_mm")),
    Column(
        "length_mm",
        "mm",
        "Length along the centerline: caudal_mm less rostral_mm",
        _of_row("length_mm"),
    ),
    *(
        Column(
            f"{place}_sd_mm", "mm", f"Standard deviation of {place}_mm", _of_row(f"{place}_sd_mm")
        )
        for place in ("rostral", "caudal", "midpoint", "length")
    ),
    *(
        Column(
            f"{place}_{axis}",
            "mm",
            f"{_PLACES[place].capitalize()} on the centerline in the world, RAS+: {direction}",
            _coordinate(place, number),
        )
        for place in ("rostral", "caudal", "midpoint")
        for number, (axis, direction) in enumerate(
            {"x": "to the right", "y": "anterior", "z": "superior"}.items()
        )
    ),
    Column(
        "flags",
        "",
        "What is particular about the row; several are separated by commas",
        lambda row, table: ",".join(row.flags) or None,
        FLAGS,
    ),
    *(
        column
        for place, words in _PLACES.items()
        for column in (
            Column(
                f"{place}_vertebra",
                "",
                f"Vertebral level in which the {words} lies",
                _vertebra(place),
            ),
            Column(
                f"{place}_fraction",
                "",
                f"How far down that vertebral level the {words} lies: 0 at the disc above it, 1 at "
                "the disc below it",
                _fraction(place),
            ),
        )
    ),
    Column("nearest_disc", "", "Disc nearest to the midpoint", _disc),
    Column(
        "midpoint_from_disc_mm",
        "mm",
        "Midpoint less that disc along the centerline; positive caudal of the disc",
        _from_disc,
    ),
    *(
        Column(
            f"{place}_from_pmj_mm",
            "mm",
            f"{words.capitalize()}: distance from the pontomedullary junction along the centerline",
            _from_pmj(place),
        )
        for place, words in _PLACES.items()
    ),
    Column(
        "length_per_c3_c7",
        "",
        "length_mm over the height of the vertebrae C3 to C7, from disc C2/C3 to disc C7/T1 along "
        "the centerline",
        _relative_length,
    ),
    Column("fname", "", "File name of the rootlets", lambda row, table: table.fname),
    Column(
        "slice_start",
        "",
        "Most caudal axial slice of the level; slices count from 0 at the inferior end (SCT's "
        "orientation RPI)",
        _of_slices("start"),
    ),
    Column("slice_end", "", "Most rostral axial slice of the level", _of_slices("end")),
    Column(
        "distance_from_pmj_start",
        "mm",
        "Distance from the pontomedullary junction to the middle of slice_start",
        _of_slices("start_from_pmj_mm"),
    ),
    Column(
        "distance_from_pmj_end",
        "mm",
        "Distance from the pontomedullary junction to the middle of slice_end",
        _of_slices("end_from_pmj_mm"),
    ),
    Column(
        "height",
        "mm",
        "Distance between the middles of slice_start and slice_end; 0 for a single slice",
        _of_slices("height_mm"),
    ),
)
COLUMNS = tuple(column.name for column in TABLE)
#: Columns of the published script's CSV, in its order.
PUBLISHED_COLUMNS = (
    "spinal_level", "fname", "slice_start", "slice_end", "distance_from_pmj_start",
    "distance_from_pmj_end", "height",
)  # fmt: skip
