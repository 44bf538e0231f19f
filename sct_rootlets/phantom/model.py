"""The anatomy of a procedural neck, as a plain data class.

Frames
------
Everything is given in the cord's own frame: ``s_mm`` along the cord from the
pontomedullary junction (PMJ, s = 0; caudal-positive), ``u_mm`` to the subject's left and
``v_mm`` dorsally, both perpendicular to the cord. The centerline carries that frame into
the world (RAS+ mm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side, SpinalLevel

__all__ = ["STEP_MM", "Anatomy", "Filament"]

#: Distance between the samples of the centerline and of everything given along it.
STEP_MM = 0.25


@dataclass(frozen=True, eq=False)
class Filament:
    """One thread between the cord and the dura.

    Attributes
    ----------
    level : SpinalLevel or None
        None for what is not a rootlet: vessels and septa, the distractors.
    side, sector : Side, Sector
    radius_mm : float
    points_suv : (K, 3) array
        ``s_mm, u_mm, v_mm`` of its axis, from the cord outwards, at most 0.2 mm apart.
    depth_mm : (K,) array
        Distance of each point from the surface of the cord.
    """

    level: SpinalLevel | None
    side: Side
    sector: Sector
    radius_mm: float
    points_suv: NDArray[np.float64]
    depth_mm: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A neck: the axis of its cord, and what lies around it.

    Attributes
    ----------
    seed : int
    s_mm : (M,) array
        Positions along the cord, `STEP_MM` apart; PMJ at 0.
    xyz_world : (M, 3) array
        Centerline in world RAS+ mm.
    cord_lr_mm, cord_ap_mm, sac_lr_mm, sac_ap_mm, sac_offset_mm : (M,) arrays
        Half widths of the cord and the dural sac, and how far the middle of the sac lies
        dorsal of the cord's.
    cord_flatness : float
        How much flatter the ventral face of the cord is than the dorsal one.
    sac_power : float
        Exponent of the superellipse that the sac is across: 2 is round, 3 has corners.
    discs_mm : dict of int to float
        Position of every disc's posterior tip, by disc label.
    filaments : tuple of Filament
        Rootlets and distractors.
    sleeves : tuple of Filament
        Root sleeves: where the sac follows the roots outwards.
    neck_lr_mm, neck_ap_mm, skin_fat_mm : float
        Half widths of the neck and thickness of its subcutaneous fat.
    vertebra_mm : dict of str to float
        Sizes of the vertebrae.
    """

    seed: int
    s_mm: NDArray[np.float64]
    xyz_world: NDArray[np.float64]
    cord_lr_mm: NDArray[np.float64]
    cord_ap_mm: NDArray[np.float64]
    sac_lr_mm: NDArray[np.float64]
    sac_ap_mm: NDArray[np.float64]
    sac_offset_mm: NDArray[np.float64]
    cord_flatness: float
    sac_power: float
    discs_mm: dict[int, float]
    filaments: tuple[Filament, ...]
    sleeves: tuple[Filament, ...]
    neck_lr_mm: float
    neck_ap_mm: float
    skin_fat_mm: float
    vertebra_mm: dict[str, float]

    def in_sac(
        self, s_mm: NDArray[Any], u_mm: NDArray[Any], v_mm: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Say which points (N,) lie within the dural sac, its sleeves left aside."""
        row = self.nearest(s_mm)
        across = np.abs(u_mm / self.sac_lr_mm.take(row)) ** self.sac_power
        offset, half = self.sac_offset_mm.take(row), self.sac_ap_mm.take(row)
        return across + np.abs((v_mm - offset) / half) ** self.sac_power < 1

    def nearest(self, s_mm: NDArray[Any]) -> NDArray[np.intp]:
        """Return which sample of ``self.s_mm`` lies nearest to each of `s_mm` (N,)."""
        index = np.rint((s_mm - self.s_mm[0]) / STEP_MM).astype(np.intp)
        return np.clip(index, 0, len(self.s_mm) - 1, out=index)

    def at(self, values: NDArray[Any], s_mm: NDArray[Any]) -> NDArray[Any]:
        """Return `values` (M,) or (M, C), sampled on ``self.s_mm``, nearest to `s_mm` (N,)."""
        return values.take(self.nearest(s_mm), axis=0)

    def frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return tangent (caudal), left and dorsal unit vectors, each (M, 3), in the world."""
        tangent = np.gradient(self.xyz_world, self.s_mm, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        left = np.array([-1.0, 0.0, 0.0]) + tangent[:, :1] * tangent
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        return tangent, left, np.cross(left, tangent)

    def world_from_suv(self, points_suv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cord coordinates (N, 3) to world mm (N, 3)."""
        _, left, dorsal = self.frame()
        s, u, v = points_suv.T
        columns = np.concatenate([self.xyz_world, left, dorsal], axis=1)
        c = np.stack([np.interp(s, self.s_mm, column) for column in columns.T], axis=1)
        return c[:, :3] + u[:, None] * c[:, 3:6] + v[:, None] * c[:, 6:9]
