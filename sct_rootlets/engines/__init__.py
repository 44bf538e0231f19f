"""Engines turn an image into labels. They alone import torch and nnU-Net, when they run."""

from sct_rootlets.engines.engine import Engine, Progress, Segmentation, load_engine

__all__ = ["Engine", "Progress", "Segmentation", "load_engine"]
