"""Perfect masks made as bad as those of real models, in the ways in which those are bad.

Networks reach a Dice of about 0.64 a level on rootlets (0.06 to 0.16 between people). Most
of that is lost at the boundary, since a rootlet is one to three voxels thick; the rest are
filaments that were missed, tissue that was taken for rootlets (vessels; rootlets rostral of
C2 and caudal of T1; specks), and voxels of one level that carry the label of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.image import LabelImage
from sct_rootlets.metrics import dice

__all__ = ["MEAN_STRENGTH", "STRENGTH_SD", "degrade", "dice_by_level", "draw_strength"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Strengths are drawn from a normal distribution that gives the published Dice, see above.
MEAN_STRENGTH, STRENGTH_SD = 0.99, 0.2
#: Blur of a label before its boundary is moved, voxels, and how far it moves at strength 1.
BLUR_VOXELS, BOUNDARY = 0.7, 0.125
#: Length over which the boundary moves together, voxels.
CORRELATION_VOXELS = 1.2
#: Where a blurred mask ends, on average.
THRESHOLD = 0.45
_NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)


def draw_strength(rng: np.random.Generator) -> float:
    """Draw how much one subject's masks are degraded."""
    return float(np.clip(rng.normal(MEAN_STRENGTH, STRENGTH_SD), 0.3, 1.8))


def dice_by_level(found: LabelImage, truth: LabelImage) -> dict[int, float]:
    """Return the Dice coefficient of every level of `truth`, by its value."""
    a, b = np.asarray(found.data), np.asarray(truth.data)
    return {level: dice(a == level, b == level) for level in truth.labels}


def degrade(
    rootlets: LabelImage, cord: LabelImage, rng: np.random.Generator, strength: float
) -> tuple[LabelImage, LabelImage]:
    """Return rootlets and cord as a network would have segmented them.

    Parameters
    ----------
    rootlets, cord : LabelImage
        Perfect masks on one grid, any spacing and orientation.
    rng : numpy.random.Generator
        The same state gives the same masks.
    strength : float
        0 changes nothing but the boundary's blur; 1 is what real models reach.
    """
    labels, body = np.asarray(rootlets.data), np.asarray(cord.data) > 0
    if not labels.any():
        return rootlets, cord
    box = _box((labels > 0) | body, 6)
    view = _View.of(labels[box], body[box], rootlets.grid.affine[:3, :3])
    kept = _without_pieces(view, rng, strength)
    mask = _moved_boundary(kept, view, rng, strength)
    mask &= ~_holes(mask, view, rng, strength)
    nearest = _nearest_label(kept, view.labels)
    answer = np.where(mask, nearest, 0)
    answer = _swapped(answer, view, rng, strength)
    _add_false_positives(answer, view, rng, strength)
    new_body = _moved_cord(view, rng, strength)
    answer[new_body & (view.labels == 0)] = 0
    out, out_cord = np.zeros(labels.shape, np.int32), np.zeros(labels.shape, np.int32)
    out[box], out_cord[box] = answer, new_body
    if not out.any():
        out = labels.astype(np.int32)
    return (
        LabelImage(out, rootlets.grid, rootlets.header, rootlets.path),
        LabelImage(out_cord, cord.grid, cord.header, cord.path),
    )


