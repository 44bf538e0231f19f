"""Seeded masks of phantoms that vary in everything that changes a level's borders.

One number makes one phantom: :func:`make` draws its anatomy, bends and resizes it, chooses a
grid, crops the view, takes levels away or gives voxels a wrong label, and keeps note of all
of it in a :class:`Recipe`. No image is rendered, only the masks.

Two ranges of seeds never meet: `TUNING` for choosing methods and constants, `PROOF` for
the figures that are reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.deform import bent, resized
from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.phantom import Anatomy, make_grid, random_anatomy, render_labels, true_levels
from sct_rootlets.phantom.model import STEP_MM

__all__ = ["PROOF", "TUNING", "Masks", "Recipe", "make", "rendered"]

Floats = NDArray[np.float64]

#: First seed of each range.
TUNING, PROOF = 0, 50_000
#: What is rendered around the centerline, mm.
MARGIN_MM = 16.0
#: A border counts as within the view when the cord's whole section there is, mm from the axis.
SECTION_MM = 8.0
ISOTROPIC_MM = (0.5, 0.6, 0.7, 1.0, 1.2)
#: Left-right, front-back, along the body: thick axial and thick sagittal slices.
ANISOTROPIC_MM = (
    (0.5, 0.5, 2.0),
    (0.5, 0.5, 3.0),
    (0.8, 0.8, 2.4),
    (1.6, 0.8, 0.8),
    (2.0, 0.8, 0.8),
    (3.0, 0.7, 0.7),
)
ORIENTATIONS = ("RPI", "LPI", "AIL", "PIR", "PSR", "LAS", "RAI", "IPL")
#: Least of the cord that a view shows, mm.
SHORTEST_VIEW_MM = 45.0


@dataclass(frozen=True)
class Recipe:
    """What was varied in one phantom.

    Attributes
    ----------
    seed : int
    spacing_mm : (3,) tuple of float
        Left-right, front-back and along the body.
    orientation_sct : str
    oblique_deg : float
        Of the grid, about the left-right axis.
    bend_deg : float
        By how much each end of the cord is turned besides the anatomy's own curvature;
        positive is lordotic.
    size : float
        Factor on all lengths of the anatomy.
    shown_mm : (2,) tuple of float
        Part of the cord in the view, mm from the PMJ.
    cropped : bool
        Whether the view cuts levels of C2-T1 off.
    missing : tuple of str
        Levels of which every voxel was taken away.
    mislabelled : tuple of str
        What carries a wrong label, such as ``"part of C6 is C5"``.
    """

    seed: int
    spacing_mm: tuple[float, float, float]
    orientation_sct: str
    oblique_deg: float
    bend_deg: float
    size: float
    shown_mm: tuple[float, float]
    cropped: bool
    missing: tuple[str, ...] = ()
    mislabelled: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Recipe:
        """Read plain values, in which tuples have become lists."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()
        }
        return cls(**values)

    @property
    def voxels(self) -> str:
        """Name of the voxel size, mm, such as ``"0.8"`` or ``"0.5x0.5x3"``."""
        if len(set(self.spacing_mm)) == 1:
            return f"{self.spacing_mm[0]:g}"
        return "x".join(f"{mm:g}" for mm in self.spacing_mm)

    @property
    def case(self) -> str:
        """``"whole"``, ``"cropped"``, ``"missing"`` or ``"mislabelled"``, the worst of them."""
        if self.mislabelled:
            return "mislabelled"
        if self.missing:
            return "missing"
        return "cropped" if self.cropped else "whole"


