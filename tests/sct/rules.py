"""Rules of SCT's tools about levels, restated from its source (7.4.dev0), without SCT.

`spinalcordtoolbox/template.py`: get_slices_from_vertebral_levels, which
sct_process_segmentation and sct_extract_metric call on the image in the orientation RPI.
`spinalcordtoolbox/registration/labeling.py`: check_labels, and sct_register_to_template, which
wants every label to be in the template.
"""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from sct_rootlets.image import LabelImage
from sct_rootlets.levels import LevelTable

#: Labels of PAM50_spinal_midpoint and of PAM50_rootlets_midpoint, to which -lspinal and
#: -lrootlet have to belong.
TEMPLATE_SPINAL = set(range(1, 31))
TEMPLATE_ROOTLETS = set(range(2, 10))


def in_rpi(labels: LabelImage) -> NDArray[np.int64]:
    """Return the voxels in SCT's orientation RPI (nibabel's LAS)."""
    image = nib.Nifti1Image(np.asarray(labels.data, dtype=np.int16), labels.grid.affine)
    turn = ornt_transform(io_orientation(image.affine), axcodes2ornt("LAS"))
    return np.asarray(image.as_reoriented(turn).dataobj).astype(np.int64)


def level_of_slices(labels: LabelImage) -> dict[int, int]:
    """Return the level of every axial slice that has one: the rounded mean of what is not 0."""
    data = in_rpi(labels)
    found = {}
    for k in range(data.shape[2]):
        values = data[:, :, k][data[:, :, k] != 0]
        if len(values):
            found[k] = int(np.round(values.mean()))
    return found


def mixed_slices(labels: LabelImage) -> dict[int, set[int]]:
    """Return the slices with several levels, and which."""
    data = in_rpi(labels)
    found = {k: set(np.unique(data[:, :, k])) - {0} for k in range(data.shape[2])}
    return {k: values for k, values in found.items() if len(values) > 1}


def slices_of_levels(labels: LabelImage) -> dict[int, list[int]]:
    """Return the slices of every level, as `-perlevel 1` takes them."""
    found: dict[int, list[int]] = {}
    for k, level in level_of_slices(labels).items():
        found.setdefault(level, []).append(k)
    return found


def slices_by_table(table: LevelTable) -> dict[int, list[int]]:
    """Return the slices of every level by the columns slice_start and slice_end."""
    return {
        row.level.value: list(range(row.slices.start, row.slices.end + 1))
        for row in table.rows
        if row.slices is not None
    }


def level_by_table(table: LevelTable) -> dict[int, int]:
    """Return the level of every slice by the same columns."""
    return {k: level for level, slices in slices_by_table(table).items() for k in slices}


def landmark_problems(points: LabelImage, template: set[int]) -> list[str]:
    """Say what sct_register_to_template would refuse of point labels."""
    values = [int(v) for v in np.asarray(points.data)[np.asarray(points.data) != 0]]
    problems = []
    if len(values) != len(set(values)):
        problems.append("two labels with the same value")
    if not values:
        problems.append("no label")
    if not set(values) <= template:
        problems.append(f"not in the template: {sorted(set(values) - template)}")
    return problems
