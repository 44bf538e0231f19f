"""From one image to a table of spinal levels: checks, prediction, derivation.

This is the one room that knows the engines, the store and the levels. Inputs are checked
before anything heavy is loaded (`inputs_of_run`), and what a run needs is asked for before it
starts, not after minutes of prediction (`refusals`). Then a network is found and loaded
(`network`) and works on one image (`one`) or on several, which share it (`many`). Where the
rootlets are there already, no network is needed (`from_rootlets`).
"""

from sct_rootlets.inputs import Landmarks
from sct_rootlets.levels import LevelOptions
from sct_rootlets.pipeline.from_rootlets import levels
from sct_rootlets.pipeline.many import segment_many
from sct_rootlets.pipeline.network import Settings
from sct_rootlets.pipeline.one import run, segment
from sct_rootlets.prefetch import Outcome
from sct_rootlets.result import Predicted

__all__ = [
    "Landmarks",
    "LevelOptions",
    "Outcome",
    "Predicted",
    "Settings",
    "levels",
    "run",
    "segment",
    "segment_many",
]
