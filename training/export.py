"""Write a trained network as an nnU-Net v2 model folder.

The folder holds ``dataset.json``, ``plans.json`` and ``fold_all/checkpoint_final.pth``
and is loaded by nnU-Net's own predictor: by 2.8.1 (tested), and by its fork in SCT and
older releases, whose plans spoke of the architecture in other words (both are written).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = [
    "COMPACT_LABELS",
    "build_network",
    "folder_name",
    "plain_conv_unet_kwargs",
    "read_state_dict",
    "write_nnunet_folder",
]

#: Classes of the compact model, by nnU-Net's convention of a name for each value.
COMPACT_LABELS: dict[str, int] = {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}

_NETWORK_CLASS = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
_IMPORTED = ("conv_op", "norm_op", "dropout_op", "nonlin")


def folder_name(configuration: str, trainer: str = "nnUNetTrainer") -> str:
    """Return the name nnU-Net gives the folder of a `configuration`.

    Examples
    --------
    >>> folder_name("3d_lowres")
    'nnUNetTrainer__nnUNetPlans__3d_lowres'
    """
    return f"{trainer}__nnUNetPlans__{configuration}"


def plain_conv_unet_kwargs(
    features: Sequence[int] = (16, 32, 64, 96),
    strides: Sequence[int] = (1, 2, 2, 2),
    convolutions: int = 2,
) -> dict[str, Any]:
    """Return the ``arch_kwargs`` of plans.json for a 3D PlainConvUNet.

    Parameters
    ----------
    features : sequence of int
        Feature channels of each stage, from full to lowest resolution.
    strides : sequence of int
        Isotropic stride with which each stage starts, as many as `features`.
    convolutions : int
        Convolutions a stage, in encoder and decoder.
    """
    stages = len(features)
    if len(strides) != stages:
        raise ValueError(f"{stages} stages need {stages} strides, not {len(strides)}")
    return {
        "n_stages": stages,
        "features_per_stage": [int(n) for n in features],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3, 3, 3]] * stages,
        "strides": [[int(n)] * 3 for n in strides],
        "n_conv_per_stage": [convolutions] * stages,
        "n_conv_per_stage_decoder": [convolutions] * (stages - 1),
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }


def build_network(
    architecture_kwargs: Mapping[str, Any], classes: int = 4, channels: int = 1
) -> torch.nn.Module:
    """Build the network that :func:`write_nnunet_folder` describes, randomly initialised.

    It maps (batch, channels, z, y, x) to logits (batch, classes, z, y, x).
    """
    import pydoc

    kwargs = dict(architecture_kwargs)
    for name in _IMPORTED:
        if kwargs[name] is not None:
            kwargs[name] = pydoc.locate(kwargs[name])
    network_class: Any = pydoc.locate(_NETWORK_CLASS)
    network: torch.nn.Module = network_class(
        input_channels=channels, num_classes=classes, deep_supervision=False, **kwargs
    )
    network.apply(network_class.initialize)
    return network


def write_nnunet_folder(
    folder: str | os.PathLike[str],
    configuration: str,
    spacing_zyx: Sequence[float],
    patch_zyx: Sequence[int],
    architecture_kwargs: Mapping[str, Any],
    state_dict: Mapping[str, torch.Tensor],
    dataset_json_extra: Mapping[str, Any] | None = None,
    *,
    labels: Mapping[str, int] | None = None,
    channel_name: str = "MRI",
    trainer_name: str = "nnUNetTrainer",
    mirroring_axes: Sequence[int] | None = (2,),
    transpose_forward: Sequence[int] = (0, 1, 2),
    fold: str | int = "all",
    half_precision: bool = True,
) -> Path:
    """Write an nnU-Net v2 model folder and return its path.

    Parameters
    ----------
    folder : path-like
        The folder itself, usually named by :func:`folder_name`. Made where missing;
        files of the same names are replaced.
    configuration : str
        nnU-Net configuration, such as ``"3d_fullres"``.
    spacing_zyx : (3,) sequence of float
        Spacing the network works at, in mm, in array order (after `transpose_forward`).
    patch_zyx : (3,) sequence of int
        Patch size in voxels, in array order (after `transpose_forward`).
    architecture_kwargs : mapping
        Of :func:`plain_conv_unet_kwargs`. Stated in full, because nnU-Net does not
        guess ``n_conv_per_stage``.
    state_dict : mapping of str to torch.Tensor
        Complete state dict of the PlainConvUNet, under all of its names. A tensor that
        appears under several names (the encoder, in the decoder too) is stored once.
    dataset_json_extra : mapping, optional
        More keys for dataset.json, such as ``{"sct_rootlets": {"rootlet_threshold": 0.7}}``.
    labels : mapping of str to int, optional
        Name and value of each class; by default :data:`COMPACT_LABELS`.
    channel_name : str
        Name of the input channel.
    trainer_name : str
        Name of the trainer class, read by nnU-Net.
    mirroring_axes : sequence of int, optional
        Array axes along which test-time mirroring is allowed: (2,), x, is left/right.
    transpose_forward : (3,) sequence of int
        Transposition nnU-Net applies to a zyx array before the network.
    fold : str or int
        ``"all"`` or a number.
    half_precision : bool
        Store floating-point weights as float16, which halves the file.
    """
    import torch

    where = Path(folder)
    fold_folder = where / f"fold_{fold}"
    fold_folder.mkdir(parents=True, exist_ok=True)
    dataset = {
        "channel_names": {"0": channel_name},
        "labels": dict(labels or COMPACT_LABELS),
        "numTraining": 0,
        "file_ending": ".nii.gz",
        **(dataset_json_extra or {}),
    }
    plans = _plans(configuration, spacing_zyx, patch_zyx, architecture_kwargs, transpose_forward)
    for name, content in (("dataset.json", dataset), ("plans.json", plans)):
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (where / name).write_text(text, encoding="utf-8")
    checkpoint = {
        "network_weights": _stored_once(state_dict, half_precision),
        "trainer_name": trainer_name,
        "init_args": {"configuration": configuration, "fold": fold},
        "inference_allowed_mirroring_axes": None
        if mirroring_axes is None
        else tuple(int(axis) for axis in mirroring_axes),
    }
    target = fold_folder / "checkpoint_final.pth"
    temporary = target.with_name(f".{os.getpid()}-{target.name}")
    torch.save(checkpoint, temporary)
    os.replace(temporary, target)
    return where


def read_state_dict(folder: str | os.PathLike[str], fold: str | int = "all") -> dict[str, Any]:
    """Return the weights of a folder written here as float32 tensors, to resume from."""
    import torch

    path = Path(folder) / f"fold_{fold}" / "checkpoint_final.pth"
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.float() for name, tensor in checkpoint["network_weights"].items()}


def _stored_once(
    state_dict: Mapping[str, torch.Tensor], half_precision: bool
) -> dict[str, torch.Tensor]:
    """Copy the tensors so that equal names of one tensor keep sharing one storage.

    nnU-Net loads strictly, so every name has to stay; torch.save writes a storage that
    several names share only once, so the names cost nothing.
    """
    import torch

    copies: dict[tuple[Any, ...], torch.Tensor] = {}
    stored = {}
    for name, tensor in state_dict.items():
        key = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if key not in copies:
            copy = tensor.detach().to("cpu", copy=True).contiguous()
            if half_precision and copy.is_floating_point():
                if copy.abs().max() > torch.finfo(torch.float16).max:
                    raise ValueError(f"{name} has weights too large for float16")
                copy = copy.half()
            copies[key] = copy
        stored[name] = copies[key]
    return stored


def _plans(
    configuration: str,
    spacing: Sequence[float],
    patch: Sequence[int],
    architecture_kwargs: Mapping[str, Any],
    transpose_forward: Sequence[int],
) -> dict[str, Any]:
    spacing = [float(mm) for mm in spacing]
    patch = [int(n) for n in patch]
    data_resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    label_resampling = {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None}
    score_resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    measures = ("max", "mean", "median", "min", "percentile_00_5", "percentile_99_5", "std")
    intensity = dict.fromkeys(measures, 0.0)
    return {
        "dataset_name": "Dataset001_Rootlets",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": spacing,
        "original_median_shape_after_transp": patch,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [int(axis) for axis in transpose_forward],
        "transpose_backward": [list(transpose_forward).index(axis) for axis in range(3)],
        "configurations": {
            configuration: {
                "data_identifier": f"nnUNetPlans_{configuration}",
                "preprocessor_name": "DefaultPreprocessor",
                "batch_size": 2,
                "patch_size": patch,
                "median_image_size_in_voxels": patch,
                "spacing": spacing,
                "normalization_schemes": ["ZScoreNormalization"],
                "use_mask_for_norm": [False],
                "resampling_fn_data": "resample_data_or_seg_to_shape",
                "resampling_fn_data_kwargs": data_resampling,
                "resampling_fn_seg": "resample_data_or_seg_to_shape",
                "resampling_fn_seg_kwargs": label_resampling,
                "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
                "resampling_fn_probabilities_kwargs": score_resampling,
                "architecture": {
                    "network_class_name": _NETWORK_CLASS,
                    "arch_kwargs": dict(architecture_kwargs),
                    "_kw_requires_import": list(_IMPORTED),
                },
                "batch_dice": False,
                **_plans_before_2_5(architecture_kwargs),
            }
        },
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": intensity},
    }


def _plans_before_2_5(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same architecture in the words of nnU-Net 2.2 to 2.4, where it has any.

    Those releases doubled the features of a stage up to a maximum; newer ones do not
    look at these keys once there is an ``architecture``.
    """
    features = list(kwargs["features_per_stage"])
    doubled = [min(features[0] * 2**stage, max(features)) for stage in range(len(features))]
    if features != doubled:
        return {}
    strides = [list(stride) for stride in kwargs["strides"]]
    return {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": features[0],
        "unet_max_num_features": max(features),
        "n_conv_per_stage_encoder": list(kwargs["n_conv_per_stage"]),
        "n_conv_per_stage_decoder": list(kwargs["n_conv_per_stage_decoder"]),
        "num_pool_per_axis": [sum(stride[axis] > 1 for stride in strides) for axis in range(3)],
        "pool_op_kernel_sizes": strides,
        "conv_kernel_sizes": [list(size) for size in kwargs["kernel_sizes"]],
    }
