"""The table of spinal levels: one row a level, its borders in mm and in the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError

__all__ = ["COLUMNS", "STATUSES", "LevelRow", "LevelTable"]

Point = tuple[float, float, float]

COLUMNS = (
    "level", "spinal_level", "status", "rostral_mm", "caudal_mm", "midpoint_mm", "length_mm",
    "rostral_x", "rostral_y", "rostral_z", "caudal_x", "caudal_y", "caudal_z",
)  # fmt: skip
#: What a row may be: seen in the image, placed between or beyond seen levels, or neither.
STATUSES = ("measured", "interpolated", "extrapolated", "unseen")


@dataclass(frozen=True)
class LevelRow:
    """One spinal level.

    Attributes
    ----------
    level : SpinalLevel
    status : str
        One of `STATUSES`.
    rostral_mm, caudal_mm : float or None
        Borders along the centerline, caudal-positive; None where not known.
    rostral_world, caudal_world : (3,) tuple or None
        The same borders on the centerline in world mm (RAS+).
    n_voxels : dict of str to int
        Rootlet voxels per side and sector: ``LD``, ``LV``, ``RD``, ``RV``.
    notes : tuple of str
        What is particular about this row.
    """

    level: SpinalLevel
    status: str
    rostral_mm: float | None = None
    caudal_mm: float | None = None
    rostral_world: Point | None = None
    caudal_world: Point | None = None
    n_voxels: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def midpoint_mm(self) -> float | None:
        """Middle between the borders, mm."""
        if self.rostral_mm is None or self.caudal_mm is None:
            return None
        return (self.rostral_mm + self.caudal_mm) / 2

    @property
    def length_mm(self) -> float | None:
        """Distance between the borders along the cord, mm."""
        if self.rostral_mm is None or self.caudal_mm is None:
            return None
        return self.caudal_mm - self.rostral_mm


@dataclass(frozen=True)
class LevelTable:
    """Spinal levels of one cord.

    Attributes
    ----------
    rows : tuple of LevelRow
        Rostral to caudal.
    definition : str
        ``"caudal"`` or ``"extent"``.
    reach_mm : float
        Distance from the cord surface within which a rootlet counts.
    origin : str
        Where s = 0 lies, in words.
    warnings : tuple of str
    details : dict
        What else is worth keeping (numbering, PMJ); goes to the JSON.
    """

    rows: tuple[LevelRow, ...]
    definition: str
    reach_mm: float
    origin: str = "rostral end of the cord mask"
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def row(self, level: SpinalLevel) -> LevelRow | None:
        """Return the row of `level`, None if the table has none."""
        return next((row for row in self.rows if row.level is level), None)

    def to_tsv(self) -> str:
        """Return the table as tab-separated text; ``n/a`` for what is not known."""
        lines = ["\t".join(COLUMNS)]
        for row in self.rows:
            numbers = (
                row.rostral_mm, row.caudal_mm, row.midpoint_mm, row.length_mm,
                *(row.rostral_world or (None,) * 3), *(row.caudal_world or (None,) * 3),
            )  # fmt: skip
            cells = [str(row.level), str(row.level.value), row.status]
            lines.append("\t".join(cells + [_cell(n) for n in numbers]))
        return "\n".join(lines) + "\n"

    @classmethod
    def from_tsv(
        cls, text: str, *, definition: str = "unknown", reach_mm: float = float("nan")
    ) -> LevelTable:
        """Read a table that `to_tsv` wrote; further columns are ignored.

        A TSV does not say its definition; give it, or read the JSON beside it.

        Raises
        ------
        InputError
            If a column is missing or a cell cannot be read.
        """
        lines = [line.split("\t") for line in text.splitlines() if line.strip()]
        missing = [c for c in COLUMNS if not lines or c not in lines[0]]
        if missing:
            raise InputError(f"a table of levels without the columns {', '.join(missing)}")
        rows = []
        for number, cells in enumerate(lines[1:], 2):
            try:
                cell = dict(zip(lines[0], cells, strict=True))
                level = SpinalLevel[cell["level"]]
                if int(cell["spinal_level"]) != level.value or cell["status"] not in STATUSES:
                    raise ValueError(cell["spinal_level"])
                known = {c: None if cell[c] == "n/a" else float(cell[c]) for c in COLUMNS[3:]}
            except (KeyError, ValueError) as error:
                raise InputError(f"a table of levels whose line {number} is no row") from error
            rows.append(
                LevelRow(
                    level,
                    cell["status"],
                    known["rostral_mm"],
                    known["caudal_mm"],
                    _point(known, "rostral"),
                    _point(known, "caudal"),
                )
            )
        return cls(tuple(rows), definition, reach_mm)

    def to_json(self) -> dict[str, Any]:
        """Return everything known about the levels, as plain values for a JSON file."""
        return {
            "definition": self.definition,
            "reach_mm": self.reach_mm,
            "origin": f"s = 0 mm is the {self.origin}; s grows caudally along the centerline",
            "frame": "world coordinates are RAS+ mm (NIfTI), on the centerline",
            "levels": [
                {
                    "level": str(row.level),
                    "spinal_level": row.level.value,
                    "status": row.status,
                    "rostral_mm": _rounded(row.rostral_mm),
                    "caudal_mm": _rounded(row.caudal_mm),
                    "midpoint_mm": _rounded(row.midpoint_mm),
                    "length_mm": _rounded(row.length_mm),
                    "rostral_world": row.rostral_world and [round(v, 4) for v in row.rostral_world],
                    "caudal_world": row.caudal_world and [round(v, 4) for v in row.caudal_world],
                    "n_voxels": dict(row.n_voxels),
                    "notes": list(row.notes),
                }
                for row in self.rows
            ],
            "warnings": list(self.warnings),
            **self.details,
        }

    def format_table(self) -> str:
        """Return the table as aligned plain text for the terminal."""
        head = ("level", "status", "rostral mm", "caudal mm", "middle mm", "length mm")
        cells = [head] + [
            (
                str(row.level),
                row.status,
                *(
                    "n/a" if v is None else f"{v:.1f}"
                    for v in (row.rostral_mm, row.caudal_mm, row.midpoint_mm, row.length_mm)
                ),
            )
            for row in self.rows
        ]
        widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
        return "\n".join(
            "  ".join(
                text.ljust(width) if k < 2 else text.rjust(width)
                for k, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        )


def _cell(number: float | None) -> str:
    return "n/a" if number is None else f"{number + 0.0:.4f}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def _point(known: Mapping[str, float | None], border: str) -> Point | None:
    x, y, z = (known[f"{border}_{axis}"] for axis in "xyz")
    return None if x is None or y is None or z is None else (x, y, z)
