"""Measures of every spinal level: the area of the cord on planes across it, and maps within it."""

from sct_rootlets.perlevel.per_level import measure, perlevel_target
from sct_rootlets.perlevel.result import PerLevelResult

__all__ = ["PerLevelResult", "measure", "perlevel_target"]
