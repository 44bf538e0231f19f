"""Networks set by hand, so that what an engine has to answer is known exactly.

Without normalisation layers a U-Net of one tap a convolution hands the intensity of one
neighbouring voxel through unchanged, and its last layer turns intensities into classes at
thresholds: its answer is the thresholded image, shifted by a known number of voxels along
known axes of the array.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from sct_rootlets.engines import load_engine
from sct_rootlets.engines.compact import CompactEngine
from sct_rootlets.engines.networks.openvino_network import import_openvino
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.store import locate

torch = pytest.importorskip("torch")
pytest.importorskip("dynamic_network_architectures")

from training.export import (  # noqa: E402
    build_network,
    folder_name,
    plain_conv_unet_kwargs,
    write_nnunet_folder,
)


def threshold_network(
    thresholds: Sequence[float],
    classes: Sequence[int],
    tap_zyx: Sequence[int] = (0, 0, 0),
    scale: float = 60.0,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return architecture and weights of a network that thresholds a neighbour's intensity.

    Parameters
    ----------
    thresholds : sequence of float
        Ascending intensities between classes.
    classes : sequence of int
        Class below the first threshold, between the first two, and so on.
    tap_zyx : (3,) sequence of int
        Which neighbour decides, each -1, 0 or 1: (1, 0, 0) is the next along array axis 0.
    scale : float
        Steepness of the class scores.
    """
    kwargs = plain_conv_unet_kwargs((2, 2), (1, 2), convolutions=1)
    kwargs.update(norm_op=None, norm_op_kwargs=None)
    network = build_network(kwargs, classes=len(classes))
    offset = 50.0  # keeps what passes the leaky ReLU positive, where it changes nothing
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first = network.encoder.stages[0][0].convs[0].conv
        first.weight[0, 0][tuple(1 + tap for tap in tap_zyx)] = 1
        first.bias[0] = offset
        last = network.decoder.stages[-1].convs[0].conv
        last.weight[0, 2, 1, 1, 1] = 1  # channel 2 is the first of the skip connection
        scores = network.decoder.seg_layers[-1]
        for rank, value in enumerate(classes):
            scores.weight[value, 0] = scale * rank
            scores.bias[value] = -scale * (sum(thresholds[:rank]) + rank * offset)
    return kwargs, network.state_dict()


Factory = Callable[..., Path]


