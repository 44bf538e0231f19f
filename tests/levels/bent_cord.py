"""An analytic cord, bent to an arc, with sheets of rootlets: everything known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM, PAM50_ZONES_MM

Floats = NDArray[np.float64]
Pair = tuple[LabelImage, LabelImage]
Volume = TypeVar("Volume", Image, LabelImage)

#: Half widths of the cord, and where the dorsal and the ventral rootlets leave it.
LR_MM, AP_MM = 6.0, 4.0
SHEETS_MM = {"D": 1.5, "V": -2.6}
NEAR_MM, FAR_MM, THICK_MM = 0.2, 5.0, 1.2


@dataclass(frozen=True)
class BentCord:
    """A cord of elliptic section along an arc in the sagittal plane.

    `zones` gives each label the range of s in which its rootlets leave the cord; farther
    out they descend by `slope` mm per mm. s is 0 at the rostral end.
    """

    length_mm: float = 60.0
    radius_mm: float = 90.0
    slope: float = 0.8
    zones: dict[int, tuple[float, float]] = field(default_factory=dict)

    def world(self, s: Floats, left: Floats, dorsal: Floats) -> Floats:
        """Map cord coordinates (N,) to world mm (N, 3)."""
        angle = (np.asarray(s, float) - self.length_mm / 2) / self.radius_mm
        rho = self.radius_mm + dorsal
        x = -np.asarray(left) + 0 * angle
        y = self.radius_mm - rho * np.cos(angle)
        return np.stack([x, y, -rho * np.sin(angle)], axis=-1)

    def cord_coordinates(self, xyz: Floats) -> tuple[Floats, Floats, Floats]:
        """Map world mm (N, 3) to s, left, dorsal (N,)."""
        y, z = xyz[..., 1] - self.radius_mm, xyz[..., 2]
        angle = np.arctan2(-z, -y)
        s = angle * self.radius_mm + self.length_mm / 2
        return s, -xyz[..., 0], np.hypot(y, z) - self.radius_mm

    def entry(self, label: int) -> tuple[float, float]:
        """Return the range of s of the label's tissue within 1.5 mm of the cord."""
        depths = []
        t = np.linspace(0, 2 * np.pi, 40001)
        outline = cKDTree(np.stack([LR_MM * np.cos(t), AP_MM * np.sin(t)], axis=1))
        for v in SHEETS_MM.values():
            out = np.linspace(NEAR_MM, FAR_MM, 400)
            edge = LR_MM * np.sqrt(1 - (v / AP_MM) ** 2)
            for shift in np.linspace(-THICK_MM / 2, THICK_MM / 2, 9):
                points = np.stack([edge + out, np.full(400, v + shift)], axis=1)
                outside = (points[:, 0] / LR_MM) ** 2 + (points[:, 1] / AP_MM) ** 2 > 1
                near = outside & (outline.query(points)[0] <= 1.5)
                depths += [out[near].min(), out[near].max()]
        low, high = self.zones[label]
        return low + self.slope * min(depths), high + self.slope * max(depths)

    def grid(self, spacing: tuple[float, float, float], rotation: Floats | None = None) -> Grid:
        """Return a grid around the cord, off its centre by odd fractions of a voxel."""
        affine = np.eye(4)
        affine[:3, :3] = (np.eye(3) if rotation is None else rotation) @ np.diag(spacing)
        s, left, dorsal = np.meshgrid([-6.0, self.length_mm / 2, self.length_mm + 6.0],
                                      [-13.0, 13.0], [-9.0, 9.0])  # fmt: skip
        box = self.world(s.ravel(), left.ravel(), dorsal.ravel())
        local = box @ np.linalg.inv(affine[:3, :3]).T
        low = local.min(axis=0) - 0.37
        shape = np.ceil(local.max(axis=0) - low).astype(int) + 1
        affine[:3, 3] = affine[:3, :3] @ low
        return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    def render(self, grid: Grid) -> tuple[LabelImage, LabelImage]:
        """Return cord mask and rootlets; a voxel carries what fills enough of it."""
        parts = np.clip(np.round(grid.spacing_mm / 0.4).astype(int), 2, 6)
        inner = [(np.arange(n) + 0.5) / n - 0.5 for n in parts]
        centres = np.indices(grid.shape).reshape(3, -1).T
        cord = np.zeros(len(centres))
        roots = {label: np.zeros(len(centres)) for label in self.zones}
        edge = {v: LR_MM * np.sqrt(1 - (v / AP_MM) ** 2) for v in SHEETS_MM.values()}
        for offset in product(*inner):
            s, left, dorsal = self.cord_coordinates(grid.world_from_ijk(centres + offset))
            inside = (s >= 0) & (s <= self.length_mm)
            cord += (np.hypot(left / LR_MM, dorsal / AP_MM) <= 1) & inside
            for v in SHEETS_MM.values():
                out = np.abs(left) - edge[v]
                sheet = (np.abs(dorsal - v) <= THICK_MM / 2) & (out >= NEAR_MM) & (out <= FAR_MM)
                leave = s - self.slope * out
                for label, (low, high) in self.zones.items():
                    roots[label] += sheet & (leave >= low) & (leave <= high)
        count = float(np.prod(parts))
        mask = cord / count >= 0.5
        labels = np.zeros(len(centres), dtype=np.int32)
        for label, share in roots.items():
            labels[(share / count >= 0.45) & ~mask] = label
        return (
            LabelImage(mask.astype(np.int32).reshape(grid.shape), grid, None, "cord.nii.gz"),
            LabelImage(labels.reshape(grid.shape), grid, None, "rootlets.nii.gz"),
        )


