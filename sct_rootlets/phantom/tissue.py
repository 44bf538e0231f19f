"""What a point of the phantom is made of, given where it lies along and around the cord."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.phantom.model import STEP_MM, Anatomy

__all__ = ["Canal", "Tissue", "canal_at", "cord_coordinates", "tissue_at"]

Values = NDArray[np.float32]
#: ``(s, u, v) -> (in_sac, in_cord)``: what may replace the procedural sac and cord.
Canal = Callable[..., tuple[NDArray[np.bool_], NDArray[np.bool_]]]


class Tissue(IntEnum):
    """What a point of the phantom is made of."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    MARROW = 3
    CORTEX = 4
    DISC = 5
    CSF = 6
    WHITE = 7
    GREY = 8
    DURA = 9
    EPIDURAL = 10
    LIGAMENT = 11
    BRAIN = 12
    ARTERY = 13
    THREAD = 14


def cord_coordinates(
    anatomy: Anatomy, xyz_world: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Project world points (N, 3) onto the cord: ``s_mm, u_mm, v_mm``, each (N,).

    Newton steps on the foot of the perpendicular, over a table of the curve.
    """
    curve, tangent, left, dorsal = (
        np.ascontiguousarray(vectors.T.astype(np.float32))
        for vectors in (anatomy.xyz_world, *anatomy.frame())
    )
    xyz = np.ascontiguousarray(xyz_world.T)
    first = np.float32(anatomy.s_mm[0])
    last = len(anatomy.s_mm) - 1
    rostral_to_caudal = anatomy.xyz_world[::-1, 2], anatomy.s_mm[::-1]
    s: Values = np.interp(xyz[2], *rostral_to_caudal).astype(np.float32)
    for _ in range(3):
        index = np.clip(np.rint((s - first) / np.float32(STEP_MM)).astype(np.int32), 0, last)
        away = [xyz[axis] - curve[axis].take(index) for axis in range(3)]
        s = index.astype(np.float32) * np.float32(STEP_MM) + first + _along(away, tangent, index)
    u, v = _along(away, left, index), _along(away, dorsal, index)
    return s, u, v


def _along(away: list[Values], directions: Values, index: NDArray[np.int32]) -> Values:
    """Return how far vectors, a list of x, y and z, go along the directions (3, M) at `index`."""
    x, y, z = (part * axis.take(index) for part, axis in zip(away, directions, strict=True))
    return x + y + z


@dataclass(frozen=True, eq=False)
class _Points:
    """Points in the cord's frame, with what several tissues ask of them; arrays are (N,).

    Attributes
    ----------
    row : index
        Nearest sample of the anatomy.
    s, u, v : mm
        Along the cord, to the left, dorsally.
    sac_lr, sac_ap, offset : mm
        Half widths of the sac there, and how far dorsal of the cord its middle lies.
    front : mm
        ``v`` of the posterior wall of the vertebral bodies.
    vertebra : 1
        Which vertebra: whole numbers are discs, halves the middles of vertebrae.
    height : mm
        Height of that vertebra with its disc.
    """

    anatomy: Anatomy
    row: NDArray[np.intp]
    s: Values
    u: Values
    v: Values
    sac_lr: Values
    sac_ap: Values
    offset: Values
    front: Values
    vertebra: Values
    height: Values

    @classmethod
    def of(cls, anatomy: Anatomy, s: Values, u: Values, v: Values) -> _Points:
        row = anatomy.nearest(s)
        sac_lr, sac_ap, offset = (
            values.astype(np.float32).take(row)
            for values in (anatomy.sac_lr_mm, anatomy.sac_ap_mm, anatomy.sac_offset_mm)
        )
        tips = disc_tips(anatomy)
        # Discs tilt: their front lies a little more caudal than their posterior tip.
        vertebra = vertebra_of(tips, s + 0.06 * (v + 8))
        height = np.interp(s, tips[:-1], np.diff(tips)).astype(np.float32)
        front = -(sac_ap - offset) - 1.6
        return cls(anatomy, row, s, u, v, sac_lr, sac_ap, offset, front, vertebra, height)

    @cached_property
    def phase(self) -> Values:
        """0 at a disc, 0.5 in the middle of a vertebra, towards 1 at the next disc."""
        return self.vertebra % 1.0

    @cached_property
    def from_disc_mm(self) -> Values:
        return np.minimum(self.phase, 1 - self.phase) * self.height

    def ring(self, wider_lr: float, wider_ap: float) -> Values:
        """Distance from the middle of the sac; 1 on the sac widened by so many mm."""
        across = self.u / (self.sac_lr + wider_lr)
        return np.hypot(across, (self.v - self.offset) / (self.sac_ap + wider_ap))


def disc_tips(anatomy: Anatomy) -> NDArray[np.float64]:
    """Return where the discs lie along the cord, rostral to caudal, in mm."""
    return np.array([anatomy.discs_mm[label] for label in sorted(anatomy.discs_mm)])


def vertebra_of(tips: NDArray[np.float64], s: Values) -> Values:
    """Count vertebrae from the first disc: a whole number at every disc."""
    return np.interp(s, tips, np.arange(len(tips), dtype=float)).astype(np.float32)


def tissue_at(
    anatomy: Anatomy, s: Values, u: Values, v: Values, canal: Canal | None = None
) -> NDArray[np.uint8]:
    """Return the tissue (N,) at cord coordinates `s`, `u`, `v`, each (N,).

    One structure is painted over the other, from the outside to the cord.

    Parameters
    ----------
    canal : callable, optional
        ``(s, u, v) -> (in_sac, in_cord)``; replaces the procedural sac and cord.
    """
    at = _Points.of(anatomy, s, u, v)
    out = np.full(s.shape, Tissue.MUSCLE, np.uint8)
    skin = _fat(at, out)
    _arches(at, out)
    _pillars(at, out)
    _bodies(at, out)
    _vessels_and_airway(at, out)
    _head(at, out)
    out[skin > 1] = Tissue.AIR
    _canal(at, out, canal)
    return out


def canal_at(anatomy: Anatomy, s: Values, u: Values, v: Values) -> NDArray[np.uint8]:
    """Return what :func:`tissue_at` does at points (N,) within the canal; elsewhere muscle.

    It is quicker, and the same wherever there are rootlets: only the cisterns of the head,
    rostral of them, are left out.
    """
    out = np.full(s.shape, Tissue.MUSCLE, np.uint8)
    _canal(_Points.of(anatomy, s, u, v), out, None)
    return out


def _fat(at: _Points, out: NDArray[np.uint8]) -> Values:
    """Paint subcutaneous and intermuscular fat; return the distance to the skin (1 on it)."""
    a = at.anatomy
    back = at.v - 8.0  # the neck's middle lies ventral of the canal
    widen = 1 + np.clip(-at.s / 60, 0, 0.6) + np.clip((at.s - 110) / 60, 0, 1.2)
    skin = np.hypot(at.u / (a.neck_lr_mm * widen), (back + 25) / (a.neck_ap_mm * widen))
    inside = 1 - a.skin_fat_mm / a.neck_lr_mm
    out[skin > inside] = Tissue.FAT
    seams = np.abs(np.sin(0.16 * at.u + 0.05 * at.s) * np.cos(0.21 * at.v + 0.4))
    out[(seams < 0.06) & (skin < inside)] = Tissue.FAT
    return skin


def _arches(at: _Points, out: NDArray[np.uint8]) -> None:
    """Paint the epidural space, laminae, yellow ligaments and spinous processes."""
    bones, tips = at.anatomy.vertebra_mm, disc_tips(at.anatomy)
    spine = at.s > tips[0] - 18
    out[(at.ring(3.2, 2.6) < 1) & spine] = Tissue.EPIDURAL
    shell = (at.ring(3.2, 2.6) >= 1) & (at.ring(3.2 + bones["lamina"], 2.6 + bones["lamina"]) < 1)
    behind = shell & (at.v > at.offset - 0.2 * at.sac_ap) & spine
    out[behind] = Tissue.LIGAMENT
    over = np.abs(at.phase - 0.72) * at.height < 4.5
    out[behind & over] = Tissue.CORTEX
    inner = at.ring(3.9 + bones["lamina"] / 2, 3.2 + bones["lamina"] / 2)
    out[behind & over & (np.abs(inner - 1) < 0.09)] = Tissue.MARROW
    # Spinous processes point caudally.
    sunk = vertebra_of(tips, at.s - 0.35 * (at.v - at.sac_ap)) % 1.0
    root = at.sac_ap + at.offset + 4
    process = (np.abs(at.u) < 3.2) & (at.v > root) & (at.s > tips[1])
    process &= (at.v < root + bones["spinous"]) & (np.abs(sunk - 0.75) < 0.25)
    out[process] = Tissue.CORTEX
    out[process & (np.abs(at.u) < 2.0) & (np.abs(sunk - 0.75) < 0.18)] = Tissue.MARROW


def _pillars(at: _Points, out: NDArray[np.uint8]) -> None:
    """Paint the articular pillars and the fat of the foramina between them."""
    tips = disc_tips(at.anatomy)
    spine, lower = at.s > tips[0] - 18, at.s > tips[1]
    beside = np.abs(np.abs(at.u) - at.sac_lr - 7.5)
    pillar = (beside < 5) & (np.abs(at.v - at.offset - 1) < 5.5) & spine
    out[pillar] = Tissue.CORTEX
    out[pillar & (beside < 3.8) & (at.from_disc_mm > 2)] = Tissue.MARROW
    foramen = (np.abs(np.abs(at.u) - at.sac_lr - 4) < 4.5) & lower
    foramen &= np.abs(at.v - at.front - 3.0) < 3.0
    out[foramen & (at.from_disc_mm < 3.5)] = Tissue.FAT


def _bodies(at: _Points, out: NDArray[np.uint8]) -> None:
    """Paint vertebral bodies and discs, the dens and the clivus."""
    bones, tips = at.anatomy.vertebra_mm, disc_tips(at.anatomy)
    wave = np.cos(6.28 * at.phase)
    body = (np.abs(at.u) < bones["body_lr"] * (0.94 + 0.08 * wave)) & (at.s > tips[1])
    body &= (at.v < at.front + 0.4 * wave) & (at.v > at.front - bones["body_ap"])
    out[body] = Tissue.CORTEX
    edge = np.minimum(at.front - at.v, at.v - at.front + bones["body_ap"])
    soft = body & (edge > 0.9) & (np.abs(at.u) < bones["body_lr"] - 1.2)
    out[soft] = Tissue.MARROW
    out[body & (at.from_disc_mm < bones["disc"] / 2 + 0.7)] = Tissue.CORTEX
    out[soft & (at.from_disc_mm < bones["disc"] / 2)] = Tissue.DISC
    dens = (at.s > tips[0] - 2) & (at.s <= tips[1]) & (np.abs(at.u) < 5.5)
    out[dens & (at.v < at.front) & (at.v > at.front - 11)] = Tissue.MARROW
    clivus = (at.s <= tips[0] - 10) & (np.abs(at.u) < 14)
    out[clivus & (at.v < at.front - 3) & (at.v > at.front - 16)] = Tissue.MARROW


def _vessels_and_airway(at: _Points, out: NDArray[np.uint8]) -> None:
    """Paint the vertebral arteries and the airway."""
    bones, tips = at.anatomy.vertebra_mm, disc_tips(at.anatomy)
    for sign in (-1.0, 1.0):
        near = np.hypot(at.u - sign * (at.sac_lr + 7.0), at.v - at.front + 1.5)
        out[(near < bones["artery"]) & (at.s > tips[0] - 18)] = Tissue.ARTERY
    airway = np.hypot(at.u / 9, (at.v - at.front + bones["body_ap"] + 17) / 8)
    out[(airway < 1) & (at.s > 20)] = Tissue.AIR


def _head(at: _Points, out: NDArray[np.uint8]) -> None:
    """Paint cerebellum and cisterns above the foramen magnum."""
    s, u, v = at.s, at.u, at.v
    head = (s < 12) & (np.hypot(u / 52, (v - 22) / 48) < 1) & (v > 5 - 0.2 * np.minimum(s, 0))
    folds = np.sin(0.9 * (v + s)) * np.sin(0.5 * s + 0.3 * v)
    out[head] = Tissue.CSF
    out[head & (s < 8 - 0.08 * (v - 20)) & (v > 14) & (folds > -0.75)] = Tissue.BRAIN
    out[(s < 2) & (np.hypot(u / 20, (v + 5) / 17) < 1)] = Tissue.CSF


def _canal(at: _Points, out: NDArray[np.uint8], canal: Canal | None) -> None:
    """Paint dura, CSF, pons and cord with its grey matter."""
    a, s, u, v = at.anatomy, at.s, at.u, at.v
    lr, ap = (x.astype(np.float32).take(at.row) for x in (a.cord_lr_mm, a.cord_ap_mm))
    if canal is None:
        in_sac = a.in_sac(s, u, v)
        flat = np.where(v < 0, 1 + a.cord_flatness * (u / lr) ** 2, 1)
        in_cord = (u / lr) ** 2 + (v * flat / ap) ** 2 < 1
    else:
        in_sac, in_cord = canal(s, u, v)
    across = (np.abs(u) / (at.sac_lr + 0.6)) ** a.sac_power
    along = np.abs((v - at.offset) / (at.sac_ap + 0.6)) ** a.sac_power
    out[across + along < 1] = Tissue.DURA
    out[in_sac] = Tissue.CSF
    out[(s < 0) & (np.hypot(u / 16, (v + 6) / 11) < 1)] = Tissue.BRAIN
    out[in_cord] = Tissue.WHITE
    # Grey matter: an H of two horns a side and a commissure.
    x, y = np.abs(u) / lr, v / ap
    width = 0.11 + 0.10 * np.clip(-y, 0, 1)
    horn = (np.abs(x - 0.30 - 0.10 * y) < width) & (y > -0.55) & (y < 0.62)
    grey = horn | ((x < 0.3) & (np.abs(y) < 0.12))
    out[in_cord & grey & (s > 0)] = Tissue.GREY
    out[in_cord & (s <= 0)] = Tissue.BRAIN
