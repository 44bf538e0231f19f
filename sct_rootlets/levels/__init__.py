"""Spinal levels from rootlets: entry zones, numbering, definitions, tables."""

from __future__ import annotations

from sct_rootlets.levels.derive import DEFINITIONS, Derived, derive
from sct_rootlets.levels.entry_zones import REACH_MM, EntryZones, measure
from sct_rootlets.levels.table import LevelRow, LevelTable
from sct_rootlets.levels.vertebrae import Numbering, disc_positions, number_rootlets

__all__ = [
    "DEFINITIONS",
    "REACH_MM",
    "Derived",
    "EntryZones",
    "LevelRow",
    "LevelTable",
    "Numbering",
    "derive",
    "disc_positions",
    "measure",
    "number_rootlets",
]
