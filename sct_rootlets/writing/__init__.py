"""Results on disk: their `names`, what they may not replace (`guards`), and how they are written.

What `stage` stages appears whole or not at all, when the set of outputs it is part of is closed.
"""

from sct_rootlets.writing.guards import require_apart, require_free
from sct_rootlets.writing.names import (
    SUFFIXES,
    image_outputs,
    level_files,
    levels_target,
    segmentation_targets,
    stem_of,
)
from sct_rootlets.writing.stage import (
    stage_cord,
    stage_intermediate,
    stage_levels,
    stage_segmentation,
)

__all__ = [
    "SUFFIXES",
    "image_outputs",
    "level_files",
    "levels_target",
    "require_apart",
    "require_free",
    "segmentation_targets",
    "stage_cord",
    "stage_intermediate",
    "stage_levels",
    "stage_segmentation",
    "stem_of",
]