@dataclass(frozen=True, eq=False)
class _View:
    """What is needed of both masks, in the box around them.

    Attributes
    ----------
    labels, body : (I, J, K) arrays
        Levels, and the cord.
    edges : (3, 3) array
        Steps of one voxel in the world, mm, in columns.
    spacing : (3,) array
    down : (I, J, K) array
        How far caudal a voxel lies (minus its height), mm.
    """

    labels: NDArray[Any]
    body: Mask
    edges: Floats
    spacing: Floats
    down: Floats

    @classmethod
    def of(cls, labels: NDArray[Any], body: Mask, edges: Floats) -> _View:
        i, j, k = np.ogrid[: labels.shape[0], : labels.shape[1], : labels.shape[2]]
        down = -(edges[2, 0] * i + edges[2, 1] * j + edges[2, 2] * k)
        return cls(labels, body, edges, np.linalg.norm(edges, axis=0), down)

    def ball(self, centre: NDArray[Any], radii_mm: Floats) -> tuple[tuple[slice, ...], Mask]:
        """Return the voxels within an ellipsoid along the world's axes: a box, and a mask."""
        reach = np.ceil(np.max(radii_mm) / self.spacing).astype(int)
        low = np.clip(centre - reach, 0, None)
        high = np.minimum(centre + reach + 1, self.labels.shape)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        at = np.stack(np.meshgrid(*[np.arange(b.start, b.stop) for b in box], indexing="ij"), -1)
        away = (at - centre) @ self.edges.T / radii_mm
        return box, (away**2).sum(axis=-1) <= 1


def _box(mask: Mask, margin: int) -> tuple[slice, ...]:
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(f.start - margin, 0), min(f.stop + margin, n))
        for f, n in zip(found, mask.shape, strict=True)
    )


