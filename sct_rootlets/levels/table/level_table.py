"""The table of spinal levels: one row a level, its borders in mm and in the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel

__all__ = [
    "AxialSlices",
    "LevelRow",
    "LevelTable",
    "VertebralPlace",
    "VertebralRelation",
]

Point = tuple[float, float, float]


@dataclass(frozen=True)
class VertebralPlace:
    """A position along the cord as a vertebra and how far down it lies.

    Attributes
    ----------
    vertebra : VertebralLevel
    fraction : float
        0 at the disc above the vertebra, 1 at the disc below it.
    """

    vertebra: VertebralLevel
    fraction: float


@dataclass(frozen=True)
class VertebralRelation:
    """Where a spinal level lies against the vertebrae; None beyond the discs known.

    Attributes
    ----------
    rostral, midpoint, caudal : VertebralPlace or None
        Of the borders and the midpoint of the level.
    from_disc_mm : dict of int to float
        Midpoint minus disc along the centerline, by disc label, caudal-positive.
    """

    rostral: VertebralPlace | None = None
    midpoint: VertebralPlace | None = None
    caudal: VertebralPlace | None = None
    from_disc_mm: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AxialSlices:
    """The axial slices of a level, as the published script counts them.

    Attributes
    ----------
    start, end : int
        Most caudal and most rostral slice, counted from 0 at the inferior end (SCT's RPI).
    start_from_pmj_mm, end_from_pmj_mm : float or None
        Distance of their middles from the pontomedullary junction along the cord.
    height_mm : float or None
        Distance between their middles.
    """

    start: int
    end: int
    start_from_pmj_mm: float | None = None
    end_from_pmj_mm: float | None = None
    height_mm: float | None = None


@dataclass(frozen=True)
class LevelRow:
    """One spinal level.

    Attributes
    ----------
    level : SpinalLevel
    status : str
        One of :data:`sct_rootlets.levels.table.columns.STATUSES`.
    rostral_mm, caudal_mm : float or None
        Borders along the centerline, caudal-positive; None where not known.
    rostral_world, caudal_world : (3,) tuple or None
        The same borders on the centerline in world mm (RAS+).
    n_voxels : dict of str to int
        Rootlet voxels per side and sector: ``LD``, ``LV``, ``RD``, ``RV``.
    notes : tuple of str
        What is particular about this row.
    rostral_sd_mm, caudal_sd_mm, midpoint_sd_mm, length_sd_mm : float or None
        Standard deviations of the borders, the midpoint and the length.
    midpoint_world : (3,) tuple or None
        The midpoint on the centerline in world mm (RAS+).
    flags : tuple of str
        What is particular about this row, in the fixed words of
        :data:`sct_rootlets.levels.table.columns.FLAGS`.
    vertebral : VertebralRelation or None
        None without vertebrae.
    slices : AxialSlices or None
        None where no slice has its middle in the level.
    """

    level: SpinalLevel
    status: str
    rostral_mm: float | None = None
    caudal_mm: float | None = None
    rostral_world: Point | None = None
    caudal_world: Point | None = None
    n_voxels: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rostral_sd_mm: float | None = None
    caudal_sd_mm: float | None = None
    midpoint_sd_mm: float | None = None
    length_sd_mm: float | None = None
    midpoint_world: Point | None = None
    flags: tuple[str, ...] = ()
    vertebral: VertebralRelation | None = None
    slices: AxialSlices | None = None

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

    @property
    def lacking(self) -> str:
        """Which border a level lacks that has a status of one that is known; empty for none."""
        if self.status == "unseen":
            return ""
        ends = {"rostral": self.rostral_mm, "caudal": self.caudal_mm}
        missing = [name for name, mm in ends.items() if mm is None]
        return f"{' and '.join(missing)} border" if missing else ""


@dataclass(frozen=True)
class LevelTable:
    """Spinal levels of one cord.

    Attributes
    ----------
    rows : tuple of LevelRow
        Rostral to caudal.
    definition : str
        Name of what is called a level, such as ``"caudal"``.
    reach_mm : float or None
        Distance from the cord surface within which a rootlet counts; None where the
        definition has none.
    origin : str
        Where s = 0 lies, in words.
    pmj_mm : float or None
        Position of the pontomedullary junction on the same axis.
    c3_c7_height_mm : float or None
        From the C2/C3 to the C7/T1 disc along the centerline.
    warnings : tuple of str
    details : dict
        What else is worth keeping (numbering, PMJ); goes to the JSON.
    fname : str or None
        Name of the file of the rootlets.
    """

    rows: tuple[LevelRow, ...]
    definition: str
    reach_mm: float | None
    origin: str = "rostral end of the cord mask"
    pmj_mm: float | None = None
    c3_c7_height_mm: float | None = None
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    fname: str | None = None

    @property
    def disc_s_mm(self) -> dict[int, float]:
        """Position of every disc that the rows know, by label, mm along the centerline."""
        found: dict[int, float] = {}
        for row in self.rows:
            if row.vertebral is not None and row.midpoint_mm is not None:
                for label, away in row.vertebral.from_disc_mm.items():
                    found.setdefault(label, row.midpoint_mm - away)
        return found

    def row(self, level: SpinalLevel) -> LevelRow | None:
        """Return the row of `level`, None if the table has none."""
        return next((row for row in self.rows if row.level is level), None)
