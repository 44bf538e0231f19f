"""From one image to a table of spinal levels: checks, prediction, derivation.

This is the one room that knows the engines, the store and the levels. Inputs are checked
before anything heavy is loaded (`given`), and what a run needs is asked for before it starts,
not after minutes of prediction (`refusals`). Then a network is found and loaded (`network`)
and works on one image (`one`) or on several, which share it (`many`).
"""

from sct_rootlets.derivation import LevelOptions, derive_levels, levels
from sct_rootlets.pipeline.many import segment_many
from sct_rootlets.pipeline.one import run, segment
from sct_rootlets.prefetch import Outcome
from sct_rootlets.result import Predicted

__all__ = [
    "LevelOptions",
    "Outcome",
    "Predicted",
    "derive_levels",
    "levels",
    "run",
    "segment",
    "segment_many",
]
