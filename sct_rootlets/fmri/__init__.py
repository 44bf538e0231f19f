"""Spinal levels in the space of an EPI: fractions, labels, and which slice holds what."""

from sct_rootlets.fmri.fractions import Fractions, level_fractions
from sct_rootlets.fmri.mapping import MappedLevels, map_levels
from sct_rootlets.fmri.slices import Coverage, SliceRow, label_voxels, slice_fractions

__all__ = [
    "Coverage",
    "Fractions",
    "MappedLevels",
    "SliceRow",
    "label_voxels",
    "level_fractions",
    "map_levels",
    "slice_fractions",
]
