"""Predictions measured against references, as the papers do, for any number of images."""

from sct_rootlets.evaluation.batch import Evaluation, evaluate, evaluation_files
from sct_rootlets.evaluation.one import PairResult, evaluate_pair
from sct_rootlets.evaluation.summary import Figure, format_summary

__all__ = [
    "Evaluation",
    "Figure",
    "PairResult",
    "evaluate",
    "evaluate_pair",
    "evaluation_files",
    "format_summary",
]
