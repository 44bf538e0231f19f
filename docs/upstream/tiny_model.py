"""Write a random nnU-Net v2 model of the size of a thumbnail, and an image it can segment.

Run with SCT's own Python, for the reproductions in ../upstream.md::

    python tiny_model.py FOLDER [FOLDS]

writes ``FOLDER/model.zip``, which ``sct_deepseg rootlets -install -custom-url`` takes, and
``FOLDER/a.nii.gz`` and ``b.nii.gz``, two noise images. FOLDS is the number of folds; by default
there is one, ``fold_all``, as in the released model. It needs torch, nnunetv2 and nibabel.
"""

import json
import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet

#: SCT takes labels named lvl1, lvl2, ... for a rootlets model.
LABELS = {"background": 0, "lvl1": 1, "lvl2": 2}
PATCH = [16, 16, 16]

ARCHITECTURE = {
    "n_stages": 2,
    "features_per_stage": [2, 2],
    "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[3, 3, 3]] * 2,
    "strides": [[1, 1, 1], [2, 2, 2]],
    "n_conv_per_stage": [1, 1],
    "n_conv_per_stage_decoder": [1],
    "conv_bias": True,
    "norm_op": None,
    "norm_op_kwargs": None,
    "dropout_op": None,
    "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU",
    "nonlin_kwargs": {"inplace": True},
}


def network(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    options = {
        **ARCHITECTURE,
        "conv_op": torch.nn.Conv3d,
        "nonlin": torch.nn.LeakyReLU,
    }
    made = PlainConvUNet(
        input_channels=1, num_classes=len(LABELS), deep_supervision=False, **options
    )
    return made.apply(PlainConvUNet.initialize)  # no bias, so that every label occurs


def plans() -> dict:
    resample = {"order": 1, "order_z": 0, "force_separate_z": None}
    return {
        "dataset_name": "Dataset001_Tiny",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0] * 3,
        "original_median_shape_after_transp": PATCH,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            "0": dict.fromkeys(
                ("max", "mean", "median", "min", "percentile_00_5", "percentile_99_5", "std"), 1.0
            )
        },
        "configurations": {
            "3d_fullres": {
                "data_identifier": "nnUNetPlans_3d_fullres",
                "preprocessor_name": "DefaultPreprocessor",
                "batch_size": 2,
                "patch_size": PATCH,
                "median_image_size_in_voxels": PATCH,
                "spacing": [1.0] * 3,
                "normalization_schemes": ["ZScoreNormalization"],
                "use_mask_for_norm": [False],
                "resampling_fn_data": "resample_data_or_seg_to_shape",
                "resampling_fn_seg": "resample_data_or_seg_to_shape",
                "resampling_fn_data_kwargs": {"is_seg": False, **resample},
                "resampling_fn_seg_kwargs": {"is_seg": True, **resample},
                "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
                "resampling_fn_probabilities_kwargs": {"is_seg": False, **resample},
                "architecture": {
                    "network_class_name": "dynamic_network_architectures.architectures.unet."
                    "PlainConvUNet",
                    "arch_kwargs": ARCHITECTURE,
                    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
                },
                "batch_dice": False,
            }
        },
    }


def write_model(folder: Path, folds: int = 0) -> Path:
    """Write the nnUNetTrainer* folder; return it."""
    model = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    model.mkdir(parents=True)
    dataset = {
        "channel_names": {"0": "T2w"},
        "labels": LABELS,
        "numTraining": 1,
        "file_ending": ".nii.gz",
    }
    (model / "dataset.json").write_text(json.dumps(dataset))
    (model / "plans.json").write_text(json.dumps(plans()))
    for fold in range(folds) if folds else ["all"]:
        checkpoint = {
            "network_weights": network(0 if fold == "all" else fold).state_dict(),
            "trainer_name": "nnUNetTrainer",
            "init_args": {"configuration": "3d_fullres"},
            "inference_allowed_mirroring_axes": (2,),
        }
        (model / f"fold_{fold}").mkdir()
        torch.save(checkpoint, model / f"fold_{fold}" / "checkpoint_final.pth")
    return model


def main() -> None:
    folder = Path(sys.argv[1])
    write_model(folder / "model", int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    shutil.make_archive(str(folder / "model"), "zip", folder / "model")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    for seed, name in enumerate(("a", "b")):
        noise = np.random.default_rng(seed).normal(100, 10, (20, 24, 28)).astype(np.float32)
        nib.save(nib.Nifti1Image(noise, affine), folder / f"{name}.nii.gz")


if __name__ == "__main__":
    main()