def write_model(
    root: Path,
    thresholds: Sequence[float],
    classes: Sequence[int],
    *,
    tap_zyx: Sequence[int] = (0, 0, 0),
    configuration: str = "3d_fullres",
    spacing: float | Sequence[float] = 1.0,
    patch: Sequence[int] = (32, 32, 32),
    name: str = "model",
    extra: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Write an nnU-Net folder of a threshold network below `root` and return its path."""
    kwargs, weights = threshold_network(thresholds, classes, tap_zyx)
    spacing_zyx = [spacing] * 3 if isinstance(spacing, (int, float)) else spacing
    folder = root / name / folder_name(configuration)
    # Thresholds need more digits than the float16 that real weights are stored in.
    more = {"half_precision": False, **more}
    return write_nnunet_folder(
        folder, configuration, spacing_zyx, patch, kwargs, weights, extra, **more
    )


@contextlib.contextmanager
def edited(path: Path) -> Iterator[dict[str, Any]]:
    """Hand out what a JSON file holds, and write back what it then is."""
    content = json.loads(path.read_text())
    yield content
    path.write_text(json.dumps(content))


def write_random(
    root: Path,
    patch: Sequence[int],
    kwargs: dict[str, Any] | None = None,
    *,
    seeds: Sequence[int] = (7,),
    spacing: Sequence[float] = (1, 1, 1),
    spread: bool = False,
    **more: Any,
) -> Path:
    """Write an nnU-Net folder of random weights below `root`, a fold a seed; return its path.

    With `spread`, norms and biases are random too.
    """
    kwargs = kwargs or plain_conv_unet_kwargs((6, 10, 12), (1, 2, 2))
    folder = root / folder_name("3d_fullres")
    for seed in seeds:
        torch.manual_seed(seed)
        network = build_network(kwargs)
        for parameter in network.parameters() if spread else ():
            torch.nn.init.normal_(parameter, 0.1, 0.3)
        fold = "all" if len(seeds) == 1 else seed
        write_nnunet_folder(
            folder, "3d_fullres", spacing[-len(patch) :], patch, kwargs, network.state_dict(),
            fold=fold, **more,
        )  # fmt: skip
    return folder


def compiled_layers(xml: Path, weights: Path, **how: Any) -> list[tuple[Any, dict[str, str]]]:
    """Return what OpenVINO computes of a network, in its order, and what it says of each."""
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(str(xml), str(weights)), "CPU", how)
    keys = ("layerType", "execOrder", "runtimePrecision")
    layers = [
        (layer, {key: str(layer.get_rt_info()[key].value) for key in keys})
        for layer in compiled.get_runtime_model().get_ordered_ops()
    ]
    return sorted(layers, key=lambda layer: int(layer[1]["execOrder"]))


@pytest.fixture
def model_folder(tmp_path: Path) -> Factory:
    """Write models as :func:`write_model` does, below a temporary folder."""
    return functools.partial(write_model, tmp_path)


def reoriented(image: Image, orientation_nib: str) -> Image:
    """Return the same image with its voxels stored in another orientation."""
    present = io_orientation(image.grid.affine)
    change = ornt_transform(present, axcodes2ornt(orientation_nib))
    data = nib.orientations.apply_orientation(image.data, change)
    affine = image.grid.affine @ inv_ornt_aff(change, image.data.shape)
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return type(image)(data, Grid(shape, affine), None, image.path)


#: Intensity of background, cord, CSF and rootlets in :func:`spine`.
#: (none of them 0, which nnU-Net would crop away).
INTENSITY = {"background": 20.0, "cord": 120.0, "csf": 220.0, "rootlet": 320.0}
CORD, CSF, ROOTLET = 1, 2, 3


def spine_labels(xyz_world: np.ndarray) -> np.ndarray:
    """Return the class at world points (..., 3): a bent cord, CSF, rootlets on its left."""
    x, y, z = np.moveaxis(np.asarray(xyz_world, dtype=float), -1, 0)
    dx, dy = x - 0.03 * z - 1.3, y - 4 * np.sin(z / 30)
    radius = np.hypot(dx, dy)
    labels = np.where(radius < 8, CSF, 0)
    labels[radius < 5] = CORD
    # Filaments 2.6 mm thick leave the dorsal left side every 16 mm and end asymmetrically.
    along = np.mod(z, 16)
    filament = (np.hypot(dx + 6.5, dy + 3) < 1.8) & (along < 7)
    labels[filament] = ROOTLET
    return labels.astype(np.uint8)


def spine(affine: np.ndarray, shape: tuple[int, int, int]) -> tuple[Image, LabelImage]:
    """Return an image of :func:`spine_labels`, and the labels, sampled at voxel centres."""
    grid = Grid(shape, affine)
    labels = spine_labels(grid.world_from_ijk(np.moveaxis(np.indices(shape), 0, -1)))
    levels = np.array(list(INTENSITY.values()), dtype=np.float32)
    return Image(levels[labels], grid, None, "spine"), LabelImage(labels, grid, None, "truth")


def thresholds_for(volume: np.ndarray) -> tuple[list[float], list[int]]:
    """Return z-scored thresholds between the intensities of :func:`spine`, and the classes."""
    middles = np.array([70.0, 170.0, 270.0])
    z_scored = (middles - volume.mean()) / volume.std()
    return [float(value) for value in z_scored], [0, CORD, CSF, ROOTLET]


#: What tells the compact model from another: see dataset.json.
COMPACT = {"sct_rootlets": {"rootlet_threshold": 0.7}}


@pytest.fixture
def compact(model_folder: Factory):
    """Load a two-step model whose networks threshold intensities."""

    def load(
        fine_volume: np.ndarray,
        coarse_threshold: float | None = 1.0,
        tap_zyx: tuple[int, int, int] = (0, 0, 0),
        **more,
    ) -> CompactEngine:
        thresholds, classes = thresholds_for(fine_volume)
        if coarse_threshold is not None:
            model_folder(
                [coarse_threshold, 50, 60],
                [0, CORD, CSF, ROOTLET],
                patch=(24, 24, 24),
                configuration="3d_lowres",
                spacing=2.0,
                extra=COMPACT,
            )
        folder = model_folder(
            thresholds,
            classes,
            tap_zyx=tap_zyx,
            patch=(32, 24, 24),
            **{"extra": COMPACT, **more},
        )
        engine = load_engine(locate(folder), "cpu", 1)
        assert isinstance(engine, CompactEngine)
        return engine

    return load