def _noise(shape: tuple[int, ...], rng: np.random.Generator, sigma: Floats | float) -> Floats:
    """Return smooth noise of variance 1."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), sigma)
    return np.asarray(field / max(float(field.std()), 1e-9))


def _without_pieces(view: _View, rng: np.random.Generator, strength: float) -> NDArray[Any]:
    """Take filaments away: whole rootlets of one side and sector, and stretches of them."""
    kept = view.labels.copy()
    for level in np.unique(kept[kept > 0]):
        parts, count = ndimage.label(view.labels == level, structure=_NEIGHBOURS_26)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        for part, found in enumerate(ndimage.find_objects(parts), start=1):
            if found is None or sizes[part] < 3:
                continue
            here = parts[found] == part
            if rng.random() < 0.07 * strength:
                kept[found][here] = 0
            elif rng.random() < 0.30 * strength:
                down = view.down[found]
                low, high = down[here].min(), down[here].max()
                length = rng.uniform(0.1, 0.4) * (high - low)
                start = rng.uniform(low - length, high)
                kept[found][here & (down >= start) & (down <= start + length)] = 0
    return kept


def _moved_boundary(
    kept: NDArray[Any], view: _View, rng: np.random.Generator, strength: float
) -> Mask:
    """Shift the rootlets a little and move their boundary by correlated noise."""
    soft = ndimage.gaussian_filter((kept > 0).astype(np.float32), BLUR_VOXELS)
    # A blurred thin thread is fainter than a thick one: its own share is restored.
    soft /= np.maximum(ndimage.grey_dilation(soft, footprint=_NEIGHBOURS_26), 0.4)
    shift = rng.normal(0, 0.2 * strength, 3)
    soft = ndimage.shift(soft, shift, order=1, mode="nearest")
    fine = _noise(kept.shape, rng, CORRELATION_VOXELS)
    coarse = _noise(kept.shape, rng, 4.0)  # regions that are over- or undersegmented
    bias = rng.normal(0, 0.35)
    # On coarse voxels a rootlet is a single one thick, and the same noise would erase it.
    finer = min(1.0, float(np.sqrt(0.8 / np.prod(view.spacing) ** (1 / 3))))
    moved = BOUNDARY * finer * strength * (fine + 0.6 * coarse + bias)
    return np.asarray((soft + moved > THRESHOLD) & (soft > 0.12))


def _holes(mask: Mask, view: _View, rng: np.random.Generator, strength: float) -> Mask:
    out = np.zeros(mask.shape, bool)
    inside = np.argwhere(mask)
    for _ in range(rng.poisson(10 * strength) if len(inside) else 0):
        centre = inside[rng.integers(len(inside))]
        box, ball = view.ball(centre, np.full(3, rng.uniform(0.6, 1.6)))
        out[box] |= ball
    return out


def _nearest_label(kept: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    source = kept if kept.any() else labels
    at = ndimage.distance_transform_edt(source == 0, return_distances=False, return_indices=True)
    return np.asarray(source[tuple(at)])


def _swapped(
    answer: NDArray[Any], view: _View, rng: np.random.Generator, strength: float
) -> NDArray[Any]:
    """Give the ends of levels, in one connected part, the label of the neighbour."""
    out = answer.copy()
    levels = [int(v) for v in np.unique(answer) if v > 0]
    for level in levels:
        parts, _ = ndimage.label(answer == level, structure=_NEIGHBOURS_26)
        for part, found in enumerate(ndimage.find_objects(parts), start=1):
            here = parts[found] == part
            for other, side in ((level + 1, 1.0), (level - 1, -1.0)):
                if other not in levels or rng.random() > 0.06 * strength:
                    continue
                down = side * view.down[found]
                cut = down[here].max() - rng.uniform(0.5, 4.0)
                out[found][here & (down > cut)] = other
    return out


def _add_false_positives(
    answer: NDArray[Any], view: _View, rng: np.random.Generator, strength: float
) -> None:
    """Add specks, stretches of vessels, and rootlets rostral of C2 and caudal of T1."""
    away = ndimage.distance_transform_edt(~view.body, sampling=view.spacing)
    shell = np.argwhere((away > 0.3) & (away < 5.0) & (answer == 0))
    levels = [int(v) for v in np.unique(view.labels) if v > 0]
    if not len(shell):
        return
    down = view.down[tuple(shell.T)]
    middles = {v: float(np.median(view.down[view.labels == v])) for v in levels}

    def label_at(depth: float) -> int:
        near = min(levels, key=lambda v: abs(middles[v] - depth))
        step = int(rng.choice([-1, 0, 0, 0, 1]))
        return near + step if near + step in levels else near

    def add(centre: NDArray[Any], radii: Floats, label: int) -> None:
        box, ball = view.ball(centre, radii)
        free = ball & (answer[box] == 0) & ~view.body[box] & (view.labels[box] == 0)
        answer[box][free] = label

    for _ in range(rng.poisson(5 * strength)):  # specks
        pick = int(rng.integers(len(shell)))
        add(shell[pick], rng.uniform(0.6, 1.6, 3), label_at(float(down[pick])))
    for _ in range(rng.poisson(1.2 * strength)):  # vessels along the cord
        pick = int(rng.integers(len(shell)))
        radii = np.array([rng.uniform(0.5, 0.8), rng.uniform(0.5, 0.8), rng.uniform(2, 7)])
        add(shell[pick], radii, label_at(float(down[pick])))
    first, last = levels[0], levels[-1]
    for label, side in ((last, 1.0), (first, -1.0)):  # rootlets that have no label of their own
        end = float((side * view.down[view.labels == label]).max())
        beyond = np.flatnonzero((side * down > end + 2) & (side * down < end + 22))
        if len(beyond) == 0 or rng.random() > 0.35 * strength:
            continue
        start = int(rng.choice(beyond))
        for _ in range(int(rng.integers(1, 5))):
            near = beyond[np.abs(down[beyond] - down[start]) < 5]
            centre = shell[int(rng.choice(near))]
            add(centre, np.array([rng.uniform(0.8, 2.0), 0.8, rng.uniform(0.8, 2.5)]), label)


def _moved_cord(view: _View, rng: np.random.Generator, strength: float) -> Mask:
    """Move the cord's surface by correlated noise, by a fraction of a voxel."""
    soft = ndimage.gaussian_filter(view.body.astype(np.float32), 0.8)
    noise = _noise(view.body.shape, rng, 2.0) + rng.normal(0, 0.4)
    moved = (soft + 0.15 * strength * noise > 0.5) & (soft > 0.15)
    parts, count = ndimage.label(moved)
    if count > 1:
        moved = parts == int(np.bincount(parts.ravel())[1:].argmax()) + 1
    return np.asarray(moved)
