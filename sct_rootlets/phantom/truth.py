"""What is true of a phantom: entry zones and borders of its levels, along its own cord.

The definitions are those of :mod:`sct_rootlets.levels.definitions`, applied to the
geometry itself instead of to voxels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.phantom.compose import PAINTED_RADIUS_MM
from sct_rootlets.phantom.model import Anatomy, Filament
from sct_rootlets.tables import Column, read_sheet, to_text

__all__ = ["BORDERS", "Truth", "TruthRow", "read_truth", "true_levels"]

#: The four borders of a truth row, as its attributes and columns call them.
BORDERS = ("extent_rostral", "extent_caudal", "caudal_rostral", "caudal_caudal")


@dataclass(frozen=True)
class TruthRow:
    """The true borders of one level.

    Attributes
    ----------
    level : SpinalLevel
    extent_rostral_mm, extent_caudal_mm : float
        Ends of the entry zone, mm along the true centerline from the PMJ.
    caudal_rostral_mm, caudal_caudal_mm : float
        From the caudal end of the entry zone above to that of this level. C2, above which
        no rootlets are labelled, starts at the rostral end of its own entry zone.
    xyz_world : dict of str to (3,) tuple of float
        Where each of the four lies on the centerline, world RAS+ mm.
    """

    level: SpinalLevel
    extent_rostral_mm: float
    extent_caudal_mm: float
    caudal_rostral_mm: float
    caudal_caudal_mm: float
    xyz_world: dict[str, tuple[float, float, float]]


def _reaches(filament: Filament, reach_mm: float) -> NDArray[np.float64]:
    """Return where along the cord the filament, as it is painted, lies within reach, (N,)."""
    near = (filament.depth_mm <= reach_mm) & (filament.depth_mm > -0.5)
    s = filament.points_suv[:, 0]
    steps = np.gradient(filament.points_suv, axis=0)
    along = steps[:, 0] / np.linalg.norm(steps, axis=1)
    # A disc across the axis of the tube spans this much along the cord.
    half = max(filament.radius_mm, PAINTED_RADIUS_MM) * np.sqrt(1 - along**2)
    return np.asarray(np.concatenate([(s - half)[near], (s + half)[near]]))


@dataclass(frozen=True)
class Truth:
    """The true borders of C2 to T1, rostral to caudal.

    Attributes
    ----------
    rows : tuple of TruthRow
    """

    rows: tuple[TruthRow, ...]

    def borders_world(
        self, definition: str
    ) -> dict[SpinalLevel, tuple[tuple[float, float, float], tuple[float, float, float]]]:
        """Return rostral and caudal border of every level on the centerline, world mm.

        Parameters
        ----------
        definition : {"caudal", "extent"}
        """
        ends = (f"{definition}_rostral", f"{definition}_caudal")
        return {row.level: (row.xyz_world[ends[0]], row.xyz_world[ends[1]]) for row in self.rows}

    def to_tsv(self) -> str:
        """Return tab-separated text, with the world position of every border."""
        names = [f"{name}_mm" for name in BORDERS]
        names += [f"{name}_{axis}" for name in BORDERS for axis in "xyz"]
        columns = [Column("level"), Column("spinal_level")]
        columns += [Column(name, number="{:.3f}".format) for name in names]
        rows = []
        for row in self.rows:
            numbers = [getattr(row, f"{name}_mm") for name in BORDERS]
            numbers += [value for name in BORDERS for value in row.xyz_world[name]]
            named = dict(zip(names, numbers, strict=True))
            rows.append({"level": row.level, "spinal_level": row.level.value, **named})
        return to_text(columns, rows)


def read_truth(path: str | os.PathLike[str]) -> Truth:
    """Read a truth table that :func:`sct_rootlets.phantom.write` wrote.

    Raises
    ------
    InputError
        If the file is missing or no such table.
    """
    names = [f"{name}_{end}" for name in BORDERS for end in ("mm", *"xyz")]
    try:
        rows = []
        for line in read_sheet(path, ("level", *names)).lines:
            found = {name: line.given(name, line.number(name)) for name in names}
            along = {f"{name}_mm": found[f"{name}_mm"] for name in BORDERS}
            x, y, z = ({name: found[f"{name}_{axis}"] for name in BORDERS} for axis in "xyz")
            points = {name: (x[name], y[name], z[name]) for name in BORDERS}
            level = line.one_of("level", SpinalLevel.__members__, "spinal level")
            rows.append(TruthRow(level=line.given("level", level), xyz_world=points, **along))
    except InputError as error:
        error.problem = f"cannot be read as the truth table of a phantom: {error.problem}"
        raise
    return Truth(tuple(rows))


def true_levels(anatomy: Anatomy, reach_mm: float = 1.5) -> Truth:
    """Return the true borders of C2 to T1.

    Parameters
    ----------
    anatomy : Anatomy
    reach_mm : float
        The entry zone is what lies within this distance of the cord's surface.
    """
    extents = {}
    for level in ROOTLET_LEVELS:
        near = [_reaches(f, reach_mm) for f in anatomy.filaments if f.level is level]
        s = np.concatenate(near)
        extents[level] = (float(s.min()), float(s.max()))
    rows = []
    above = extents[ROOTLET_LEVELS[0]][0]
    for level, (rostral, caudal) in extents.items():
        borders = dict(zip(BORDERS, (rostral, caudal, above, caudal), strict=True))
        where = anatomy.world_from_suv(np.array([(s, 0.0, 0.0) for s in borders.values()]))
        points = {
            name: (float(x), float(y), float(z))
            for name, (x, y, z) in zip(borders, where, strict=True)
        }
        along = {f"{name}_mm": s for name, s in borders.items()}
        rows.append(TruthRow(level=level, xyz_world=points, **along))
        above = caudal
    return Truth(tuple(rows))
