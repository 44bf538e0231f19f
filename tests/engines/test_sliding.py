"""Our sliding window against nnU-Net's own predictor, on networks that see their surroundings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.store import locate
from tests.engines.conftest import edited, write_random
from tests.orientations import oblique_affine

pytest.importorskip("nnunetv2")
torch = pytest.importorskip("torch")

from training.export import plain_conv_unet_kwargs  # noqa: E402

#: nnU-Net sums scores in half precision, we in single; where random weights leave two classes
#: all but equal, that decides. Trained networks differ a hundred times less.
NEARLY_ALL = 0.998

LABELS = {"background": 0, "lvl2": 2, "lvl3": 3, "lvl1": 1}
LUMBAR = {"background": 0, "L1": 1, "L2": 2, "L3": 3}

Write = Callable[..., Path]


@pytest.fixture
def random_model(tmp_path: Path) -> Write:
    """Write a model of random weights whose answer has all of its classes."""

    def write(*, patch=(24, 20, 16), seeds=(1,), changes=None, **more) -> Path:
        kwargs = plain_conv_unet_kwargs((6, 10, 12), (1, 2, 2))
        if len(patch) == 2:
            for key, value in kwargs.items():
                if isinstance(value, str):
                    kwargs[key] = value.replace("3d", "2d")
            for key in ("kernel_sizes", "strides"):
                kwargs[key] = [size[1:] for size in kwargs[key]]
        more = {"spacing": (0.9, 1.0, 1.1), "labels": LABELS, **more}
        folder = write_random(tmp_path / "random", patch, kwargs, seeds=seeds, **more)
        with edited(folder / "plans.json") as plans:
            plans["configurations"]["3d_fullres"].update(changes or {})
        return folder

    return write


def smooth_image(shape=(28, 34, 32), spacing=(1.2, 0.8, 1.0)):
    from scipy import ndimage

    data = ndimage.gaussian_filter(np.random.default_rng(6).normal(size=shape), 1.5)
    affine = oblique_affine(spacing, (5, -8, 11), (-20, -15, -19))
    return Image((100 + 900 * data).astype(np.float32), Grid(shape, affine), None, "random")


def predict(folder, engine, image, cord=None, **how):
    return load_engine(locate(folder), "cpu", 1, engine=engine, **how).predict(image, cord=cord)


def counted(engine, image, cord=None):
    """Return what `engine` predicts, and how often it told of its progress."""
    told = []
    result = engine.predict(image, cord=cord, progress=lambda *call: told.append(call))
    return result, len(told)


ENGINES = ("openvino", "torch") if find_spec("openvino") else ("torch",)


@pytest.fixture(params=ENGINES)
def ours(request):
    return request.param


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"transpose_forward": (1, 2, 0), "changes": {"use_mask_for_norm": [True]}},
        {"seeds": (1, 2)},
        {"patch": (24, 16)},
        {"changes": {"spacing": [3.5, 1.0, 1.0], "patch_size": [12, 24, 24]}},
    ],
    ids=["plain", "transposed, mask", "folds", "2D", "thick"],
)
def test_the_answer_is_nnunets(random_model: Write, what):
    folder, image = random_model(**what), smooth_image()
    if "changes" in what:
        image.data[:6] = 0
    before = image.data.copy()
    expected = predict(folder, "nnunet", image).rootlets.data
    assert len(np.unique(expected)) >= 3
    for ours in ENGINES:  # beside one another: nnU-Net's answer takes longest
        found = predict(folder, ours, image).rootlets.data
        assert (found == expected).mean() > NEARLY_ALL, ours
    np.testing.assert_array_equal(image.data, before)


@pytest.mark.slow
def test_mirrored_views_are_nnunets(random_model: Write):
    folder, image = random_model(mirroring_axes=(0, 2)), smooth_image()
    expected = predict(folder, "nnunet", image, mirror=True).rootlets.data
    for ours in ENGINES:
        found = predict(folder, ours, image, mirror=True)
        assert (found.rootlets.data == expected).mean() > NEARLY_ALL, ours
        assert "4 mirrored views" in found.notes[0]
    assert (predict(folder, ours, image).rootlets.data != expected).mean() > 0.01


def cord_in(image):
    """A cord along the third axis of the image, at a side of it."""
    data = np.zeros(image.grid.shape, dtype=np.uint8)
    data[2:5, 4:8, :] = 1
    return LabelImage(data, image.grid, None, "cord")


def test_around_a_cord_fewer_tiles_give_the_answer_of_the_whole_image(random_model: Write, ours):
    from scipy import ndimage

    folder, image = random_model(), smooth_image((24, 75, 26))
    cord = cord_in(image)
    (whole, *tiles), (result, *around), (_, *fast) = (
        counted(load_engine(locate(folder), "cpu", 1, engine=ours, fast=fast), image, where)
        for fast, where in ((False, None), (False, cord), (True, cord))
    )
    assert tiles > around > fast
    whole = whole.rootlets.data
    distance = ndimage.distance_transform_edt(cord.data == 0, image.grid.spacing_mm)
    near = distance <= 10
    np.testing.assert_array_equal(result.rootlets.data[near], whole[near])
    assert not result.rootlets.data[distance > 18].any()
    assert "within 15 mm" in result.notes[-1]


def test_levels_below_the_neck_are_looked_for_everywhere(random_model: Write, ours):
    folder, image = random_model(), smooth_image()
    with edited(folder / "dataset.json") as dataset:
        dataset["labels"] = LUMBAR
    result = predict(folder, ours, image, cord=cord_in(image))
    whole = predict(folder, ours, image)
    assert min(whole.meanings) > 9
    np.testing.assert_array_equal(result.rootlets.data, whole.rootlets.data)


def test_an_empty_cord_mask_is_an_error(random_model: Write, ours):
    image = smooth_image()
    empty = LabelImage(np.zeros(image.grid.shape, np.uint8), image.grid, None, "cord.nii.gz")
    with pytest.raises(InputError, match="empty"):
        predict(random_model(), ours, image, cord=empty)


def test_what_only_nnunet_runs_is_run_by_it(random_model: Write, ours):
    kwargs = {"is_seg": False, "force_separate_z": None, "mode": "linear"}
    changes = {
        "resampling_fn_data": "resample_torch_fornnunet",
        "resampling_fn_data_kwargs": kwargs,
    }
    folder, image = random_model(changes=changes), smooth_image(spacing=(1.1, 1.0, 0.9))
    with pytest.raises(ModelError, match="-engine nnunet"):
        predict(folder, ours, image)
    assert "nnU-Net predictor" in predict(folder, "auto", image).notes[0]


def test_a_wide_image_is_predicted_around_the_cord_that_is_found(random_model: Write):
    """The finder is the bundled model's; here it finds what it is told to."""
    from sct_rootlets.engines.networks.backends import TorchBackend
    from sct_rootlets.engines.sliding import SlidingEngine

    folder, image = random_model(), smooth_image((24, 84, 26), (1, 1, 1))
    corners = image.grid.world_from_ijk([[10, 8, 0], [14, 12, 20]])
    results, told = {}, {}
    for name, finder in {
        "whole": None,
        "found": SimpleNamespace(box_world=lambda image, tell: corners),
        "nothing": SimpleNamespace(box_world=lambda image, tell: None),
    }.items():
        backend = TorchBackend(torch.device("cpu"), 1)
        engine = SlidingEngine(locate(folder), backend, finder=finder)
        results[name], told[name] = counted(engine, image)
    whole = results["whole"].rootlets.data
    np.testing.assert_array_equal(results["nothing"].rootlets.data, whole)
    np.testing.assert_array_equal(results["found"].rootlets.data[:, :38], whole[:, :38])
    assert not results["found"].rootlets.data[:, 60:].any()
    assert told["found"] < told["whole"]
    assert "found" in results["found"].notes[-1]
