"""Spinal levels from rootlets: entry zones, numbering, definitions, tables."""

from __future__ import annotations

from sct_rootlets.levels.derive import DEFINITIONS, Derived, derive, numbered
from sct_rootlets.levels.numbering.assignment import Numbering, number_rootlets
from sct_rootlets.levels.numbering.identity import (
    Identity,
    check_identity,
    predict_ends,
    renumber_labels,
)
from sct_rootlets.levels.options import LevelOptions
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.levels.zones.entry_zones import REACH_MM, EntryZones, measure

__all__ = [
    "DEFINITIONS",
    "REACH_MM",
    "Derived",
    "EntryZones",
    "Identity",
    "LevelOptions",
    "LevelRow",
    "LevelTable",
    "Numbering",
    "VertebralColumn",
    "check_identity",
    "derive",
    "measure",
    "number_rootlets",
    "numbered",
    "predict_ends",
    "renumber_labels",
]
