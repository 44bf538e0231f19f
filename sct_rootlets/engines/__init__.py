"""Engines turn an image into labels. They alone import torch and nnU-Net, when they run."""

from sct_rootlets.engines.engine import ENGINES, Engine, Progress, Segmentation, load_engine

__all__ = ["ENGINES", "Engine", "Progress", "Segmentation", "load_engine"]
