"""Training patches: a contrast, a resolution and noise drawn for a piece of geometry.

Every patch is fresh: the bank gives tissue, the rest is drawn here. The classes are
0 background, 1 cord, 2 CSF, 3 rootlet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.phantom.contrast import Acquisition, signals, smooth_field
from sct_rootlets.phantom.render import CORD_SHARE, ROOTLET_SHARE, pool
from sct_rootlets.phantom.tissue import Tissue
from training.bank import make_volume, volume_path
from training.pam50 import Pam50

__all__ = ["AS_PHANTOM", "Bank", "Look", "fine_patch", "numbered_patch", "wide_patch"]

#: Volumes that the very first patches draw on.
FIRST_VOLUMES = 60

Patch = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Look:
    """How often a fine patch looks otherwise than the phantom's contrasts make it.

    Attributes
    ----------
    inverted : float
        Share of patches whose signal is turned over, bright for dark; what gives no signal
        stays dark.
    sliced : float
        Share of patches of thick slices: averages over 1.5 to 3 mm, interpolated again.
    """

    inverted: float = 0.0
    sliced: float = 0.0


#: Nothing but the phantom's own contrasts and a Gaussian point spread.
AS_PHANTOM = Look()


class Bank:
    """The volumes of one kind, as memory maps; one that is missing is made when it is drawn.

    Which volume a patch comes from follows from the patch's number alone, so that a
    training run is the same whether the bank was filled before it, beside it or by it.

    Parameters
    ----------
    folder : path-like
    kind : {"fine", "wide"}
    count : int
        Volumes of the full bank. The first patches draw on the first volumes only.
    pam50 : path-like, optional
        PAM50's label maps, for volumes that have to be made.
    """

    def __init__(
        self, folder: str | Path, kind: str, count: int, pam50: str | Path | None = None
    ) -> None:
        self.folder, self.kind, self.count, self.pam50 = Path(folder), kind, count, pam50
        self._template: Pam50 | None = None

    def draw(self, number: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the volume of patch `number`, (channels, z, y, x)."""
        index = int(rng.integers(min(self.count, FIRST_VOLUMES + number // 5)))
        path = volume_path(self.folder, self.kind, index)
        if not path.exists():
            if self.pam50 is not None and self._template is None:
                self._template = Pam50(self.pam50)
            make_volume(self.folder, self.kind, index, self._template)
        volume: NDArray[np.uint8] = np.load(path, mmap_mode="r")
        return volume


def _crop(
    volume: NDArray[np.uint8], size: Sequence[int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Cut a box of `size` (z, y, x) out of `volume`, padded with air where it is smaller."""
    starts = [int(rng.integers(0, max(1, have - want + 1)))
              for have, want in zip(volume.shape[1:], size, strict=True)]  # fmt: skip
    box = tuple(slice(a, a + want) for a, want in zip(starts, size, strict=True))
    piece = np.array(volume[(slice(None), *box)])
    lacking = [want - have for have, want in zip(piece.shape[1:], size, strict=True)]
    if any(lacking):
        piece = np.pad(piece, [(0, 0), *[(0, n) for n in lacking]])
    if rng.random() < 0.5:
        piece = piece[:, :, :, ::-1]  # left and right are alike
    return piece


def _acquisition(rng: np.random.Generator) -> Acquisition:
    contrast = rng.choice(["T2w", "T1w", "random"], p=[0.75, 0.12, 0.13])
    noise = float(np.exp(rng.uniform(np.log(0.006), np.log(0.09))))
    return Acquisition(str(contrast), noise=noise, bias=float(rng.uniform(0, 0.5)))


def _tissue_signal(
    tissue: NDArray[np.uint8], signal: NDArray[np.float32], mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Paint the tissue, uneven within itself, with darker flow in the CSF."""
    half = tuple((n + 1) // 2 for n in tissue.shape)

    def field(every_mm: float) -> NDArray[np.float32]:
        # Made at half the resolution, which is fine enough for what varies over millimetres.
        cells = [int(n * 2 * mm / every_mm) for n in half]
        coarse = smooth_field(half, cells, rng)
        for axis, n in enumerate(tissue.shape):
            coarse = np.repeat(coarse, 2, axis=axis).take(np.arange(n), axis=axis)
        return coarse

    bright = signal[tissue]
    uneven = (tissue != Tissue.CSF) & (tissue != Tissue.WHITE) & (tissue != Tissue.GREY)
    fine = field(2.5)
    # Muscle, fat and bone are far less even than the cord and the CSF.
    bright *= np.where(
        uneven, np.exp(rng.uniform(0.05, 0.5) * fine), 1 + rng.uniform(0, 0.08) * fine
    )
    bright *= 1 + rng.uniform(0, 0.12) * field(9.0)
    if rng.random() < 0.5:  # pulsating CSF loses signal here and there
        void = np.clip(field(7.0) - rng.uniform(0.3, 1.2), 0, 1) * rng.uniform(0.2, 0.8)
        bright *= np.where(tissue == Tissue.CSF, 1 - void, 1)
    return bright


def _finish(
    image: NDArray[np.float32], acquisition: Acquisition, mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Receive field, noise, gamma, a black end; (z, y, x)."""
    size = np.array(image.shape) * mm
    field = smooth_field(image.shape, [int(s / 40) + 2 for s in size], rng)
    image = image * np.exp(acquisition.bias * 0.5 * field)
    sigma = acquisition.noise * float(np.percentile(image, 99.5))
    noise = rng.normal(0, sigma, (2, *image.shape)).astype(np.float32)
    if rng.random() < 0.4:  # an image that was interpolated has correlated noise
        width = rng.uniform(0.3, 0.7)
        noise = ndimage.gaussian_filter(noise, (0, width, width, width)) * (1 + 1.5 * width)
    image = np.hypot(np.clip(image + noise[0], 0, None), noise[1])
    image = (image / max(float(image.max()), 1e-6)) ** np.exp(rng.normal(0, 0.2))
    if rng.random() < 0.06:  # an image that was rotated or masked is black beyond its end
        image[_end(image.shape, rng)] = 0
    return np.asarray(image, dtype=np.float32)


def _end(shape: Sequence[int], rng: np.random.Generator) -> tuple[slice, ...]:
    """Draw a slab at one end of a box of `shape`, more often across z than across x or y."""
    axis = int(rng.choice(3, p=[0.7, 0.15, 0.15]))
    n = int(rng.integers(1, int(0.45 * shape[axis])))
    slab = [slice(None)] * 3
    slab[axis] = slice(0, n) if rng.random() < 0.5 else slice(-n, None)
    return tuple(slab)


def _normalised(
    image: NDArray[np.float32], classes: NDArray[np.int64], rng: np.random.Generator
) -> Patch:
    """Z-score; of every third patch a part lies beyond the end of the image.

    Beyond the end of an image, inference pads with 0 after the z-score (as nnU-Net does),
    and nothing is to be found there. Crops of few centimetres are common.
    """
    seen = np.ones(image.shape, dtype=bool)
    if rng.random() < 0.35:
        seen[_end(image.shape, rng)] = False
    mean, spread = float(image[seen].mean()), float(image[seen].std())
    image = np.where(seen, (image - mean) / max(spread, 1e-6), 0).astype(np.float32)
    return image, np.where(seen, classes, 0)


def _inverted(bright: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the signal over; air and cortical bone, which give none, stay dark."""
    top = float(np.percentile(bright, 99.5))
    turned = np.clip(top - bright, 0, None)
    return np.where(bright > 0.02 * top, turned, bright).astype(np.float32)


def _sliced(bright: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Average over thick slices, sagittal or axial, and interpolate between them.

    `bright` has voxels of 0.5 mm. Half of the time the slices overlap so much that there is
    one at every voxel, as in an image that was interpolated by its scanner.
    """
    axis = 2 if rng.random() < 0.7 else 0  # x, across sagittal slices; z, across axial ones
    thick = int(rng.integers(3, 7))
    averages = ndimage.uniform_filter1d(bright, thick, axis=axis, mode="nearest")
    if rng.random() < 0.5:
        return averages
    n = bright.shape[axis]
    at = np.arange(int(rng.integers(thick)), n, thick)
    position = np.clip(np.interp(np.arange(n), at, np.arange(len(at))), 0, len(at) - 1)
    left = np.minimum(position.astype(int), max(len(at) - 2, 0))
    right = np.minimum(left + 1, len(at) - 1)
    share = (position - left).astype(np.float32)
    share = share.reshape([-1 if a == axis else 1 for a in range(3)])
    out: NDArray[np.float32] = averages.take(at[left], axis=axis) * (1 - share)
    out += averages.take(at[right], axis=axis) * share
    return out


def fine_patch(
    volume: NDArray[np.uint8],
    size: Sequence[int],
    rng: np.random.Generator,
    look: Look = AS_PHANTOM,
) -> Patch:
    """Draw one patch of `size` (z, y, x) voxels of 1 mm from a fine volume.

    Returns
    -------
    image : (z, y, x) float32 array
    classes : (z, y, x) int64 array
    """
    margin = 4  # for the blur, in voxels of 0.5 mm
    # Offsets of half a voxel come from the crop, which is made at 0.5 mm.
    piece = _crop(volume, [2 * n + 2 * margin for n in size], rng)
    tissue = piece[0]
    thread = piece[1].astype(np.float32) / 255
    painted = piece[2].astype(np.float32) / 255
    acquisition = _acquisition(rng)
    signal = signals(acquisition, rng)
    bright = _tissue_signal(tissue, signal, 0.5, rng)
    bright += thread * rng.uniform(0.6, 1.0) * (signal[Tissue.THREAD] - bright)
    # Point spread: isotropic, or thick slices across one axis (z or x).
    sigma = np.full(3, rng.uniform(0.2, 0.9))  # in voxels of 0.5 mm
    kind = rng.random()
    if kind < 0.25:
        sigma[2] += rng.uniform(0.5, 2.0)  # sagittal slices up to 2.5 mm
    elif kind < 0.4:
        sigma[0] += rng.uniform(0.5, 2.0)  # axial ones
    bright = ndimage.gaussian_filter(bright, sigma, truncate=3)
    # A share of 0 draws nothing, so that a recipe without it gives the patches it always gave.
    if look.sliced and rng.random() < look.sliced:
        bright = _sliced(bright, rng)
    if look.inverted and rng.random() < look.inverted:
        bright = _inverted(bright)
    inner = (slice(margin, -margin),) * 3
    two = (2, 2, 2)
    image = _finish(pool(bright[inner], two), acquisition, 1.0, rng)
    in_cord = (tissue == Tissue.WHITE) | (tissue == Tissue.GREY)
    cord = pool(in_cord[inner].astype(np.float32), two) >= CORD_SHARE
    csf = pool((tissue == Tissue.CSF)[inner].astype(np.float32), two) >= 0.5
    rootlet = pool(painted[inner], two) >= ROOTLET_SHARE
    return _normalised(image, np.select([cord, rootlet, csf], [1, 3, 2], 0), rng)


def wide_patch(volume: NDArray[np.uint8], size: Sequence[int], rng: np.random.Generator) -> Patch:
    """Draw one patch of `size` (z, y, x) voxels of 2 mm from a wide volume."""
    piece = _crop(volume, [2 * n for n in size], rng)
    tissue = piece[0]
    acquisition = _acquisition(rng)
    bright = _tissue_signal(tissue, signals(acquisition, rng), 1.0, rng)
    sigma = np.full(3, rng.uniform(0.2, 0.7))
    if rng.random() < 0.4:
        sigma[int(rng.choice([0, 2]))] += rng.uniform(0.5, 1.5)
    two = (2, 2, 2)
    image = _finish(pool(ndimage.gaussian_filter(bright, sigma), two), acquisition, 2.0, rng)
    in_cord = (tissue == Tissue.WHITE) | (tissue == Tissue.GREY)
    cord = pool(in_cord.astype(np.float32), two) >= CORD_SHARE
    csf = pool((tissue == Tissue.CSF).astype(np.float32), two) >= 0.5
    return _normalised(image, np.select([cord, csf], [1, 2], 0), rng)


def numbered_patch(
    bank: Bank, size: Sequence[int], seed: int, number: int, look: Look = AS_PHANTOM
) -> Patch:
    """Return patch `number` of the endless sequence that `seed` stands for."""
    rng = np.random.default_rng([seed, number])
    volume = bank.draw(number, rng)
    if bank.kind == "fine":
        return fine_patch(volume, size, rng, look)
    return wide_patch(volume, size, rng)
