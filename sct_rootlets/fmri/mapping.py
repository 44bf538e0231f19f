"""From levels in anatomical space to levels in the space of an EPI: the order of the steps."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.checks import (
    require_arrival,
    require_direction_of_fields,
    require_known_world,
)
from sct_rootlets.fmri.fractions import level_fractions
from sct_rootlets.fmri.mapped import MappedLevels, Word
from sct_rootlets.fmri.sampling import LevelSampler
from sct_rootlets.fmri.slices import Coverage, coverage, label_voxels, rows_of, slice_fractions
from sct_rootlets.fmri.transforms import Chain, read_chain
from sct_rootlets.fmri.transforms.reading import files_of
from sct_rootlets.fmri.uncertainty import spread_of_fractions
from sct_rootlets.image import Image, LabelImage, load_cord, load_labels, load_reference, on_grid_of
from sct_rootlets.inputs import ImageLike, LabelsLike, remarks_of
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.edited import table_of_image

__all__ = ["map_levels"]


def map_levels(
    levels: LabelsLike,
    destination: ImageLike,
    *,
    transforms: Sequence[Word] | Chain = (),
    inverted: Sequence[Word] = (),
    cord: LabelsLike | None = None,
    table: LevelTable | None = None,
) -> MappedLevels:
    """Bring spinal levels to the grid of an EPI, or of any image, as fractions.

    Parameters
    ----------
    levels : path-like or LabelImage
        Label image of spinal levels.
    destination : path-like or Image
        EPI, 3D or 4D. Only its grid is used, and no voxel is read.
    transforms : sequence of path-like, or Chain
        From the image of the levels to the EPI, as ``sct_apply_transfo -w`` takes them; see
        :func:`sct_rootlets.fmri.transforms.read_transform`. None where both share one world.
    inverted : sequence of path-like
        Affines among them to invert first.
    cord : path-like or LabelImage, optional
        Cord mask on the grid of the EPI, in any orientation. It bounds the levels.
    table : LevelTable, optional
        The table of `levels`, by default the one that lies beside the file, as far as the image
        was not edited since (:mod:`sct_rootlets.levels.edited`). It gives the borders more
        finely than voxels do, and how certain they are.

    Raises
    ------
    InputError
        If a file cannot be used, or the levels do not reach the EPI or its cord.
    UsageError
        If a transform goes the other way.
    MissingDependencyError
        If an ITK affine is given and SimpleITK is not installed.
    """
    reference = (
        destination if isinstance(destination, Image) else load_reference(destination, "EPI")
    )
    chain = transforms if isinstance(transforms, Chain) else read_chain(list(transforms), inverted)
    source = levels if isinstance(levels, LabelImage) else load_labels(levels, "spinal levels")
    mask = None
    if cord is not None:
        read = cord if isinstance(cord, LabelImage) else load_cord(cord, "cord mask of the EPI")
        mask = on_grid_of(read, reference)
    require_direction_of_fields(chain, source, reference)
    require_known_world(chain, source, reference)
    warnings = [*remarks_of(source, reference, mask), *chain.remarks]
    if table is None:
        table, said = table_of_image(source)
        warnings += said
    borders, remarks = _borders(source, table)
    warnings += remarks
    sampler = LevelSampler(source, borders)
    warnings += require_arrival(sampler, reference, chain, mask, source.path)
    inside = None if mask is None else mask.data
    fractions = level_fractions(sampler, reference.grid, chain, cord=inside)
    painted, crowded = label_voxels(fractions, bounded=mask is not None)
    spread = {} if borders is None else spread_of_fractions(fractions, borders)
    found = coverage(fractions, painted)
    warnings += _remarks(found, crowded)
    words = [] if isinstance(transforms, Chain) else [os.fspath(word) for word in transforms]
    given = [source.path, reference.path, *(name for word in words for name in files_of(word))]
    given += [] if mask is None else [mask.path]
    return MappedLevels(
        fractions,
        LabelImage(painted, reference.grid, reference.header, source.path),
        rows_of(slice_fractions(fractions), fractions.levels, spread),
        found,
        chain,
        reference,
        mask,
        table,
        crowded,
        tuple(warnings),
        tuple(path for path in given if os.path.isfile(path)),
        {
            "Transforms": [os.path.basename(name) for name in words],
            "Inverted": [os.path.basename(os.fspath(word)) for word in inverted],
            "SamplesPerVoxel": list(fractions.samples),
        },
    )


def _borders(
    levels: LabelImage, table: LevelTable | None
) -> tuple[BordersOnCord | None, list[str]]:
    """Return the borders of the table on the labelled cord, or why they are not used."""
    if table is None:
        return None, []
    try:
        borders = BordersOnCord.of(levels, table)
    except InputError as error:
        return None, [f"the table of the levels is not used: {error}"]
    if borders is None:
        return None, [
            f"{levels.path} has borders that are not across the cord: its voxels are taken, "
            "without the uncertainties of the table beside it"
        ]
    return borders, []


def _remarks(found: tuple[Coverage, ...], crowded: tuple[SpinalLevel, ...]) -> list[str]:
    """Say which levels are not there, and which have no slice of their own."""
    remarks = []
    absent = [str(row.level) for row in found if row.volume_mm3 == 0]
    if absent:
        remarks.append(f"not within the image: {', '.join(absent)}")
    small = [str(row.level) for row in found if row.volume_mm3 > 0 and row.n_voxels == 0]
    if small:
        remarks.append(
            f"half a slice or less of these levels is within the image, and no voxel has their "
            f"label: {', '.join(small)}. Their fractions are written with -probseg"
        )
    if crowded:
        remarks.append(
            "the slices are so thick that these levels would hardly have a voxel, and some of "
            "their voxels hold more of another level or of none: "
            f"{', '.join(map(str, crowded))}. Use the fractions (-probseg) for these"
        )
    return remarks
