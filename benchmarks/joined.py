"""Numbering of rootlets that touch across levels and are cut by the image's end.

``python -m benchmarks.joined -first 300 -count 30`` takes the levels away from the masks of
tuning phantoms, whole or in a view of 45 to 65 mm whose rostral end cuts a level 2 to 8 mm above
its caudal end; joins neighbouring levels at random, degrades the masks, and prints the share of
rootlet voxels that `number_rootlets` names right from the discs in view (read to 0.7 mm).
"""

from __future__ import annotations

import argparse
import logging
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.degrade import degrade, draw_strength
from benchmarks.phantom_masks import Masks, make
from sct_rootlets.anatomy import Sector, Side
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import measure, number_rootlets

CONDITIONS = ("perfect", "degraded", "joined", "cut joined", "cut joined degraded", "cut degraded")
#: Share of the pairs of levels, by side and sector, that are joined, and over which distance, mm.
JOINED, BRIDGE_MM = 0.5, (6.0, 14.0)
#: What is left of the level that the view cuts, and how long the view is, mm.
LEFT_MM, VIEW_MM = (2.0, 8.0), (45.0, 65.0)
DISC_READING_SD_MM = 0.7
Pair = tuple[LabelImage, LabelImage]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-first", type=int, default=300, help="first seed")
    parser.add_argument("-count", type=int, default=30)
    args = parser.parse_args()
    logging.getLogger("sct_rootlets").setLevel(logging.ERROR)
    right = defaultdict(list)
    for seed in range(args.first, args.first + args.count):
        for condition, share in _measured(seed):
            right[condition].append(share)
    print("| rootlets | phantoms | named right | below 0.95 | below 0.8 |")
    print("| --- | --- | --- | --- | --- |")
    for condition in CONDITIONS:
        shares = np.array(right[condition])
        if len(shares):
            low, lowest = (int((shares < bound).sum()) for bound in (0.95, 0.8))
            print(f"| {condition} | {len(shares)} | {shares.mean():.3f} | {low} | {lowest} |")


def _measured(seed: int) -> Iterator[tuple[str, float]]:
    """Return the share of voxels named right in every condition of one phantom."""
    masks = make(seed)
    if masks.recipe.mislabelled:
        return
    rng = np.random.default_rng([seed, 77])
    for condition in CONDITIONS:
        pair: Pair | None = (masks.rootlets, masks.cord)
        if "cut" in condition:
            pair = _cut(masks, rng)
        if pair is None:
            continue
        rootlets, cord = pair
        if "joined" in condition:
            rootlets = _joined(rootlets, cord, rng)
        truth = rootlets
        if "degraded" in condition:
            rootlets, cord = degrade(rootlets, cord, rng, draw_strength(rng))
        share = _right(masks, rootlets, cord, truth, rng)
        if share is not None:
            yield condition, share


def _along(image: LabelImage) -> int:
    """Return the axis of the image that runs most along the body."""
    return int(np.argmax(np.abs(image.grid.affine[2, :3])))


def _cut(masks: Masks, rng: np.random.Generator) -> Pair | None:
    """Return a short view that begins within a level of C2 to C6; None if none is seen."""
    seen = [level for level in masks.extents_mm
            if level.value in masks.rootlets.labels and level.value <= 6]  # fmt: skip
    if not seen:
        return None
    level = seen[rng.integers(len(seen))]
    low = masks.extents_mm[level][1] - rng.uniform(*LEFT_MM)
    high = low + rng.uniform(*VIEW_MM)
    ends = [[np.interp(s, masks.axis_s_mm, one) for one in masks.axis_world.T] for s in (low, high)]
    axis = _along(masks.rootlets)
    first, last = np.sort(masks.rootlets.grid.ijk_from_world(np.array(ends))[:, axis])
    start = max(0, int(first))
    stop = min(masks.rootlets.grid.shape[axis], int(last) + 1)

    def part(image: LabelImage) -> LabelImage:
        offset = np.eye(3)[axis] * start
        affine = image.grid.affine.copy()
        affine[:3, 3] = image.grid.world_from_ijk(offset)
        data = np.ascontiguousarray(np.take(image.data, range(start, stop), axis))
        return LabelImage(data, Grid(data.shape, affine), None, image.path)

    return part(masks.rootlets), part(masks.cord)


def _joined(rootlets: LabelImage, cord: LabelImage, rng: np.random.Generator) -> LabelImage:
    """Bridge gaps between neighbouring levels with thin, broken tissue along the image's axis."""
    zones = measure(rootlets, cord, Centerline.fit(cord))
    axis, labels = _along(rootlets), np.asarray(rootlets.data)
    out = labels.copy()
    for value in np.unique(zones.value)[:-1]:
        for side in Side:
            for sector in Sector:
                if rng.random() > JOINED:
                    continue
                here = np.isin(zones.value, (value, value + 1)) & (zones.side == side.value)
                here &= zones.sector == sector.value
                if here.sum() < 6:
                    continue
                mask = np.zeros(labels.shape, bool)
                mask[tuple(zones.ijk[here].T)] = True
                length = int(rng.uniform(*BRIDGE_MM) / rootlets.grid.spacing_mm[axis]) + 1
                new = _bridge(mask, axis, length) & (np.asarray(cord.data) == 0)
                if not new.any():
                    continue
                noise = ndimage.gaussian_filter(rng.standard_normal(new.shape), 0.8)
                new &= (noise > -0.05) & (out == 0)
                nearest = ndimage.distance_transform_edt(
                    ~mask, return_distances=False, return_indices=True
                )
                out[new] = labels[tuple(nearest)][new]
    return LabelImage(out, rootlets.grid, None, rootlets.path)


def _bridge(mask: NDArray[np.bool_], axis: int, length: int) -> NDArray[np.bool_]:
    """Return what a closing along `axis` adds to a mask widened by one voxel across it."""
    across, along = [3, 3, 3], [1, 1, 1]
    across[axis], along[axis] = 1, length
    wide = ndimage.binary_dilation(mask, np.ones(across))
    pad = [(length, length) if k == axis else (0, 0) for k in range(3)]
    closed = ndimage.binary_closing(np.pad(wide, pad), np.ones(along))
    inner = tuple(slice(length, -length) if k == axis else slice(None) for k in range(3))
    return np.asarray(closed[inner] & ~wide)


def _right(
    masks: Masks,
    rootlets: LabelImage,
    cord: LabelImage,
    truth: LabelImage,
    rng: np.random.Generator,
) -> float | None:
    """Return the share of voxels within 2 mm of true ones that get their level."""
    away, nearest = ndimage.distance_transform_edt(
        np.asarray(truth.data) == 0, sampling=truth.grid.spacing_mm, return_indices=True
    )
    wanted = np.where(away < 2.0, np.asarray(truth.data)[tuple(nearest)], 0)
    wanted *= np.asarray(rootlets.data) > 0
    nameless = LabelImage(
        (np.asarray(rootlets.data) > 0).astype(np.int32), rootlets.grid, None, "x"
    )
    curve = Centerline.fit(cord)
    discs = {
        label: float(curve.project(xyz[None]).s_mm[0] + rng.normal(0, DISC_READING_SD_MM))
        for label, xyz in masks.discs_world.items()
        if rootlets.grid.contains(xyz[None])[0]
    }
    known = wanted > 0
    if not discs or len(np.unique(wanted[known])) < 2:
        return None
    try:
        found = number_rootlets(nameless, cord, curve, discs)
    except InputError:
        return 0.0
    return float((np.asarray(found.labels.data)[known] == wanted[known]).mean())


if __name__ == "__main__":
    main()
