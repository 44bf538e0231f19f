"""What a model's plans.json and dataset.json ask of an engine, read without nnU-Net.

nnU-Net reads them when it predicts, part by part, and whatever is wrong is an exception of the
line that meets it, or a wrong answer. Here all of it is judged at once: what no engine runs is
a :class:`ModelError`, and what only nnU-Net's own predictor runs an :class:`UnsupportedPlan`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.architecture import network_problem
from sct_rootlets.model_folder.labels import Labels
from sct_rootlets.model_folder.model_json import AGAIN, is_number, is_whole, shown
from sct_rootlets.model_folder.resampling import Resampling, our_resampling, stated_resampling
from sct_rootlets.model_folder.stated import ELSEWHERE, Stated, inherited, require_ours

__all__ = ["Normalisation", "Plan", "plan_of"]

#: nnU-Net's normalisations that :mod:`sct_rootlets.engines.network_grid.preprocess` has.
_SCHEMES = (
    "ZScoreNormalization",
    "CTNormalization",
    "NoNormalization",
    "RescaleTo01Normalization",
)
_NNUNETS_SCHEMES = (*_SCHEMES, "RGBTo01Normalization")

#: What nnU-Net's CTNormalization takes of the intensities of the training set.
_INTENSITIES = ("percentile_00_5", "percentile_99_5", "mean", "std")

#: Spacing of a network for the neck, in mm, and its patch, in voxels along a side and in all.
_SPACING_MM = (0.05, 20.0)
_LONGEST_SIDE, _LARGEST_PATCH = 2048, 1 << 26


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
    settings : dict
        The configuration as plans.json has it, with what it inherits.
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
    settings: Mapping[str, Any]

    @property
    def is_2d(self) -> bool:
        """Whether the network sees one slice at a time."""
        return len(self.patch) == 2


def plan_of(
    plans: Mapping[str, Any],
    dataset: Mapping[str, Any],
    labels: Labels,
    configuration: str,
    folder: Path,
) -> Plan:
    """Return the plan of a `configuration` of the model in `folder`.

    Raises
    ------
    ModelError
        If plans.json or dataset.json ask for what no engine runs, nnU-Net's own predictor
        included, or lack what it needs; the reason is named.
    UnsupportedPlan
        If they ask for what only nnU-Net's own predictor does: labels of regions, other
        resampling or normalisation.
    """
    whole = Stated(plans, "plans.json", folder)
    settings = inherited(whole, configuration)
    _require_one_image(dataset, settings)
    if "label_manager" in plans:
        whole.one_of("label_manager", ("LabelManager",))
    settings.one_of("preprocessor_name", ("DefaultPreprocessor",))
    transpose, back = _transposes(whole)
    spacing, patch = _spacing(settings), _patch(settings)
    problem = network_problem(settings.content, patch)
    if problem:
        settings.refuse(problem, ELSEWHERE)
    normalisation = _normalisation(whole, settings)
    image, scores = (stated_resampling(settings, what) for what in ("data", "probabilities"))
    stated_resampling(settings, "seg")  # nnU-Net resamples the mask of what is not 0 as well
    # All of it runs in nnU-Net; what follows does not run here.
    require_ours(not labels.has_regions, "its labels are regions")
    require_ours(normalisation.scheme in _SCHEMES, f"its normalisation {normalisation.scheme}")
    require_ours(len(spacing) == len(patch), "the axes of its patch")
    score_resampling = our_resampling(scores, "probabilities")
    order = score_resampling.order
    require_ours(order <= 1, f"its scores are resampled by splines of order {order}")
    return Plan(
        configuration=configuration,
        transpose=transpose,
        transpose_back=back,
        spacing_mm=spacing,
        patch=patch,
        normalisation=normalisation,
        image_resampling=our_resampling(image, "data"),
        score_resampling=score_resampling,
        classes=labels.classes,
        settings=settings.content,
    )


def _require_one_image(dataset: Mapping[str, Any], settings: Stated) -> None:
    # In this order, as nnU-Net does.
    channels = dataset["modality"] if "modality" in dataset else dataset.get("channel_names")
    if not isinstance(channels, (dict, list)) or not channels:
        raise ModelError(
            f"its dataset.json has the channel_names {shown(channels)}",
            path=settings.folder,
            remedy=AGAIN,
        )
    previous = settings.content.get("previous_stage")
    if previous is not None:
        settings.refuse(
            f"takes what its configuration {shown(previous)} predicts beside the image",
            "Cascades are not supported; most models of one have a 3d_fullres as well",
        )
    if len(channels) != 1:
        settings.refuse(
            f"takes {len(channels)} inputs, not one image",
            "Models of several channels are not supported",
        )


def _is_list(value: Any, lengths: tuple[int, ...], good: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) in lengths and all(map(good, value))


def _transposes(whole: Stated) -> tuple[tuple[int, ...], tuple[int, ...]]:
    both = []
    for key in ("transpose_forward", "transpose_backward"):
        axes: Any = whole.content.get(key)
        if not _is_list(axes, (3,), lambda axis: is_whole(axis, 0, 2)) or len(set(axes)) != 3:
            whole.refuse(f"{whole.has(key)}, not the three axes 0, 1 and 2")
        both.append(tuple(axes))
    forward, back = both
    if tuple(forward[axis] for axis in back) != (0, 1, 2):
        whole.refuse(
            f"has the transpose_backward {shown(back)}, which does not undo its "
            f"transpose_forward {shown(forward)}"
        )
    return forward, back


def _spacing(settings: Stated) -> tuple[float, ...]:
    spacing: Any = settings.content.get("spacing")
    low, high = _SPACING_MM
    if not _is_list(spacing, (2, 3), lambda mm: is_number(mm, low, high)):
        settings.refuse(
            f"{settings.has('spacing')}, not three lengths (two in 2D) of {low:g} to {high:g} mm"
        )
    return tuple(float(mm) for mm in spacing)


def _patch(settings: Stated) -> tuple[int, ...]:
    patch: Any = settings.content.get("patch_size")
    good = _is_list(patch, (2, 3), lambda n: is_whole(n, 1, _LONGEST_SIDE))
    if not good or math.prod(patch) > _LARGEST_PATCH:
        settings.refuse(
            f"{settings.has('patch_size')}, not three counts of voxels (two in 2D) of 1 to "
            f"{_LONGEST_SIDE}, and no more than {_LARGEST_PATCH} voxels in all"
        )
    return tuple(patch)


def _normalisation(whole: Stated, settings: Stated) -> Normalisation:
    scheme, use_mask = settings.only("normalization_schemes"), settings.only("use_mask_for_norm")
    if scheme not in _NNUNETS_SCHEMES:
        settings.refuse(f"{settings.has('normalization_schemes')}, which engines lack", ELSEWHERE)
    if use_mask is not None and not isinstance(use_mask, bool):
        settings.refuse(f"{settings.has('use_mask_for_norm')}, not true or false")
    key = "foreground_intensity_properties_per_channel"
    older = "foreground_intensity_properties_by_modality"
    properties = whole.object(older if key not in whole.content and older in whole.content else key)
    stated = properties.object("0")
    if scheme == "CTNormalization":
        for name in _INTENSITIES:
            if not is_number(stated.content.get(name), -1e6, 1e6):
                stated.refuse(f"{stated.has(name)}, and CTNormalization needs a number")
        low, high = (stated.content[name] for name in _INTENSITIES[:2])
        if low >= high:
            stated.refuse(f"{stated.has(_INTENSITIES[0])}, not below {_INTENSITIES[1]}, {high:g}")
    return Normalisation(scheme, bool(use_mask), stated.content)
