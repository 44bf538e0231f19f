"""Engines turn an image into labels. They alone import torch and nnU-Net, when they run."""

from sct_rootlets.engines.choice import ENGINES, load_engine
from sct_rootlets.engines.engine import Engine, Progress, Segmentation

__all__ = ["ENGINES", "Engine", "Progress", "Segmentation", "load_engine"]
