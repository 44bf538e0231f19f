"""Model folders in which one thing is strange, as public bug reports have them, and what is said.

Each changes what dataset.json, plans.json and the configuration in it hold. Beside each stands
what nnU-Net 2.8.1 does with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.store.tiny import write_tiny

__all__ = ["STRANGE", "Change", "change_json", "write_strange"]

Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]
_DATA = "resampling_fn_data"
_SPLINES = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
_CT = {"mean": 3.0, "std": 2.0, "percentile_00_5": -1.0, "percentile_99_5": 7.0}


def _plan(**changes: Any) -> Change:
    return lambda dataset, plans, plan: plan.update(changes)


def _plans(**changes: Any) -> Change:
    return lambda dataset, plans, plan: plans.update(changes)


def _dataset(**changes: Any) -> Change:
    return lambda dataset, plans, plan: dataset.update(changes)


def _without(key: str) -> Change:
    return lambda dataset, plans, plan: [each.pop(key, None) for each in (dataset, plans, plan)]


def _architecture(**changes: Any) -> Change:
    return lambda dataset, plans, plan: plan["architecture"].update(changes)


def _network(**changes: Any) -> Change:
    return lambda dataset, plans, plan: plan["architecture"]["arch_kwargs"].update(changes)


def _intensities(**changes: Any) -> Change:
    properties = {"0": {**_CT, **changes}}

    def change(dataset: dict[str, Any], plans: dict[str, Any], plan: dict[str, Any]) -> None:
        plan["normalization_schemes"] = ["CTNormalization"]
        plans["foreground_intensity_properties_per_channel"] = properties

    return change


def _inheriting(*pairs: tuple[str, Any]) -> Change:
    """Let configurations inherit from others; where one is the usual, it still has its own."""

    def change(dataset: dict[str, Any], plans: dict[str, Any], plan: dict[str, Any]) -> None:
        for name, parent in pairs:
            plans["configurations"].setdefault(name, {})["inherits_from"] = parent

    return change


def _old(**changes: Any) -> Change:
    """Make plans of before 2.5, which named no classes."""

    def change(dataset: dict[str, Any], plans: dict[str, Any], plan: dict[str, Any]) -> None:
        del plan["architecture"]
        plan.update(changes)

    return change


_CHAIN = [(f"c{n}", f"c{n + 1}") for n in range(100)]

#: Name, change, and the sentence.
STRANGE: dict[str, tuple[Change, str]] = {
    # nnU-Net: takes more channels than we give; a cascade wants the labels of a first network.
    "two channels": (_dataset(channel_names={"0": "T1w", "1": "T2w"}), "takes 2 inputs"),
    "no channels": (_dataset(channel_names={}), "has the channel_names {}"),
    "channels of text": (_dataset(channel_names="MRI"), 'has the channel_names "MRI"'),
    "channels missing": (_without("channel_names"), "has the channel_names null"),
    "modality counts first": (_dataset(modality={"0": "a", "1": "b", "2": "c"}), "takes 3 inputs"),
    "cascade": (_plan(previous_stage="3d_lowres"), '"3d_lowres" predicts beside the image'),
    # nnU-Net: looks for the class in itself, finds none, and calls None.
    "preprocessor": (_plan(preprocessor_name="MyPreprocessor"), '"MyPreprocessor"'),
    "no preprocessor": (_without("preprocessor_name"), "has no preprocessor_name"),
    "preprocessors": (_plan(preprocessor_name=["DefaultPreprocessor"]), "preprocessor_name"),
    "label manager": (_plans(label_manager="MyLabelManager"), '"MyLabelManager"'),
    "label manager null": (_plans(label_manager=None), "has the label_manager null"),
    "normalisation": (_plan(normalization_schemes=["MyNorm"]), r'schemes \["MyNorm"\]'),
    "two normalisations": (_plan(normalization_schemes=["a", "b"]), "a list of one"),
    "normalisation of text": (_plan(normalization_schemes="ZScoreNormalization"), "a list of one"),
    "mask": (_plan(use_mask_for_norm=["no"]), "use_mask_for_norm"),
    "resampling": (_plan(**{_DATA: "my_resampling"}), '"my_resampling"'),
    "resampling to a spacing": (_plan(**{_DATA: "resample_data_or_seg_to_spacing"}), "to_spacing"),
    "resampling missing": (_without("resampling_fn_seg"), "has no resampling_fn_seg"),
    "argument": (_plan(**{f"{_DATA}_kwargs": {**_SPLINES, "mode": 1}}), "mode 1, which resample"),
    "arguments": (_plan(**{f"{_DATA}_kwargs": []}), "kwargs"),
    "order": (_plan(**{f"{_DATA}_kwargs": {**_SPLINES, "order": 9}}), "order 9, not an order"),
    "order null": (_plan(**{f"{_DATA}_kwargs": {**_SPLINES, "order": None}}), "order null"),
    "separate": (_plan(**{f"{_DATA}_kwargs": {**_SPLINES, "force_separate_z": "x"}}), "separate_z"),
    # nnU-Net: imports any class of that name that there is in Python.
    "network": (_architecture(network_class_name="mednext.MedNeXt"), 'asks for "mednext.MedNeXt"'),
    "no network": (_architecture(network_class_name=None), "asks for null"),
    "layer": (_network(nonlin="os.system"), 'asks for "os.system"'),
    "layer of another kind": (_network(nonlin="torch.nn.Upsample"), 'Upsample" as "nonlin"'),
    "layer of no kind": (_network(conv_op="torch.nn.Linear"), 'Linear" as "conv_op"'),
    "layers": (_architecture(_kw_requires_import="nonlin"), "is not as nnU-Net writes it"),
    "architecture": (_plan(architecture=None), "is not as nnU-Net writes it"),
    "old network": (_old(UNet_class_name="MyUNet"), '"MyUNet"'),
    # nnU-Net: an exception of torch in the first tile.
    "patch of a third": (_plan(patch_size=[16, 16, 15]), r"\[16, 16, 15\].*cannot divide"),
    "patch of a plane": (_plan(patch_size=[16, 16]), "a patch of 2 axes for a network of"),
    "strides": (_network(strides=[[1, 1, 1], [0, 2, 2]]), r"stride \[0, 2, 2\]"),
    "many stages": (_network(strides=[1] * 99), "strides"),
    # nnU-Net: an exception of Python in whichever line divides by it, or all of the memory.
    "spacing null": (_plan(spacing=None), "has the spacing null, not three lengths"),
    "spacing of null": (_plan(spacing=[1.0, None, 1.0]), r"spacing \[1\.0, null, 1\.0\]"),
    "spacing zero": (_plan(spacing=[1.0, 0, 1.0]), r"spacing \[1\.0, 0, 1\.0\]"),
    "spacing negative": (_plan(spacing=[1.0, 1.0, -1.0]), "spacing"),
    "spacing of an atom": (_plan(spacing=[1e-7, 1.0, 1.0]), "of 0.05 to 20 mm"),
    "spacing in metres": (_plan(spacing=[1000.0, 1.0, 1.0]), "of 0.05 to 20 mm"),
    "spacing of text": (_plan(spacing=["1", "1", "1"]), "spacing"),
    "spacing of truth": (_plan(spacing=[True, True, True]), "spacing"),
    "spacing of one": (_plan(spacing=[1.0]), r"spacing \[1\.0\]"),
    "spacing missing": (_without("spacing"), "has no spacing"),
    "spacing NaN": (_plan(spacing=[float("nan"), 1.0, 1.0]), "spacing"),
    "spacing of digits": (_plan(spacing=[10**39, 1, 1]), "spacing"),
    "patch null": (_plan(patch_size=None), "patch_size null"),
    "patch zero": (_plan(patch_size=[0, 16, 16]), "patch_size"),
    "patch fraction": (_plan(patch_size=[16.0, 16, 16]), r"patch_size \[16\.0"),
    "patch of everything": (_plan(patch_size=[2000, 2000, 2000]), "patch_size"),
    "patch of 4 axes": (_plan(patch_size=[16] * 4), "patch_size"),
    # nnU-Net: the answer comes back turned.
    "transpose": (_plans(transpose_backward=[1, 2, 0]), "does not undo its transpose_forward"),
    "transpose twice": (
        _plans(transpose_forward=[1, 2, 0], transpose_backward=[1, 2, 0]), "does not undo",
    ),
    "transpose of 2": (_plans(transpose_forward=[0, 1]), r"transpose_forward \[0, 1\]"),
    "transpose of one": (_plans(transpose_forward=[0, 0, 1]), "transpose_forward"),
    "transpose missing": (_without("transpose_backward"), "has no transpose_backward"),
    # nnU-Net: KeyError, whatever the normalisation.
    "intensities missing": (
        _without("foreground_intensity_properties_per_channel"), "has no foreground_intensity",
    ),
    "intensities of another": (
        _plans(foreground_intensity_properties_per_channel={"1": _CT}), "has no 0",
    ),
    "intensities null": (_plans(foreground_intensity_properties_per_channel=None), "null"),
    "CT without": (_intensities(mean=None), "mean null, and CTNormalization needs a number"),
    "CT of text": (_intensities(std="2"), 'std "2"'),
    "CT turned": (_intensities(percentile_00_5=9), "not below percentile_99_5, 7"),
    # nnU-Net: sees the circle and stops.
    "circle": (_inheriting(("3d_fullres", "other"), ("other", "3d_fullres")), "in a circle"),
    "circle of one": (_inheriting(("3d_fullres", "3d_fullres")), "in a circle"),
    "chain": (_inheriting(("3d_fullres", "c0"), *_CHAIN), "inherit through more than 20"),
    "orphan": (_inheriting(("3d_fullres", "gone")), 'no configuration "gone", which its config'),
    "parent null": (_inheriting(("3d_fullres", None)), "no configuration null"),
    "configuration null": (
        lambda dataset, plans, plan: plans["configurations"].update({"3d_fullres": None}),
        'no configuration "3d_fullres", which its checkpoint was trained with',
    ),
    "configurations": (_plans(configurations=[]), 'no "configurations"'),
    # nnU-Net: answers with other values, or stops.
    "gap": (_dataset(labels={"background": 0, "lvl2": 1, "lvl3": 2, "lvl5": 4}), "a gap"),
    "background": (_dataset(labels={"background": 1, "lvl2": 0, "lvl3": 2}), '"background"'),
    "vertebrae": (_dataset(labels={"background": 0, "vertebra_1": 1, "vertebra_2": 2}), "no label"),
    "regions": (_dataset(labels={"background": 0, "rootlets": [1, 2]}), "regions_class_order null"),
    "orientation": (_dataset(image_orientation="up"), "three letters"),
}  # fmt: skip


def write_strange(folder: Path, change: Change) -> Path:
    """Write a tiny model with one change."""
    return change_json(write_tiny(folder), change)


def change_json(folder: Path, change: Change) -> Path:
    """Change what the two files of a model folder hold, and return the folder."""
    paths = [folder / f"{name}.json" for name in ("dataset", "plans")]
    dataset, plans = (json.loads(path.read_text()) for path in paths)
    change(dataset, plans, plans["configurations"]["3d_fullres"])
    for path, content in zip(paths, (dataset, plans), strict=True):
        path.write_text(json.dumps(content))
    return folder
