"""The centerline on tubes whose course and length are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.report import markdown
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, LabelImage

__all__ = ["CURVES", "Curve", "Error", "fit_error", "measure", "tube"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

RADIUS_MM = 5.0
#: Distance of the samples of a curve, and which of them are looked up first.
STEP_MM, EVERY = 0.05, 10


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in world mm, rostral to caudal, sampled about `STEP_MM` apart.

    Attributes
    ----------
    s_mm : (M,) array
    xyz : (M, 3) array
    tangent : (M, 3) array
    """

    s_mm: Floats
    xyz: Floats
    tangent: Floats

    @classmethod
    def of(cls, path: Callable[[Floats], Floats], last: float) -> Curve:
        """Sample ``path(t)``, t from 0 to `last`, evenly in arc length."""
        t = np.linspace(0, last, 200_001)
        xyz = path(t)
        s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xyz, axis=0), axis=1))])
        at = np.linspace(0, s[-1], EVERY * int(s[-1] / STEP_MM / EVERY) + 1)
        even = np.stack([np.interp(at, s, c) for c in xyz.T], axis=1)
        tangent = np.gradient(even, at, axis=0, edge_order=2)
        return cls(at, even, tangent / np.linalg.norm(tangent, axis=1, keepdims=True))


def _line(t: Floats) -> Floats:
    direction = np.array([0.15, 0.3, -1.0]) / np.linalg.norm([0.15, 0.3, -1.0])
    return t[:, None] * direction


def _arc(t: Floats) -> Floats:
    return np.stack([0 * t, 100 * (1 - np.cos(t / 100 - 0.7)), -100 * np.sin(t / 100 - 0.7)], 1)


def _helix(t: Floats) -> Floats:
    turn = 2 * np.pi * t / 120
    return np.stack([5 * np.cos(turn), 5 * np.sin(turn), -t], 1)


def _s_shape(t: Floats) -> Floats:
    return np.stack([0.05 * t, 6 * np.sin(2 * np.pi * t / 140), -t], 1)


CURVES = {
    "straight": Curve.of(_line, 140.0),
    "arc, radius 100 mm": Curve.of(_arc, 140.0),
    "helix, radius 5 mm, pitch 120 mm": Curve.of(_helix, 140.0),
    "S, 6 mm each way": Curve.of(_s_shape, 140.0),
}


def tube(
    curve: Curve, spacing_mm: tuple[float, float, float], oblique_deg: float = 0.0
) -> LabelImage:
    """Return the mask of a tube about `curve`: voxels of which half lies inside."""
    a, b = np.deg2rad(oblique_deg), np.deg2rad(0.6 * oblique_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_y @ about_x @ np.diag(spacing_mm)
    local = curve.xyz @ np.linalg.inv(affine[:3, :3]).T
    margin = (RADIUS_MM + 4.0) / np.array(spacing_mm)
    low = local.min(axis=0) - margin - 0.37  # off the voxels' centres
    i, j, k = (int(n) for n in np.ceil(local.max(axis=0) + margin - low))
    affine[:3, 3] = affine[:3, :3] @ low
    grid = Grid((i, j, k), affine)

    centres = np.argwhere(np.ones(grid.shape, bool))
    half = 0.5 * float(np.linalg.norm(spacing_mm))
    inside, margin_mm = _inside(curve, grid.world_from_ijk(centres))
    share = inside.astype(float)
    # Only voxels that the surface passes are looked at more finely.
    edge = np.flatnonzero(np.abs(margin_mm) < half)
    parts = np.clip(np.ceil(np.array(spacing_mm) / 0.4), 3, 8).astype(int)
    fine = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in parts]), -1)
    counts = [
        _inside(curve, grid.world_from_ijk(centres[edge] + offset))[0]
        for offset in fine.reshape(-1, 3)
    ]
    share[edge] = np.mean(counts, axis=0)
    data = (share >= 0.5).astype(np.int32).reshape(grid.shape)
    return LabelImage(data, grid, None, "tube")


def _inside(curve: Curve, xyz: Floats) -> tuple[Mask, Floats]:
    """Say which points (N, 3) lie in the tube, and how far they are from its surface, mm."""
    # Every tenth sample will do: along its tangent, half a millimetre is straight to a micrometre.
    at, tangent = curve.xyz[::EVERY], curve.tangent[::EVERY]
    nearest = cKDTree(at).query(xyz)[1]
    offset = xyz - at[nearest]
    along = (offset * tangent[nearest]).sum(axis=1)
    away = np.linalg.norm(offset - along[:, None] * tangent[nearest], axis=1)
    beyond = np.where(nearest == 0, -along, np.where(nearest == len(at) - 1, along, -9.0))
    margin = np.maximum(away - RADIUS_MM, beyond)
    return margin <= 0, margin


