"""What was found in an image, and how it is written down.

A run's result (`run`) is the rootlets that a network predicted and the levels derived from
them (`levels`); a network alone leaves its prediction (`predicted`).
"""

from sct_rootlets.result.levels import LevelsResult
from sct_rootlets.result.predicted import Predicted
from sct_rootlets.result.run import Result

__all__ = ["LevelsResult", "Predicted", "Result"]
