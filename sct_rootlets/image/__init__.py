"""Images and their grids: loading with every check, saving with the header kept.

Frames
------
``ijk`` are voxel indices (a voxel's centre has integer indices), ``xyz_world`` are
millimetres in the scanner's RAS+ frame (x to the subject's right, y anterior,
z superior). Voxels appear here, at load and save; the science works in millimetres.
"""

from sct_rootlets.image.alignment import (
    on_grid_of,
    require_one_world,
    require_same_grid,
    resample_labels,
)
from sct_rootlets.image.amount import MOST_VOXELS
from sct_rootlets.image.cord import load_cord, load_cord_share, require_cord_size
from sct_rootlets.image.grid import Grid, Image, LabelImage
from sct_rootlets.image.opening import Opened, check_header, open_nifti, voxels_of
from sct_rootlets.image.reading import (
    as_labels,
    load_grid,
    load_image,
    load_labels,
    load_map,
    load_mask,
    load_reference,
    load_segmentation,
    load_share,
)
from sct_rootlets.image.saving import save

__all__ = [
    "MOST_VOXELS",
    "Grid",
    "Image",
    "LabelImage",
    "Opened",
    "as_labels",
    "check_header",
    "load_cord",
    "load_cord_share",
    "load_grid",
    "load_image",
    "load_labels",
    "load_map",
    "load_mask",
    "load_reference",
    "load_segmentation",
    "load_share",
    "on_grid_of",
    "open_nifti",
    "require_cord_size",
    "require_one_world",
    "require_same_grid",
    "resample_labels",
    "save",
    "voxels_of",
]
