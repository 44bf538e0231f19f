"""From rootlets, a cord mask and landmarks to levels, by any definition.

The one place that knows the options of every definition. It runs no network.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import PLACES, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import UsageError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.inputs import LabelsLike, Landmarks, Point, read_cord, read_rootlets
from sct_rootlets.levels import Derived, derive, measure, valosek2024
from sct_rootlets.levels.axial_slices import with_slices
from sct_rootlets.levels.derive import column_of
from sct_rootlets.levels.paint import paint_levels, paint_points, unpainted
from sct_rootlets.result import LevelsResult

__all__ = [
    "LevelOptions",
    "call_derive",
    "derive_any",
    "derive_levels",
    "files_of",
    "landmark_parameters",
    "levels",
    "name_of",
    "remarks_of",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LevelOptions:
    """How levels are derived.

    Attributes
    ----------
    definition : str
        ``"caudal"``, ``"extent"``, ``"midgap"`` or ``"valosek2024"``; see docs/definitions.md.
    reach_mm : float
        Largest distance from the cord surface at which rootlets count as entering it.
    dilation_voxels : int or None
        By which ``valosek2024`` dilates the cord, 3 if None; of no use to other definitions.
    extend : SpinalLevel or None
        Last level of the table, extrapolated to it. By default T1, and nothing extrapolated.
    renumber : bool
        Apply the likeliest numbering of the rootlets, where vertebrae contradict theirs.
    axial : bool
        Paint whole axial slices.
    """

    definition: str = "caudal"
    reach_mm: float = 1.5
    dilation_voxels: int | None = None
    extend: SpinalLevel | None = None
    renumber: bool = False
    axial: bool = False

    def __post_init__(self) -> None:
        published = self.definition == valosek2024.DEFINITION
        if self.dilation_voxels is not None and not published:
            raise UsageError(
                f"the definition '{self.definition}' dilates nothing",
                remedy=f"Leave -dilation away, or choose -definition {valosek2024.DEFINITION}",
            )
        if published and (self.extend is not None or self.renumber):
            raise UsageError(
                f"the published method ({valosek2024.DEFINITION}) neither extends nor renumbers",
                remedy="Leave -extend and -renumber away, or choose another -definition",
            )

    @property
    def dilation(self) -> int:
        """By how many voxels the published method dilates the cord."""
        if self.dilation_voxels is None:
            return valosek2024.DILATION_VOXELS
        return self.dilation_voxels

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything, as plain values for a JSON file."""
        published = self.definition == valosek2024.DEFINITION
        return {
            "definition": self.definition,
            "reach_mm": None if published else self.reach_mm,
            "dilation_voxels": self.dilation if published else None,
            "extend": None if self.extend is None else str(self.extend),
            "renumber": self.renumber,
            "axial": self.axial,
        }


def levels(
    rootlets: LabelsLike | None,
    cord: LabelsLike,
    *,
    discs: LabelsLike | None = None,
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
    definition: str = "caudal",
    reach_mm: float = 1.5,
    dilation_voxels: int | None = None,
    extend: SpinalLevel | None = None,
    renumber: bool = False,
    axial: bool = False,
) -> LevelsResult:
    """Derive spinal levels from a segmentation of rootlets that is there already.

    Parameters
    ----------
    rootlets : path-like or LabelImage, or None
        Spinal level values; or the single value 1, for rootlets without level identity.
        None predicts the levels from the vertebrae alone.
    cord : path-like or LabelImage
        With the voxels of the rootlets, in any orientation.
    discs, vertebrae, c2c3_world, pmj
        As :meth:`sct_rootlets.inputs.Landmarks.read` takes them.
    definition, reach_mm, dilation_voxels, extend, renumber, axial
        As :class:`LevelOptions` has them.

    Returns
    -------
    LevelsResult

    Raises
    ------
    InputError
        If an input cannot be used.
    UsageError
        If inputs are swapped, there are neither rootlets nor vertebrae, rootlets without
        level identity come without vertebrae, or options contradict each other.
    """
    options = LevelOptions(definition, reach_mm, dilation_voxels, extend, renumber, axial)
    rootlets_ = None if rootlets is None else read_rootlets(rootlets)
    cord_ = read_cord(cord, rootlets_)
    landmarks = Landmarks.read(
        cord_, discs=discs, vertebrae=vertebrae, c2c3_world=c2c3_world, pmj=pmj
    )
    if rootlets_ is None and not landmarks.name_levels:
        raise UsageError(
            "there is nothing to derive levels from",
            remedy="Give rootlets with -i, or vertebrae with -discs or -vertfile, from which "
            "levels are predicted with less certainty",
        )
    if rootlets_ is not None and np.array_equal(rootlets_.data != 0, cord_.data != 0):
        raise UsageError(
            f"has the same voxels as {cord_.path}, the cord mask",
            path=rootlets_.path,
            remedy="Give the rootlets with -i and the cord mask with -s",
        )
    derived = derive_any(
        rootlets_,
        cord_,
        landmarks,
        options,
        fname=name_of(rootlets_),
    )
    return LevelsResult(
        derived=derived,
        cord=cord_,
        discs=landmarks.discs,
        sources=files_of(rootlets_, cord_, *landmarks.images),
        parameters={**options.parameters, **landmark_parameters(landmarks)},
    )


