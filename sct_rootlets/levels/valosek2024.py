"""The published voxel method, for reproducing papers: ``valosek2024``.

Valosek et al. 2024, Imaging Neuroscience 2, https://doi.org/10.1162/imag_a_00218; written
anew after the description of ``02a_rootlets_to_spinal_levels.py`` in
ivadomed/model-spinal-rootlets (a799227, 2023-12-13) and of the commands of the Spinal Cord
Toolbox that it calls. In the orientation RPI, so that slices are counted from inferior to
superior:

1. The cord mask is dilated by N voxels with a ball, ``x^2 + y^2 + z^2 <= N^2`` in voxels
   whatever their size (``sct_maths -dilate N``), and multiplied with the rootlets.
2. A level reaches from the first to the last slice that holds a voxel of it. A level without
   such a voxel is missing.
3. Levels are painted on the cord from rostral to caudal: on slices that two share, the more
   caudal one overwrites the other.
4. What has the value 1 is set to 0. That clears the cord between levels, and C1.
5. Distances from the pontomedullary junction are sums of steps from slice to slice along a
   centerline through the cord mask and the label of the junction
   (``sct_process_segmentation -pmj``: linear between slices, smoothed with a Hanning window
   of 50 mm), from its most superior slice to the middle of a level's first and last slice.

Lengths depend on the voxel size, levels have gaps, and short ones vanish; see
docs/definitions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import LabelImage, require_same_grid
from sct_rootlets.levels.axial_slices import crossing_mm, superior_axis
from sct_rootlets.levels.refusals import pmj_points, require_levels
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    Point,
    VertebralRelation,
)

__all__ = [
    "DEFINITION",
    "DILATION_VOXELS",
    "PublishedLevels",
    "published_levels",
    "published_table",
]

#: Name of the definition.
DEFINITION = "valosek2024"
#: Default of the published script.
DILATION_VOXELS = 3
#: Length of the window that smooths the centerline from the PMJ, mm.
_WINDOW_MM = 50.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PublishedLevels:
    """What the published method says.

    Attributes
    ----------
    slices : dict of SpinalLevel to (int, int)
        First and last axial slice, from inferior to superior (SCT's RPI), of every level
        that meets the dilated cord; C1 too, which is not painted.
    painted : LabelImage
        Cord mask with the values of the levels, uint8, on the grid of the input.
    missing : tuple of SpinalLevel
        Levels of the rootlets that do not meet the dilated cord.
    cord : LabelImage
    dilation_voxels : int
    """

    slices: Mapping[SpinalLevel, tuple[int, int]]
    painted: LabelImage
    missing: tuple[SpinalLevel, ...]
    cord: LabelImage
    dilation_voxels: int

    def rows(self, pmj: LabelImage | None = None) -> dict[SpinalLevel, AxialSlices]:
        """Return slices, distances from the PMJ and heights of every level.

        Parameters
        ----------
        pmj : LabelImage, optional
            Label of the pontomedullary junction, on any grid of the same world; its voxel on
            the grid of the cord counts. Without it distances are None. The published script
            gives no heights either then; here they follow the cord mask alone.
        """
        axis, ascends = superior_axis(self.cord.grid)
        distance = _distance_from_top(self.cord, pmj, axis, ascends)
        answer = {}
        for level, (start, end) in self.slices.items():
            first, last = distance.get(start), distance.get(end)
            height = None if first is None or last is None else first - last
            if pmj is None:
                first = last = None
            answer[level] = AxialSlices(start, end, first, last, height)
        return answer


def published_levels(
    rootlets: LabelImage, cord: LabelImage, dilation_voxels: int = DILATION_VOXELS
) -> PublishedLevels:
    """Derive levels by the published voxel method.

    Parameters
    ----------
    rootlets, cord : LabelImage
        Rootlets with spinal level values, and cord mask (above 0), on one grid of any
        orientation.
    dilation_voxels : int
        Radius of the dilation; 1 to 3 were published, 3 is usual.

    Raises
    ------
    UsageError
        If the dilation is negative.
    InputError
        If the grids differ, or a value of the rootlets is no spinal level.
    """
    if dilation_voxels < 0:
        raise UsageError(
            f"a dilation of {dilation_voxels} voxels is out of range", remedy="3 is usual"
        )
    require_same_grid(cord, rootlets)
    labels = rootlets.labels
    require_levels(rootlets)
    axis, ascends = superior_axis(cord.grid)
    mask = _from_inferior(np.asarray(cord.data) > 0, axis, ascends)
    values = _from_inferior(np.asarray(rootlets.data), axis, ascends)
    meeting = np.nonzero(_dilated(mask, dilation_voxels) & (values != 0))
    met, slice_of = values[meeting], meeting[2]
    painted = mask.astype(np.uint8)
    slices: dict[SpinalLevel, tuple[int, int]] = {}
    missing = []
    for level in (SpinalLevel(value) for value in labels):
        at = slice_of[met == level.value]
        if not len(at):
            missing.append(level)
            continue
        start, end = int(at.min()), int(at.max())
        slices[level] = (start, end)
        part = (slice(None), slice(None), slice(start, end + 1))
        painted[part][mask[part]] = level.value
    painted[painted == 1] = 0
    native = _from_inferior(painted, axis, ascends, back=True)
    image = LabelImage(np.ascontiguousarray(native), cord.grid, cord.header, cord.path)
    return PublishedLevels(slices, image, tuple(missing), cord, dilation_voxels)


def published_table(
    published: PublishedLevels,
    centerline: Centerline,
    pmj: LabelImage | None = None,
    relate: Callable[[float, float, float], VertebralRelation] | None = None,
) -> LevelTable:
    """Return the published levels as a table, C1 to T1 or to the last one seen.

    The borders in mm are where the centerline crosses the outer faces of a level's first and
    last slice. There are no standard deviations: the method has none.

    Parameters
    ----------
    published : PublishedLevels
    centerline : Centerline
        Of the cord mask.
    pmj : LabelImage, optional
        As `PublishedLevels.rows` takes it.
    relate : callable, optional
        ``relate(rostral_mm, midpoint_mm, caudal_mm)`` says how a level lies against the
        vertebrae.
    """
    grid = published.cord.grid
    axis, ascends = superior_axis(grid)
    known = published.rows(pmj)
    rows = []
    for level in SpinalLevel:
        if level > max([ROOTLET_LEVELS[-1], *published.slices, *published.missing]):
            break
        if level not in known:
            rows.append(LevelRow(level, "unseen"))
            continue
        slices = known[level]
        faces = np.array([slices.end + 0.5, slices.start - 0.5])
        index = faces if ascends else grid.shape[axis] - 1 - faces
        rostral, caudal = (float(s) for s in crossing_mm(grid, centerline, axis, index))
        middle = (rostral + caudal) / 2
        rows.append(
            LevelRow(
                level,
                "measured",
                rostral,
                caudal,
                _world(centerline, rostral),
                _world(centerline, caudal),
                midpoint_world=_world(centerline, middle),
                vertebral=None if relate is None else relate(rostral, middle, caudal),
                slices=slices,
            )
        )
    pmj_mm = None
    if pmj is not None:
        pmj_mm = float(centerline.project(pmj_points(pmj).mean(axis=0)).s_mm[0])
    return LevelTable(
        tuple(rows),
        DEFINITION,
        None,
        pmj_mm=pmj_mm,
        warnings=tuple(_warnings(published)),
        details={"dilation_voxels": published.dilation_voxels},
    )


def _warnings(published: PublishedLevels) -> list[str]:
    """Say what the method does to the levels, where it does."""
    warnings = [
        f"{level}: its rootlets do not meet the cord dilated by {published.dilation_voxels} "
        "voxels: the published method has no such level"
        for level in published.missing
    ]
    if SpinalLevel.C1 in published.slices:
        warnings.append("C1: found, but the published method paints no C1")
    taken: dict[int, SpinalLevel] = {}
    for level, (start, end) in published.slices.items():
        shared: dict[SpinalLevel, int] = {}
        for k in range(start, end + 1):
            if k in taken:
                shared[taken[k]] = shared.get(taken[k], 0) + 1
            taken[k] = level
        for other, count in shared.items():
            warnings.append(f"{level}: is painted over {count} slices of {other}")
    return warnings


def _from_inferior(
    data: NDArray[np.generic], axis: int, ascends: bool, *, back: bool = False
) -> NDArray[np.generic]:
    """Bring the inferior-superior axis last and let it ascend; or, `back`, the reverse."""
    if back:
        data = data if ascends else data[..., ::-1]
        return np.moveaxis(data, -1, axis)
    data = np.moveaxis(data, axis, -1)
    return data if ascends else data[..., ::-1]


def _dilated(mask: NDArray[np.generic], radius: int) -> NDArray[np.bool_]:
    """Dilate with a ball of `radius` voxels, by distances: the same voxels, sooner."""
    dilated = np.zeros(mask.shape, dtype=bool)
    found = scipy.ndimage.find_objects(mask.astype(np.uint8))
    if found:
        box = tuple(slice(max(s.start - radius, 0), s.stop + radius) for s in found[0])
        away = scipy.ndimage.distance_transform_edt(mask[box] == 0)
        # Squared distances between voxels are whole numbers.
        dilated[box] = np.rint(away**2) <= radius**2
    return dilated


def _distance_from_top(
    cord: LabelImage, pmj: LabelImage | None, axis: int, ascends: bool
) -> dict[int, float]:
    """Return the distance along the published centerline, mm, of every slice it has.

    It begins at the most superior slice of the cord mask and the PMJ together.
    """
    mask = np.asarray(cord.data) > 0
    if pmj is not None:
        mask = mask | _pmj_voxel(pmj, cord)
    ijk = np.argwhere(_from_inferior(mask, axis, ascends)).astype(float)
    at, which, count = np.unique(ijk[:, 2].astype(int), return_inverse=True, return_counts=True)
    spacing = np.append(np.delete(cord.grid.spacing_mm, axis), cord.grid.spacing_mm[axis])
    slices = np.arange(at[0], at[-1] + 1)
    columns = []
    for k in range(2):
        mean = np.bincount(which.reshape(-1), ijk[:, k]) / count
        course = np.interp(slices, at, mean)
        columns.append(_smoothed(course, _odd(_WINDOW_MM / float(spacing[2]))) * spacing[k])
    points = np.stack([*columns, slices * spacing[2]], axis=1)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    from_top = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    return {int(k): float(mm) for k, mm in zip(slices, from_top, strict=True)}


def _pmj_voxel(pmj: LabelImage, cord: LabelImage) -> NDArray[np.bool_]:
    """Return the voxels of the PMJ on the grid of the cord."""
    points = pmj_points(pmj)
    if not cord.grid.contains(points).all():
        raise InputError(
            f"lies outside the image of {cord.path}, and the published method counts slices",
            path=pmj.path,
            remedy="Choose another -definition, or leave -pmj away",
        )
    ijk = np.rint(cord.grid.ijk_from_world(points)).astype(int)
    found = np.zeros(cord.grid.shape, dtype=bool)
    found[tuple(ijk.clip(0, np.array(cord.grid.shape) - 1).T)] = True
    return found


def _odd(number: float) -> int:
    """Round up to an odd number."""
    return int(np.ceil(number) // 2 * 2 + 1)


def _smoothed(course: Floats, window: int) -> Floats:
    """Smooth (N,) with a Hanning window, mirrored through the ends' points, as SCT does."""
    window = min(window, len(course))
    if window < 3:
        return course
    before = 2 * course[0] - course[window - 1 : 0 : -1]
    after = 2 * course[-1] - course[-2 : -window - 1 : -1]
    weights = np.hanning(window)
    whole = np.convolve(weights / weights.sum(), np.r_[before, course, after], mode="valid")
    first = int(np.ceil(window / 2 - 1))
    return np.asarray(whole[first : len(whole) - window // 2])


def _world(centerline: Centerline, s_mm: float) -> Point:
    x, y, z = (float(v) for v in centerline.point(s_mm))
    return (x, y, z)
