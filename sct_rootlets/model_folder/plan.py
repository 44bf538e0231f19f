"""What a model's plans.json and dataset.json say about inference, read without nnU-Net.

Only what our own sliding window reproduces is accepted; the rest is left to nnU-Net's
predictor, which knows everything that nnU-Net can write there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.model_json import read_json

__all__ = [
    "Normalisation",
    "Plan",
    "Resampling",
    "UnsupportedPlan",
    "number_of_classes",
    "read_plan",
]

_COPY_AGAIN = "Copy or unzip the model again"

#: nnU-Net's normalisations that :mod:`sct_rootlets.engines.network_grid.preprocess` has.
_SCHEMES = (
    "ZScoreNormalization",
    "CTNormalization",
    "NoNormalization",
    "RescaleTo01Normalization",
)


class UnsupportedPlan(Exception):
    """The plans ask for something that only nnU-Net itself can do; the text says what."""


@dataclass(frozen=True)
class Resampling:
    """How nnU-Net's ``resample_data_or_seg_to_shape`` is to interpolate.

    Attributes
    ----------
    order : int
        Of the spline, along all axes, or in the plane where an axis is resampled apart.
    force_separate_z : bool or None
        Whether the axis of the largest spacing is resampled apart, to the nearest voxel;
        None where the anisotropy decides.
    """

    order: int
    force_separate_z: bool | None


@dataclass(frozen=True)
class Normalisation:
    """How intensities are normalised.

    Attributes
    ----------
    scheme : str
        Name of nnU-Net's class.
    use_mask : bool
        Whether only voxels within the nonzero mask count.
    properties : dict of str to float
        Intensities of the training set, which CTNormalization uses.
    """

    scheme: str
    use_mask: bool
    properties: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """One configuration, as inference needs it.

    Axes are the network's: those of nnU-Net's arrays (z, y, x) after `transpose`.

    Attributes
    ----------
    configuration : str
        Such as ``"3d_fullres"``.
    transpose, transpose_back : (3,) tuples of int
    spacing_mm : (2,) or (3,) tuple of float
        Of the network. With two, the first axis keeps the image's own spacing.
    patch : (2,) or (3,) tuple of int
        With two, the network sees one slice at a time.
    normalisation : Normalisation
    image_resampling, score_resampling : Resampling
    classes : int
        Scores that the network gives for a voxel, the background's included.
    """

    configuration: str
    transpose: tuple[int, ...]
    transpose_back: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    patch: tuple[int, ...]
    normalisation: Normalisation
    image_resampling: Resampling
    score_resampling: Resampling
    classes: int

    @property
    def is_2d(self) -> bool:
        """Whether the network sees one slice at a time."""
        return len(self.patch) == 2


def read_plan(folder: Path, configuration: str) -> Plan:
    """Read the plan of a `configuration` of the model in `folder`.

    Raises
    ------
    ModelError
        If plans.json or dataset.json cannot be read or lack what nnU-Net writes; if the
        network takes more than one image, which no engine gives it.
    UnsupportedPlan
        If they ask for what only nnU-Net's own code does: labels of regions, other
        resampling or normalisation.
    """
    plans, dataset = read_json(folder / "plans.json"), read_json(folder / "dataset.json")
    try:
        return _plan(plans, dataset, configuration, folder)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(
            f"its plans.json or dataset.json cannot be used ({error!r})",
            path=folder,
            remedy=_COPY_AGAIN,
        ) from error


def number_of_classes(dataset: Mapping[str, Any]) -> int:
    """Return how many scores a network gives for a voxel, by what dataset.json says.

    Raises
    ------
    UnsupportedPlan
        If its labels are regions.
    """
    values = [value for name, value in dataset["labels"].items() if name != "ignore"]
    _require(all(isinstance(value, int) for value in values), "its labels are regions")
    return len(set(values))


def _plan(plans: dict[str, Any], dataset: dict[str, Any], name: str, folder: Path) -> Plan:
    configuration = _inherited(plans["configurations"], name)
    channels = dataset.get("channel_names") or dataset["modality"]
    if len(channels) != 1 or configuration.get("previous_stage") is not None:
        inputs = len(channels) if len(channels) != 1 else "more"
        raise ModelError(
            f"its configuration {name} takes {inputs} inputs, not one image",
            path=folder,
            remedy="Multi-channel and cascade models are not supported",
        )
    _require(plans.get("label_manager", "LabelManager") == "LabelManager", "its label manager")
    preprocessor = configuration.get("preprocessor_name", "DefaultPreprocessor")
    _require(preprocessor == "DefaultPreprocessor", f"its preprocessor {preprocessor}")
    (scheme,) = configuration["normalization_schemes"]
    (use_mask,) = configuration["use_mask_for_norm"]
    _require(scheme in _SCHEMES, f"its normalisation {scheme}")
    properties = plans.get("foreground_intensity_properties_per_channel") or {}
    scores = _resampling(configuration, "probabilities")
    _require(scores.order <= 1, f"its scores are resampled by splines of order {scores.order}")
    spacing = tuple(float(mm) for mm in configuration["spacing"])
    patch = tuple(int(n) for n in configuration["patch_size"])
    _require(len(spacing) == len(patch) and len(patch) in (2, 3), "the axes of its patch")
    return Plan(
        configuration=name,
        transpose=tuple(int(axis) for axis in plans["transpose_forward"]),
        transpose_back=tuple(int(axis) for axis in plans["transpose_backward"]),
        spacing_mm=spacing,
        patch=patch,
        normalisation=Normalisation(scheme, bool(use_mask), properties.get("0") or {}),
        image_resampling=_resampling(configuration, "data"),
        score_resampling=scores,
        classes=number_of_classes(dataset),
    )


def _inherited(configurations: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration with what it takes from the one that it inherits from."""
    own = configurations[name]
    parent = own.get("inherits_from")
    if parent is None:
        return dict(own)
    others = {key: value for key, value in configurations.items() if key != name}
    return {**_inherited(others, parent), **own}


def _resampling(configuration: dict[str, Any], what: str) -> Resampling:
    function = configuration[f"resampling_fn_{what}"]
    _require(function == "resample_data_or_seg_to_shape", f"its resampling {function}")
    arguments = configuration[f"resampling_fn_{what}_kwargs"]
    _require(not arguments["is_seg"], f"its {what} are resampled as labels")
    order, across = int(arguments["order"]), int(arguments["order_z"])
    _require(0 <= order <= 3, f"its resampling of order {order}")
    _require(across == 0, f"its resampling of order {across} across slices")
    return Resampling(order, arguments["force_separate_z"])


def _require(supported: bool, what: str) -> None:
    if not supported:
        raise UnsupportedPlan(what)