def derive_levels(rootlets: LabelsLike | None, cord: LabelsLike, **options: Any) -> Derived:
    """Derive spinal levels, and nothing but them; parameters and errors as :func:`levels`."""
    return levels(rootlets, cord, **options).derived


def derive_any(
    rootlets: LabelImage | None,
    cord: LabelImage,
    landmarks: Landmarks,
    options: LevelOptions,
    *,
    fname: str | None,
    has_level_identity: bool | None = None,
    remarks: Sequence[str] = (),
) -> Derived:
    """Derive levels by any definition, and add what every table and image has.

    `remarks` about further inputs become warnings beside those about these.
    """
    landmarks = landmarks.checked_against(cord)
    if options.definition == valosek2024.DEFINITION:
        derived = _published(rootlets, cord, landmarks, options, has_level_identity)
    else:
        derived = call_derive(
            rootlets, cord, landmarks, options, has_level_identity=has_level_identity
        )
    curve = derived.centerline
    table = with_slices(derived.table, cord.grid, curve)
    warnings = [*remarks, *remarks_of(rootlets, cord, *landmarks.images)]
    warnings += unpainted({place: paint_points(cord, curve, table, place) for place in PLACES})
    for warning in warnings:
        logger.warning(warning)
    table = replace(table, fname=fname, warnings=(*table.warnings, *warnings))
    derived = replace(derived, table=table)
    if options.axial:
        derived = replace(derived, levels=paint_levels(cord, curve, table, axial=True))
    return derived


def call_derive(
    rootlets: LabelImage | None,
    cord: LabelImage,
    landmarks: Landmarks,
    options: LevelOptions | None = None,
    *,
    has_level_identity: bool | None,
) -> Derived:
    """Pass everything on to `derive`: the one place that knows its options."""
    options = LevelOptions() if options is None else options
    further = {
        "discs": landmarks.discs,
        "vertebrae": landmarks.vertebrae,
        "c2c3_world": landmarks.c2c3_world,
        "pmj": landmarks.pmj,
        "extend": options.extend,
        "renumber": options.renumber or None,
        "has_level_identity": has_level_identity,
    }
    given: dict[str, Any] = {
        "rootlets": rootlets,
        "cord": cord,
        "definition": options.definition,
        "reach_mm": options.reach_mm,
        **{name: value for name, value in further.items() if value is not None},
    }
    return derive(**given)


def _published(
    rootlets: LabelImage | None,
    cord: LabelImage,
    landmarks: Landmarks,
    options: LevelOptions,
    has_level_identity: bool | None,
) -> Derived:
    """Derive levels by the published method, of rootlets that are numbered first if need be."""
    if rootlets is None:
        raise UsageError(
            f"the published method ({options.definition}) needs rootlets",
            remedy="Give them with -i, or choose another -definition",
        )
    numbering = None
    identity = rootlets.labels != [1] if has_level_identity is None else has_level_identity
    if not identity:
        numbered = call_derive(rootlets, cord, landmarks, has_level_identity=False)
        rootlets, numbering = numbered.rootlets, numbered.numbering
    curve = Centerline.fit(cord)
    column = column_of(curve, landmarks.discs, landmarks.vertebrae, landmarks.c2c3_world)
    published = valosek2024.published_levels(rootlets, cord, options.dilation)
    table = valosek2024.published_table(
        published, curve, landmarks.pmj, None if column is None else column.relation
    )
    if column is not None:
        table = replace(table, c3_c7_height_mm=column.c3_c7_height_mm)
    if numbering is not None:
        table = replace(table, warnings=(*numbering.warnings, *table.warnings))
    for text in table.warnings:
        logger.warning(text)
    zones = measure(rootlets, cord, curve)
    return Derived(table, published.painted, rootlets, curve, zones, numbering, column=column)


def landmark_parameters(landmarks: Landmarks) -> dict[str, Any]:
    """Return what was given as landmarks, as plain values for a JSON file."""
    point = landmarks.c2c3_world
    return {
        "discs": name_of(landmarks.discs),
        "vertebrae": name_of(landmarks.vertebrae),
        "c2c3_world_mm": None if point is None else list(point),
        "pmj": name_of(landmarks.pmj),
    }


def name_of(image: Image | None) -> str | None:
    """Return the file name of an image."""
    return None if image is None else Path(image.path).name


def remarks_of(*images: Image | None) -> tuple[str, ...]:
    """Return what had to be done to the images to read them."""
    return tuple(remark for im in images if im is not None for remark in im.remarks)


def files_of(*images: Image | None) -> tuple[str, ...]:
    """Return the files that the images were read from."""
    return tuple(im.path for im in images if im is not None and os.path.exists(im.path))
