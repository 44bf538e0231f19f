"""A full-size model of the official kind with random weights, and the images to time it on.

The official models cannot be part of a repository, and their time does not depend on their
weights. What comes out of a random network is close to noise: neighbouring classes are
hardly apart anywhere, so that a small difference of arithmetic changes the class of many
voxels. Agreement on it is a worst case, and is no measure of agreement on trained weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.phantom_masks import PROOF
from sct_rootlets.image import save
from sct_rootlets.phantom import Acquisition, make_grid, random_anatomy, render

__all__ = [
    "FULL",
    "LARGE",
    "TINY",
    "TINY_LARGE",
    "TINY_USUAL",
    "USUAL",
    "Size",
    "TestImage",
    "mixture",
    "write_image",
    "write_model",
]

#: Seed of the weights, and of the anatomy on the images.
WEIGHTS_SEED, ANATOMY_SEED = 5, PROOF + 2
#: Standard deviation of the class scores, about that of a trained network's in the background.
SCORE_SPREAD = 4.0


@dataclass(frozen=True)
class Size:
    """How large a network is.

    Attributes
    ----------
    patch_zyx : (3,) tuple of int
        Voxels of a tile in nnU-Net's order.
    features : tuple of int
        Channels of each stage.
    strides_zyx : tuple of (3,) tuple of int
        Stride at the start of each stage.
    spacing_mm : float
    levels : int
        Outputs besides the background.
    """

    patch_zyx: tuple[int, int, int]
    features: tuple[int, ...]
    strides_zyx: tuple[tuple[int, int, int], ...]
    spacing_mm: float = 0.8
    levels: int = 9


#: What nnU-Net plans for that patch: an axis is halved as long as 4 voxels of it remain.
FULL = Size(
    (224, 224, 48),
    (32, 64, 128, 256, 320, 320),
    ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 1), (2, 2, 1)),
)


@dataclass(frozen=True)
class TestImage:
    """Shape (left-right, front-back, along the body) and spacing of a test image."""

    __test__ = False  # no test of pytest's

    name: str
    shape: tuple[int, int, int]
    spacing_mm: float


USUAL = TestImage("usual", (64, 320, 320), 0.8)
LARGE = TestImage("large", (160, 640, 640), 0.4)
#: The same for ``-quick``: they only show that everything runs.
TINY = Size((32, 32, 16), (8, 16, 32), ((1, 1, 1), (2, 2, 2), (2, 2, 2)), spacing_mm=4.0)
TINY_USUAL = TestImage("tiny-usual", (14, 64, 64), 4.0)
TINY_LARGE = TestImage("tiny-large", (32, 128, 128), 2.0)


def write_model(folder: Path, size: Size = FULL, seed: int = WEIGHTS_SEED) -> Path:
    """Write a random model as an nnU-Net v2 folder below `folder` and return its path.

    The weights are drawn after He et al. 2015 (10.1109/ICCV.2015.123), as nnU-Net does; those
    of the last layer so that no class wins everywhere.
    """
    import torch

    from training.export import (
        build_network,
        folder_name,
        plain_conv_unet_kwargs,
        write_nnunet_folder,
    )

    kwargs = plain_conv_unet_kwargs(size.features, [1] * len(size.features))
    kwargs["strides"] = [list(stride) for stride in size.strides_zyx]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Any = build_network(kwargs, size.levels + 1)
        last = network.decoder.seg_layers[-1]
        with torch.no_grad():
            # Features behind a norm and a leaky ReLU: mean square 0.5. Centred over them, a
            # class gets no score that is the same in every voxel.
            weights = torch.randn_like(last.weight)
            weights -= weights.mean(dim=1, keepdim=True)
            last.weight.copy_(weights * SCORE_SPREAD / (0.5 * weights[0].numel()) ** 0.5)
            last.bias.zero_()
    labels = {"background": 0, **{f"lvl{n}": n for n in range(1, size.levels + 1)}}
    return write_nnunet_folder(
        folder / folder_name("3d_fullres"),
        "3d_fullres",
        (size.spacing_mm,) * 3,
        size.patch_zyx,
        kwargs,
        network.state_dict(),
        {"image_orientation": "LPI"},
        labels=labels,
        mirroring_axes=(0, 1, 2),
        half_precision=False,
    )


def write_image(folder: Path, image: TestImage, seed: int = ANATOMY_SEED) -> dict[str, Path]:
    """Write a phantom on the grid of `image` and its cord mask; return their paths.

    Files that are there are taken as they are: the large image takes minutes to render.
    """
    paths = {part: folder / f"{image.name}-{part}.nii.gz" for part in ("image", "cord")}
    if all(path.exists() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    anatomy = random_anatomy(seed)
    grid = make_grid(
        anatomy,
        (image.spacing_mm,) * 3,
        field_of_view_mm=[n * image.spacing_mm for n in image.shape],
    )
    if grid.shape != image.shape:
        raise ValueError(f"the grid is {grid.shape}, not {image.shape}")
    phantom = render(anatomy, grid, Acquisition(seed=seed))
    for part, what in (("cord", phantom.cord), ("image", phantom.image)):
        partial = folder / f".partial-{paths[part].name}"
        save(what, partial)
        partial.replace(paths[part])
    return paths


def mixture(labels: NDArray[Any]) -> dict[int, float]:
    """Return the share of the voxels of each class that is there."""
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    return {int(v): float(n) / int(counts.sum()) for v, n in zip(values, counts, strict=True)}