def _holes(mask: LabelImage, curve: Curve, rng: np.random.Generator) -> Mask:
    """Take balls of 1 to 3 mm out of the mask."""
    xyz = mask.points_world()
    gone = np.zeros(len(xyz), bool)
    for _ in range(30):
        gone |= np.linalg.norm(xyz - xyz[rng.integers(len(xyz))], axis=1) < rng.uniform(1, 3)
    return _without(mask, gone)


def _gap(mask: LabelImage, curve: Curve, rng: np.random.Generator) -> Mask:
    """Take 10 mm out of the middle."""
    nearest = cKDTree(curve.xyz).query(mask.points_world())[1]
    return _without(mask, np.abs(curve.s_mm[nearest] - curve.s_mm[-1] / 2) < 5)


def _ragged(mask: LabelImage, curve: Curve, rng: np.random.Generator) -> Mask:
    """Fray 8 mm at both ends."""
    nearest = cKDTree(curve.xyz).query(mask.points_world())[1]
    to_end = np.minimum(curve.s_mm[nearest], curve.s_mm[-1] - curve.s_mm[nearest])
    noise = ndimage.gaussian_filter(rng.standard_normal(mask.data.shape), 1.5)
    noise = noise[np.asarray(mask.data) > 0]
    return _without(mask, to_end < 4 + 4 * noise / noise.std())


def _without(mask: LabelImage, gone: Mask) -> Mask:
    kept = np.asarray(mask.data) > 0
    kept[kept] = ~gone
    return kept


@dataclass(frozen=True)
class Error:
    """Errors of a fitted centerline, mm.

    Attributes
    ----------
    position_rms, position_max : float
        Distance from the true curve.
    length_rms, length_max : float
        Of the arc length between points, the origin being free.
    origin : float
        Where the fitted curve begins less where the true one does, along the curve.
    """

    position_rms: float
    position_max: float
    length_rms: float
    length_max: float
    origin: float


def fit_error(mask: LabelImage, curve: Curve) -> Error:
    """Fit a centerline to `mask` and compare it with the truth."""
    fitted = Centerline.fit(mask)
    s = np.arange(fitted.start_mm, fitted.end_mm, 0.5)
    points = fitted.point(s)
    _, nearest = cKDTree(curve.xyz).query(points)
    offset = points - curve.xyz[nearest]
    along = (offset * curve.tangent[nearest]).sum(axis=1)
    true_s = curve.s_mm[nearest] + along
    across = np.linalg.norm(offset - along[:, None] * curve.tangent[nearest], axis=1)
    difference = s - true_s
    length = difference - difference.mean()
    return Error(
        float(np.sqrt((across**2).mean())),
        float(across.max()),
        float(np.sqrt((length**2).mean())),
        float(np.abs(length).max()),
        float(true_s[0]),
    )


Change = Callable[[LabelImage, Curve, np.random.Generator], Mask]
CASES: dict[str, tuple[tuple[float, float, float], float, Change | None]] = {
    "0.5 mm": ((0.5, 0.5, 0.5), 0.0, None),
    "0.8 mm": ((0.8, 0.8, 0.8), 0.0, None),
    "1.2 mm": ((1.2, 1.2, 1.2), 0.0, None),
    "0.8 mm, grid turned by 30 and 18 degrees": ((0.8, 0.8, 0.8), 30.0, None),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), 0.0, None),
    "0.5x0.5x3 mm, turned": ((0.5, 0.5, 3.0), 30.0, None),
    "3x0.7x0.7 mm": ((3.0, 0.7, 0.7), 0.0, None),
    "0.8 mm, 30 holes of 1-3 mm": ((0.8, 0.8, 0.8), 0.0, _holes),
    "0.8 mm, 10 mm missing": ((0.8, 0.8, 0.8), 0.0, _gap),
    "0.8 mm, ragged ends": ((0.8, 0.8, 0.8), 0.0, _ragged),
}


def measure() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the errors of every curve in every case, and tables of them."""
    values: dict[str, Any] = {}
    for case, (spacing, oblique, change) in CASES.items():
        values[case] = {}
        for name, curve in CURVES.items():
            mask = tube(curve, spacing, oblique)
            if change is not None:
                kept = change(mask, curve, np.random.default_rng(5))
                mask = LabelImage(kept.astype(np.int32), mask.grid, None, case)
            values[case][name] = vars(fit_error(mask, curve))
        print(f"  {case}", flush=True)

    def table(first: str, second: str) -> str:
        return markdown(
            ["mask", *CURVES],
            [
                [case] + [f"{e[first]:.2f} / {e[second]:.2f}" for e in found.values()]
                for case, found in values.items()
            ],
        )

    origins = [
        [case] + [f"{e['origin']:+.2f}" for e in found.values()] for case, found in values.items()
    ]
    return values, {
        "centerline-position": table("position_rms", "position_max"),
        "centerline-length": table("length_rms", "length_max"),
        "centerline-origin": markdown(["mask", *CURVES], origins),
    }
