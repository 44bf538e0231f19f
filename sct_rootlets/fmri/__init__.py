"""Spinal levels in the space of an EPI: fractions, labels, and which slice holds what."""

from sct_rootlets.fmri.analysis import Analysis, SeriesResult, analyse
from sct_rootlets.fmri.fractions import Fractions, level_fractions
from sct_rootlets.fmri.group import group, group_tsv
from sct_rootlets.fmri.mapped import MappedLevels
from sct_rootlets.fmri.mapping import map_levels
from sct_rootlets.fmri.parcels import Parcel, Parcels, level_parcels
from sct_rootlets.fmri.regions import region_parcels
from sct_rootlets.fmri.slices import Coverage, SliceRow, label_voxels, slice_fractions

__all__ = [
    "Analysis",
    "Coverage",
    "Fractions",
    "MappedLevels",
    "Parcel",
    "Parcels",
    "SeriesResult",
    "SliceRow",
    "analyse",
    "group",
    "group_tsv",
    "label_voxels",
    "level_fractions",
    "level_parcels",
    "map_levels",
    "region_parcels",
    "slice_fractions",
]