@dataclass(frozen=True, eq=False)
class Masks:
    """Masks of one phantom with its truth.

    Attributes
    ----------
    recipe : Recipe
    rootlets, cord : LabelImage
        On one grid.
    axis_s_mm : (M,) array
        Arc length of the true centerline from the PMJ.
    axis_world : (M, 3) array
        The true centerline, world RAS+ mm.
    extents_mm : dict of SpinalLevel to (rostral, caudal)
        True ends of the entry zones of C2 to T1, mm from the PMJ.
    discs_world : dict of int to (3,) array
        Points of the discs on the centerline, by disc label.
    """

    recipe: Recipe
    rootlets: LabelImage
    cord: LabelImage
    axis_s_mm: Floats
    axis_world: Floats
    extents_mm: dict[SpinalLevel, tuple[float, float]]
    discs_world: dict[int, Floats]

    def along(self, xyz_world: Any) -> Floats:
        """Project world points (N, 3) on the true centerline: mm from the PMJ, (N,)."""
        xyz = np.asarray(xyz_world, dtype=float).reshape(-1, 3)
        near = np.clip(cKDTree(self.axis_world).query(xyz)[1], 1, len(self.axis_s_mm) - 2)
        s, best = np.zeros(len(xyz)), np.full(len(xyz), np.inf)
        for first in (near - 1, near):
            a, b = self.axis_world[first], self.axis_world[first + 1]
            share = ((xyz - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1)
            share = np.clip(share, 0, 1)
            away = np.linalg.norm(xyz - a - share[:, None] * (b - a), axis=1)
            here = self.axis_s_mm[first] + share * STEP_MM
            s, best = np.where(away < best, here, s), np.minimum(away, best)
        return s

    def in_view(self, s_mm: float) -> bool:
        """Say whether the cord's whole section at `s_mm` lies in the field of view."""
        at = np.interp(
            [s_mm - 0.5, s_mm + 0.5], self.axis_s_mm, np.arange(len(self.axis_s_mm))
        ).astype(int)
        tangent = np.diff(self.axis_world[[at[0], at[1] + 1]], axis=0)[0]
        tangent /= np.linalg.norm(tangent)
        left = np.cross(tangent, [0.0, 1.0, 0.0])
        left /= np.linalg.norm(left)
        dorsal = np.cross(left, tangent)
        centre = np.array([np.interp(s_mm, self.axis_s_mm, c) for c in self.axis_world.T])
        rim = [centre + SECTION_MM * sign * d for d in (left, dorsal) for sign in (-1, 1)]
        return bool(self.rootlets.grid.contains(np.array(rim)).all())


def make(seed: int) -> Masks:
    """Draw the phantom of `seed` and render its masks; the same seed gives the same masks."""
    rng = np.random.default_rng([seed, 3])
    # Every third phantom is whole, undisturbed and on voxels of 0.8 mm.
    standard = rng.random() < 0.35
    bend = float(rng.uniform(-15, 15)) if rng.random() < 0.6 else 0.0
    size = float(rng.uniform(0.85, 1.15)) if rng.random() < 0.5 else 1.0
    oblique = float(rng.uniform(-30, 30)) if rng.random() < 0.6 else 0.0
    orientation = str(rng.choice(ORIENTATIONS))
    spacing = _spacing(rng, standard)
    anatomy = resized(bent(random_anatomy(seed), bend), size)
    shown, cropped = _shown(rng, _extents(anatomy), standard)
    recipe = Recipe(seed, spacing, orientation, oblique, bend, size, shown, cropped)
    masks, parts = _rendered(anatomy, recipe)
    if standard:
        return masks
    rootlets, missing, mislabelled = _disturbed(rng, masks.rootlets, parts)
    recipe = replace(recipe, missing=missing, mislabelled=mislabelled)
    return replace(masks, recipe=recipe, rootlets=rootlets)


def rendered(seed: int, spacing_mm: float) -> Masks:
    """Render the anatomy of `seed`, whole and undisturbed, on isotropic voxels of a size."""
    anatomy = random_anatomy(seed)
    extents = _extents(anatomy)
    shown = (extents[SpinalLevel.C2][0] - 15.0, extents[SpinalLevel.T1][1] + 20.0)
    recipe = Recipe(seed, (spacing_mm,) * 3, "RPI", 8.0, 0.0, 1.0, shown, False)
    return _rendered(anatomy, recipe)[0]


def _rendered(anatomy: Anatomy, recipe: Recipe) -> tuple[Masks, NDArray[Any]]:
    """Render perfect masks; return the parts (side, dorsal or ventral) as well."""
    labels = render_labels(anatomy, _grid(anatomy, recipe))
    axes = {n: np.array([[s, 0.0, 0.0]]) for n, s in anatomy.discs_mm.items()}
    masks = Masks(
        recipe,
        labels.rootlets,
        labels.cord,
        anatomy.s_mm,
        anatomy.xyz_world,
        _extents(anatomy),
        {n: anatomy.world_from_suv(suv)[0] for n, suv in axes.items()},
    )
    return masks, np.asarray(labels.parts.data)


def _spacing(rng: np.random.Generator, standard: bool) -> tuple[float, float, float]:
    kind, iso = rng.random(), float(rng.choice(ISOTROPIC_MM))
    thick = ANISOTROPIC_MM[int(rng.integers(len(ANISOTROPIC_MM)))]
    if standard or kind < 0.2:
        return (0.8, 0.8, 0.8)
    return (iso, iso, iso) if kind < 0.7 else thick


def _shown(
    rng: np.random.Generator, extents: dict[SpinalLevel, tuple[float, float]], standard: bool
) -> tuple[tuple[float, float], bool]:
    """Choose the part of the cord in the view, mm from the PMJ; say whether it cuts levels."""
    levels = list(ROOTLET_LEVELS)
    first, last = extents[levels[0]][0], extents[levels[-1]][1]
    low = float(rng.uniform(min(0.0, first - 14), first - 10))
    high = float(last + rng.uniform(10, 40))
    where, which = rng.random(), rng.integers(0, 4, 2)
    cuts = rng.uniform(-3, 3, 2)
    if standard or where > 0.4:
        return (low, high), False
    if where < 0.27:  # rostral end cut, as where a view begins at the chin
        rostral, caudal = extents[levels[int(which[0])]]
        low = float(rng.uniform(rostral, caudal + 4) + cuts[0])
    if where > 0.13:  # caudal end cut
        rostral, caudal = extents[levels[-1 - int(which[1])]]
        high = float(rng.uniform(rostral - 2, caudal) + cuts[1])
    return (low, max(high, low + SHORTEST_VIEW_MM)), True


def _grid(anatomy: Anatomy, recipe: Recipe) -> Grid:
    """Return a grid that just holds the canal in the range shown."""
    low, high = recipe.shown_mm
    whole = make_grid(
        anatomy,
        recipe.spacing_mm,
        orientation_sct=recipe.orientation_sct,
        oblique_deg=recipe.oblique_deg,
    )
    inside = (anatomy.s_mm >= low) & (anatomy.s_mm <= high)
    ijk = whole.ijk_from_world(anatomy.xyz_world[inside])
    # Across the body the margin is the canal's; along it the view ends where it is told to.
    along = int(np.argmax(np.abs(np.diff(ijk[[0, -1]], axis=0)[0] * whole.spacing_mm)))
    margin = MARGIN_MM / whole.spacing_mm
    margin[along] = 0.0
    first = np.floor(ijk.min(axis=0) - margin).astype(int)
    last = np.ceil(ijk.max(axis=0) + margin).astype(int)
    affine = whole.affine.copy()
    affine[:3, 3] = whole.world_from_ijk(first)
    i, j, k = (int(n) for n in last - first + 1)
    return Grid((i, j, k), affine)


def _extents(anatomy: Anatomy) -> dict[SpinalLevel, tuple[float, float]]:
    """Return the true ends of the entry zones of C2 to T1, mm from the PMJ."""
    return {
        row.level: (row.extent_rostral_mm, row.extent_caudal_mm)
        for row in true_levels(anatomy).rows
    }


def _disturbed(
    rng: np.random.Generator, rootlets: LabelImage, parts: NDArray[Any]
) -> tuple[LabelImage, tuple[str, ...], tuple[str, ...]]:
    """Take levels away, or give parts of them the label of another."""
    data = np.asarray(rootlets.data).copy()
    seen = rootlets.labels
    missing: tuple[str, ...] = ()
    mislabelled: list[str] = []
    draw = rng.random()
    if draw < 0.2 and len(seen) > 3:
        gone = sorted(rng.choice(seen, size=int(rng.integers(1, 3)), replace=False).tolist())
        data[np.isin(data, gone)] = 0
        missing = tuple(str(SpinalLevel(int(level))) for level in gone)
    elif draw < 0.4 and len(seen) > 3:
        far = rng.random() < 0.5
        level = int(rng.choice(seen))
        others = [x for x in seen if (abs(x - level) >= 2 if far else abs(x - level) == 1)]
        if others:
            other = int(rng.choice(others))
            # One or two of the four rootlets (side, dorsal or ventral) of `level`, whole if the
            # two levels are far apart, else the half towards the other.
            cells = rng.choice([1, 2, 3, 4], size=int(rng.integers(1, 3)), replace=False)
            taken = np.isin(parts, 10 * level + cells)
            if not far and taken.any():
                z = rootlets.grid.world_from_ijk(np.argwhere(taken))[:, 2]
                # The part towards the other level, by height: enough to say which half.
                cut = np.quantile(z, 0.5)
                chosen = (z < cut) if other > level else (z > cut)
                taken[taken] = chosen
            data[taken] = other
            what = "a rootlet" if far else "part"
            mislabelled.append(f"{what} of {SpinalLevel(level)} is {SpinalLevel(other)}")
    return (
        LabelImage(data, rootlets.grid, None, rootlets.path),
        missing,
        tuple(mislabelled),
    )
