"""Spinal levels from rootlets: entry zones, numbering, definitions, tables."""

from __future__ import annotations

from sct_rootlets.levels.column import VertebralColumn, disc_positions
from sct_rootlets.levels.derive import DEFINITIONS, Derived, derive
from sct_rootlets.levels.entry_zones import REACH_MM, EntryZones, measure
from sct_rootlets.levels.identity import (
    Identity,
    check_identity,
    predict_ends,
    renumber_labels,
)
from sct_rootlets.levels.numbering import Numbering, number_rootlets
from sct_rootlets.levels.table import LevelRow, LevelTable

__all__ = [
    "DEFINITIONS",
    "REACH_MM",
    "Derived",
    "EntryZones",
    "Identity",
    "LevelRow",
    "LevelTable",
    "Numbering",
    "VertebralColumn",
    "check_identity",
    "derive",
    "disc_positions",
    "measure",
    "number_rootlets",
    "predict_ends",
    "renumber_labels",
]
