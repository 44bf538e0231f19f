"""From tissue to signal: contrasts, texture, receive field, blur and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.image import Grid
from sct_rootlets.phantom.tissue import Tissue

__all__ = ["Acquisition", "scan", "signals", "smooth_field"]

#: Mean and spread of each tissue's signal in T2w and T1w, relative to CSF and to fat there.
_SIGNALS = {
    Tissue.AIR: ((0.01, 0.01), (0.01, 0.01)),
    Tissue.MUSCLE: ((0.14, 0.05), (0.35, 0.07)),
    Tissue.FAT: ((0.45, 0.25), (1.0, 0.1)),
    Tissue.MARROW: ((0.22, 0.12), (0.55, 0.12)),
    Tissue.CORTEX: ((0.05, 0.03), (0.08, 0.04)),
    Tissue.DISC: ((0.22, 0.14), (0.38, 0.1)),
    Tissue.CSF: ((1.0, 0.05), (0.16, 0.06)),
    Tissue.WHITE: ((0.32, 0.08), (0.62, 0.08)),
    Tissue.GREY: ((0.39, 0.08), (0.52, 0.08)),
    Tissue.DURA: ((0.12, 0.06), (0.3, 0.08)),
    Tissue.EPIDURAL: ((0.4, 0.2), (0.6, 0.2)),
    Tissue.LIGAMENT: ((0.1, 0.05), (0.15, 0.06)),
    Tissue.BRAIN: ((0.4, 0.08), (0.6, 0.08)),
    Tissue.ARTERY: ((0.35, 0.35), (0.3, 0.25)),
    Tissue.THREAD: ((0.33, 0.1), (0.5, 0.1)),
}


@dataclass(frozen=True)
class Acquisition:
    """How the phantom is scanned.

    Attributes
    ----------
    contrast : {"T2w", "T1w", "random"}
    noise : float
        Standard deviation of the complex noise over the 99th percentile of the signal.
    bias : float
        Strength of the receive field: the largest relative deviation, about.
    blur_mm : float
        Standard deviation of the point spread function beyond the voxel's box.
    seed : int
        Of the tissue's signal, the texture and the noise.
    """

    contrast: str = "T2w"
    noise: float = 0.02
    bias: float = 0.25
    blur_mm: float = 0.25
    seed: int = 0


def signals(acquisition: Acquisition, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the signal of every tissue, (number of tissues,)."""
    if acquisition.contrast == "random":
        drawn = list(rng.uniform(0.02, 1.0, len(Tissue)))
    else:
        column = {"T2w": 0, "T1w": 1}[acquisition.contrast]
        drawn = [max(0.0, rng.normal(*_SIGNALS[tissue][column])) for tissue in Tissue]
    if acquisition.contrast != "T1w":  # what is thin in the CSF resembles the cord
        drawn[Tissue.THREAD] = drawn[Tissue.WHITE] * rng.uniform(0.8, 1.3)
    return np.array(drawn, np.float32)


def smooth_field(
    shape: Sequence[int], cells: Sequence[int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return smooth noise of unit variance: a coarse random grid, interpolated to `shape`."""
    field = rng.standard_normal([max(2, c) for c in cells]).astype(np.float32)
    for axis, n in enumerate(shape):  # linear interpolation, one axis after the other
        count = field.shape[axis]
        position = np.linspace(0, count - 1, n)
        left = np.minimum(position.astype(int), count - 2)
        weights = np.zeros((n, count), np.float32)
        weights[np.arange(n), left] = 1 - (position - left)
        weights[np.arange(n), left + 1] = position - left
        field = np.moveaxis(np.tensordot(weights, field, (1, axis)), 0, axis)
    return np.ascontiguousarray(field)


def scan(
    clean: NDArray[np.float32], grid: Grid, acquisition: Acquisition, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add texture, blur, the receive field and Rician noise to the clean signal."""
    size_mm = np.array(grid.shape) * grid.spacing_mm
    texture = smooth_field(grid.shape, [int(mm / 4) for mm in size_mm], rng)
    field = smooth_field(grid.shape, [int(mm / 70) + 2 for mm in size_mm], rng)
    image = clean * (1 + 0.05 * texture) * np.exp(acquisition.bias * 0.5 * field)
    image = ndimage.gaussian_filter(image, acquisition.blur_mm / grid.spacing_mm)
    sigma = acquisition.noise * float(np.percentile(image, 99))
    real = image + rng.normal(0, sigma, image.shape)
    magnitude = np.hypot(real, rng.normal(0, sigma, image.shape))
    return (magnitude * 1000).astype(np.float32)