def point_labels(grid: Grid, points: dict[int, Floats]) -> LabelImage:
    """Return an image with one voxel of each label, nearest to its world point."""
    data = np.zeros(grid.shape, dtype=np.int32)
    for label, xyz in points.items():
        data[tuple(np.rint(grid.ijk_from_world(xyz)).astype(int))] = label
    return LabelImage(data, grid, None, "discs.nii.gz")


def nameless(rootlets: LabelImage) -> LabelImage:
    """Return rootlets without their levels."""
    return rootlets.with_data((rootlets.data > 0).astype(np.int32))


def accuracy(found: LabelImage, truth: LabelImage) -> float:
    """Return the share of the true rootlets that have their level."""
    mask = truth.data > 0
    return float((found.data[mask] == truth.data[mask]).mean())


def turned(image: Volume, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """Return the same image stored in another orientation: axes permuted, then flipped."""
    data = np.transpose(image.data, axes)
    affine = image.grid.affine[:, [*axes, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
    grid = Grid((data.shape[0], data.shape[1], data.shape[2]), affine)
    return type(image)(np.ascontiguousarray(data), grid, None, image.path)


def rotation(axis: int, degrees: float) -> Floats:
    """Return a rotation (3, 3) about a world axis."""
    a = np.radians(degrees)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(a)
    matrix[i, j], matrix[j, i] = -np.sin(a), np.sin(a)
    return matrix


#: Three levels, and grids: spacing, mm, axes, and how far an end may be off, mm.
CORD = BentCord(zones={4: (6.0, 15.0), 5: (22.3, 30.6), 6: (37.4, 46.0)})
GRIDS = {
    "0.6 mm": ((0.6, 0.6, 0.6), np.eye(3), 0.9),
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3), 1.4),
    "1x1x2 mm": ((1.0, 1.0, 2.0), np.eye(3), 1.8),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3), 1.3),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3), 2.0),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15), 1.7),
}

#: A whole cervical cord in the proportions of the population, where s = 40 is C2/C3.
SIZE = 0.93
WHOLE = BentCord(
    length_mm=150.0,
    radius_mm=200.0,
    zones={
        level.value: (40 + SIZE * low, 40 + SIZE * high)
        for level, (low, high) in PAM50_ZONES_MM.items()
    },
)


def whole_discs(grid: Grid, *labels: int, shift: float = 0.0) -> LabelImage:
    """Return disc labels of the whole cord, `shift` mm caudal of where they belong."""
    at = {k: np.array([40 + SIZE * PAM50_DISCS_MM[k] + shift]) for k in labels}
    side = np.zeros(1), np.array([-8.0])
    return point_labels(grid, {k: WHOLE.world(s, *side)[0] for k, s in at.items()})
