"""The columns of the table of levels: name, unit, meaning.

From this one list come the TSV, the ``Columns`` of the JSON beside it and the data
dictionary in docs/table.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.tables import Column, decimals

__all__ = [
    "COLUMNS",
    "DECIMALS",
    "FLAGS",
    "FORMER_COLUMNS",
    "PUBLISHED",
    "PUBLISHED_COLUMNS",
    "STATUSES",
    "TABLE",
]

#: Decimals of the numbers in files.
DECIMALS = 4

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
        "rostral_from_image": "the image of levels has another rostral border, which counts",
        "caudal_from_image": "the image of levels has another caudal border, which counts",
    }
)
#: Columns that every table of levels has had.
FORMER_COLUMNS = (
    "level", "spinal_level", "status", "rostral_mm", "caudal_mm", "midpoint_mm", "length_mm",
    "rostral_x", "rostral_y", "rostral_z", "caudal_x", "caudal_y", "caudal_z",
)  # fmt: skip


_NUMBER = decimals(DECIMALS)
_PLACES = {"rostral": "rostral border", "midpoint": "midpoint", "caudal": "caudal border"}


def _mm(name: str, text: str) -> Column:
    return Column(name, text, "mm", number=_NUMBER)


#: The columns, in the order of the file.
TABLE: tuple[Column, ...] = (
    Column("level", "Spinal level"),
    Column(
        "spinal_level",
        "Value of the spinal level in label images: C1-C8 are 1-8, T1 is 9, S5 is 30",
        values=MappingProxyType({str(level.value): str(level) for level in SpinalLevel}),
    ),
    Column("status", "How the borders of the level are known", values=STATUSES),
    _mm(
        "rostral_mm",
        "Rostral border: position along the centerline from the origin that the JSON names, "
        "growing caudally",
    ),
    _mm("caudal_mm", "Caudal border, likewise"),
    _mm("midpoint_mm", "Middle between the borders, likewise"),
    _mm("length_mm", "Length along the centerline: caudal_mm less rostral_mm"),
    *(
        _mm(f"{place}_sd_mm", f"Standard deviation of {place}_mm")
        for place in ("rostral", "caudal", "midpoint", "length")
    ),
    *(
        _mm(
            f"{place}_{axis}",
            f"{_PLACES[place].capitalize()} on the centerline in the world, RAS+: {direction}",
        )
        for place in ("rostral", "caudal", "midpoint")
        for axis, direction in {"x": "to the right", "y": "anterior", "z": "superior"}.items()
    ),
    Column(
        "flags",
        "What is particular about the row; several are separated by commas",
        values=FLAGS,
    ),
    *(
        column
        for place, words in _PLACES.items()
        for column in (
            Column(f"{place}_vertebra", f"Vertebral level in which the {words} lies"),
            Column(
                f"{place}_fraction",
                f"How far down that vertebral level the {words} lies: 0 at the disc above it, 1 at "
                "the disc below it",
                number=_NUMBER,
            ),
        )
    ),
    Column("nearest_disc", "Disc nearest to the midpoint"),
    _mm(
        "midpoint_from_disc_mm",
        "Midpoint less that disc along the centerline; positive caudal of the disc",
    ),
    *(
        _mm(
            f"{place}_from_pmj_mm",
            f"{words.capitalize()}: distance from the pontomedullary junction along the centerline",
        )
        for place, words in _PLACES.items()
    ),
    Column(
        "length_per_c3_c7",
        "length_mm over the height of the vertebrae C3 to C7, from disc C2/C3 to disc C7/T1 along "
        "the centerline",
        number=_NUMBER,
    ),
    Column("fname", "File name of the rootlets"),
    Column(
        "slice_start",
        "Most caudal axial slice of the level; slices count from 0 at the inferior end (SCT's "
        "orientation RPI)",
    ),
    Column("slice_end", "Most rostral axial slice of the level"),
    _mm(
        "distance_from_pmj_start",
        "Distance from the pontomedullary junction to the middle of slice_start",
    ),
    _mm(
        "distance_from_pmj_end",
        "Distance from the pontomedullary junction to the middle of slice_end",
    ),
    _mm(
        "height",
        "Distance between the middles of slice_start and slice_end; 0 for a single slice",
    ),
)
COLUMNS = tuple(column.name for column in TABLE)
#: Columns of the published script's CSV, in its order.
PUBLISHED_COLUMNS = (
    "spinal_level", "fname", "slice_start", "slice_end", "distance_from_pmj_start",
    "distance_from_pmj_end", "height",
)  # fmt: skip
#: The same; its numbers have all of their digits.
PUBLISHED = tuple(
    replace(TABLE[COLUMNS.index(name)], number="{}".format) for name in PUBLISHED_COLUMNS
)
