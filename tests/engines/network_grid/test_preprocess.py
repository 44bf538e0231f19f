from __future__ import annotations

import json

import numpy as np
import pytest

from sct_rootlets.engines.network_grid.preprocess import prepare
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import UnsupportedPlan, read_model_folder
from tests.engines.conftest import Factory, edited

pytest.importorskip("nnunetv2")

PROPERTIES = {"mean": 3.0, "std": 2.0, "percentile_00_5": -1.0, "percentile_99_5": 7.0}
CUBIC = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}


def change(folder, **configuration):
    """Change plans.json: what goes by the name of a key of the plans, there."""
    with edited(folder / "plans.json") as plans:
        for key, value in configuration.items():
            target = plans if key in plans else plans["configurations"]["3d_fullres"]
            target[key] = value
        if len(configuration.get("patch_size", ())) == 2:
            given = plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]
            given.update(conv_op="torch.nn.modules.conv.Conv2d", strides=[[1, 1], [2, 2]])
    return folder


def image(shape=(23, 19, 17), border=0):
    data = np.random.default_rng(4).normal(4, 3, size=shape).astype(np.float32)
    if border:
        inner = np.zeros(shape, dtype=bool)
        inner[border:-border, 2:-1, 1:-border] = True
        data[~inner] = 0
        data[8:10, 8:10, 8:10] = 0  # a hole, which the mask does not have
        data[1, 9, 8] = 7  # so that the box is larger than the mask
    return data


def theirs(folder, array, spacing):
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(json.loads((folder / "plans.json").read_text()))
    dataset = json.loads((folder / "dataset.json").read_text())
    data, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        array[None], None, {"spacing": list(spacing)}, plans,
        plans.get_configuration("3d_fullres"), dataset,
    )  # fmt: skip
    return data[0], properties


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"use_mask_for_norm": [True]},
        {"normalization_schemes": ["CTNormalization"]},
        {"normalization_schemes": ["RescaleTo01Normalization"]},
        {"normalization_schemes": ["NoNormalization"]},
        {"transpose_forward": [2, 0, 1], "transpose_backward": [1, 2, 0]},
        {"spacing": [1.1, 0.9], "patch_size": [32, 32]},
        {"spacing": [4.0, 0.8, 0.8]},
    ],
    ids=["z-score", "mask", "CT", "0 to 1", "none", "transposed", "2D", "thick"],
)
@pytest.mark.parametrize("border", [0, 3])
def test_the_network_sees_what_nnunet_would_show_it(model_folder: Factory, changes, border):
    folder = model_folder([0, 1, 2], [0, 1, 2, 3])
    stated = {"foreground_intensity_properties_per_channel": {"0": PROPERTIES}}
    change(folder, **changes, **stated)
    array, spacing = image(border=border), (0.8, 1.0, 1.3)
    expected, properties = theirs(folder, array, spacing)
    before = array.copy()
    prepared = prepare(array, spacing, read_model_folder(folder).plan("3d_fullres"))
    np.testing.assert_array_equal(array, before)
    np.testing.assert_allclose(prepared.volume, expected, atol=2e-5)
    assert [[part.start, part.stop] for part in prepared.box] == [
        list(pair) for pair in properties["bbox_used_for_cropping"]
    ]
    assert prepared.whole == tuple(properties["shape_before_cropping"])


def test_a_configuration_inherits_and_one_that_is_missing_is_a_model_error(model_folder: Factory):
    folder = model_folder([0, 1, 2], [0, 1, 2, 3])
    with edited(folder / "plans.json") as plans:
        plans["configurations"]["mine"] = {"inherits_from": "3d_fullres", "spacing": [2, 3, 4]}
    plan = read_model_folder(folder).plan("mine")
    assert plan.spacing_mm == (2, 3, 4)
    assert plan.patch == (32, 32, 32)
    with pytest.raises(ModelError, match=r"plans\.json"):
        read_model_folder(folder).plan("3d_nores")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"normalization_schemes": ["RGBTo01Normalization"]}, "RGBTo01Normalization"),
        ({"resampling_fn_data": "no_resampling_hack", "resampling_fn_data_kwargs": {}}, "hack"),
        ({"resampling_fn_probabilities_kwargs": CUBIC}, "order 3"),
    ],
)
def test_what_only_nnunet_does_is_named(model_folder: Factory, changes, why):
    folder = change(model_folder([0, 1, 2], [0, 1, 2, 3]), **changes)
    with pytest.raises(UnsupportedPlan, match=why):
        read_model_folder(folder).plan("3d_fullres")
