from __future__ import annotations

import functools
import os
import shutil
import sys

import numpy as np
import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import InputError, MissingDependencyError, ModelError
from sct_rootlets.image import Grid, Image
from sct_rootlets.store import locate
from tests.engines.conftest import (
    CORD,
    CSF,
    ROOTLET,
    Factory,
    edited,
    reoriented,
    spine,
    thresholds_for,
    write_model,
)
from tests.orientations import LETTERS, oblique_affine

pytest.importorskip("nnunetv2")
torch = pytest.importorskip("torch")

SHAPE = (36, 40, 44)
#: As the official releases name theirs: class values that are spinal levels.
LEVELS = {"background": 0, "lvl1": 1, "lvl2": 2, "lvl3": 3}
STRAIGHT = oblique_affine((1, 1, 1), (0, 0, 0), (-18.0, -20.0, -22.0))


#: What each test is run with: the reference, and our own sliding window.
_chosen = "nnunet"


@pytest.fixture(autouse=True, scope="module", params=["nnunet", "openvino", "torch"])
def engine_name(request):
    """Run every test of this file with each engine."""
    global _chosen
    if request.param == "openvino":
        pytest.importorskip("openvino")
    _chosen = request.param
    return request.param


def engine_for(folder):
    return load_engine(locate(folder), "cpu", 1, engine=_chosen)


def official(model_folder: Factory, image: Image, **more):
    thresholds, classes = thresholds_for(image.data)
    return engine_for(model_folder(thresholds, classes, **{"labels": LEVELS, **more}))


@pytest.fixture(scope="module")
def straight(tmp_path_factory, engine_name):
    """An image at the model's own spacing, the truth, and a loaded engine."""
    image, truth = spine(STRAIGHT, SHAPE)
    write = functools.partial(write_model, tmp_path_factory.mktemp("straight"))
    return image, truth, official(write, image)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (11, 400)])
def test_at_the_models_own_spacing_the_answer_is_exact(straight, scale, offset):
    """Whatever the scale of the intensities, which reach the network z-scored."""
    image, truth, engine = straight
    image = image.with_data(image.data * scale + offset)
    result = engine.predict(image)
    np.testing.assert_array_equal(result.rootlets.data, truth.data)
    assert result.has_level_identity
    assert result.cord is None
    assert result.csf is None
    assert result.meanings[2] == "C2 spinal nerve rootlets"
    assert result.rootlets.grid is image.grid


@pytest.fixture(scope="module")
def oblique(tmp_path_factory, engine_name):
    """An oblique anisotropic image, a loaded engine, and its answer."""
    image, _ = spine(oblique_affine((1.2, 1, 1.5), (9, -6, 12), (-17, -18, -17)), (28, 32, 22))
    write = functools.partial(write_model, tmp_path_factory.mktemp("oblique"))
    engine = official(write, image, tap_zyx=(1, 1, -1), spacing=(1.5, 1.0, 1.2))
    return image, engine, engine.predict(image).rootlets


@pytest.mark.parametrize("orientation", LETTERS)
def test_every_orientation_give_the_same_answer(oblique, orientation):
    image, engine, reference = oblique
    result = engine.predict(reoriented(image, orientation)).rootlets
    np.testing.assert_array_equal(result.data, reoriented(reference, orientation).data)
    assert result.labels == [CORD, CSF, ROOTLET]


@pytest.mark.parametrize(
    ("orientation", "tap_zyx", "toward_ras", "spacing"),
    [
        ("LPI", (1, 0, 0), (0, 0, 1), (1, 1, 1)),
        ("LPI", (0, 1, 0), (0, 1, 0), (1, 1, 1)),
        ("LPI", (0, 0, 1), (1, 0, 0), (1, 1, 1)),
        ("RPI", (0, 0, 1), (-1, 0, 0), (1, 1, 1)),
        ("RAS", (1, 0, 0), (0, 0, -1), (1, 1, 1)),
        ("AIL", (0, 0, 1), (0, -1, 0), (1, 1, 1)),
        ("AIL", (0, 1, 0), (0, 0, 1), (1, 1, 1)),
        ("AIL", (1, 0, 0), (1, 0, 0), (1, 1, 1)),
        # Only with the spacing given in array order does nnU-Net leave this image as it is.
        ("LPI", (1, 0, 0), (0, 0, 1), (0.8, 1.0, 2.0)),
    ],
)
def test_the_models_orientation_decides_which_neighbour_it_sees(
    model_folder, orientation, tap_zyx, toward_ras, spacing
):
    """A network looks one voxel along an array axis; where that is in the body is known."""
    image, truth = spine(oblique_affine(spacing, (0, 0, 0), (-18, -20, -22)), SHAPE)
    more = {} if orientation == "LPI" else {"extra": {"image_orientation": orientation}}
    engine = official(model_folder, image, tap_zyx=tap_zyx, spacing=spacing[::-1], **more)
    shifted = np.roll(truth.data, [-n for n in toward_ras], axis=(0, 1, 2))
    inner = (slice(3, -3),) * 3
    got = engine.predict(image).rootlets.data
    np.testing.assert_array_equal(got[inner], shifted[inner])
    assert (shifted != truth.data).sum() > 300


def test_another_spacing_comes_back_to_the_input_grid(model_folder):
    image, truth = spine(oblique_affine((0.8, 0.8, 1.6), (10, 0, 5), (-14, -20, -26)), (40, 46, 30))
    result = official(model_folder, image).predict(image).rootlets
    assert result.data.shape == image.data.shape
    for value in (CORD, CSF):
        got, want = result.data == value, truth.data == value
        assert 2 * (got & want).sum() / (got.sum() + want.sum()) > 0.8


def test_names_of_the_labels_decide_the_level(model_folder):
    image, truth = spine(STRAIGHT, SHAPE)
    labels = {"background": 0, "C5": 1, "lvl9": 2, "C2": 3}
    result = official(model_folder, image, labels=labels).predict(image)
    expected = np.array([0, 5, 9, 2])[truth.data]
    np.testing.assert_array_equal(result.rootlets.data, expected)
    assert result.meanings == {
        value: f"{name} spinal nerve rootlets" for value, name in ((2, "C2"), (5, "C5"), (9, "T1"))
    }


def test_cord_and_csf_classes_become_masks(model_folder):
    image, truth = spine(STRAIGHT, SHAPE)
    labels = {"background": 0, "cord": CORD, "csf": CSF, "rootlets": ROOTLET}
    result = official(model_folder, image, labels=labels).predict(image)
    np.testing.assert_array_equal(result.rootlets.data, truth.data == ROOTLET)
    np.testing.assert_array_equal(result.cord.data, truth.data == CORD)
    np.testing.assert_array_equal(result.csf.data, truth.data == CSF)
    assert not result.has_level_identity


@pytest.mark.parametrize(
    "name",
    # nnU-Net's search takes any object of that name from any of its modules.
    ["nnUNetTrainer_2000epochs", "nnUNetTrainerOfNobody", "join", "nnUNetPredictor"],
)
def test_the_trainer_class_may_be_absent_or_no_trainer(model_folder, name):
    image, truth = spine(STRAIGHT, SHAPE)
    engine = official(model_folder, image, trainer_name=name)
    np.testing.assert_array_equal(engine.predict(image).rootlets.data, truth.data)


def test_folds_are_averaged_unless_there_is_fold_all(model_folder):
    image, truth = spine(STRAIGHT, SHAPE)
    thresholds, classes = thresholds_for(image.data)
    high = [8.0, 9.0, 10.0]  # this fold alone sees background only
    for fold, each in ((0, thresholds), (1, high)):
        folder = model_folder(each, classes, labels=LEVELS, fold=fold)
    averaged = engine_for(folder).predict(image)
    assert not np.array_equal(averaged.rootlets.data, truth.data)
    assert "fold_0 + fold_1" in averaged.notes[0]
    model_folder(thresholds, classes, labels=LEVELS, fold="all")
    result = engine_for(folder).predict(image)
    np.testing.assert_array_equal(result.rootlets.data, truth.data)
    assert "fold_all" in result.notes[0]


def test_a_fold_that_was_left_over_and_another_checkpoint_are_not_averaged_in(model_folder, caplog):
    """Fold 0 alone is what nnU-Net's predictor answers with when it is asked for it."""
    image, truth = spine(STRAIGHT, SHAPE)
    thresholds, classes = thresholds_for(image.data)
    folder = model_folder([8.0, 9.0, 10.0], classes, labels=LEVELS, fold=0)
    shutil.copytree(folder / "fold_0", folder / "fold_0_old")
    (folder / "fold_0" / "checkpoint_final.pth").rename(folder / "fold_0" / "checkpoint_best.pth")
    model_folder(thresholds, classes, labels=LEVELS, fold=0)
    result = engine_for(folder).predict(image)
    np.testing.assert_array_equal(result.rootlets.data, truth.data)
    assert "fold_0 (checkpoint_final)" in result.notes[0]
    assert '"fold_0_old" is left aside' in caplog.text


def test_a_given_cord_mask_is_used_or_it_is_said_that_it_is_not(straight, caplog, engine_name):
    image, truth, engine = straight
    cord = truth.with_data((truth.data == CORD).astype(np.uint8))
    results = [engine.predict(image, cord=given) for given in (None, cord, cord)]
    told = [[note for note in result.notes if "mask" in note] for result in results]
    assert told[0] == []
    if engine_name == "nnunet":
        assert told[1] == told[2]
        assert "rootlets are looked for in the whole image" in told[1][0]
        assert caplog.text.count("takes no cord mask") == 1
    else:
        assert "within 15 mm of the cord mask" in told[1][0]
        assert caplog.text == ""


def test_labels_of_regions_are_what_nnunet_makes_of_them(model_folder, engine_name):
    """A score each: voxels are of the last region whose score is above 0."""
    image, truth = spine(STRAIGHT, SHAPE)
    thresholds, _ = thresholds_for(image.data)
    labels = {"background": 0, "cord": [1, 2, 3], "C4": [2, 3], "C7": 3}
    folder = model_folder(thresholds[:2], [0, 1, 2], labels=labels)
    path = folder / "fold_all" / "checkpoint_final.pth"
    checkpoint = torch.load(path, weights_only=True)
    weights = checkpoint["network_weights"]
    weights["decoder.seg_layers.0.weight"].zero_()
    weights["decoder.seg_layers.0.weight"][:, 0] = 60.0
    weights["decoder.seg_layers.0.bias"][:] = torch.tensor([-60 * (t + 50) for t in thresholds])
    torch.save(checkpoint, path)
    with edited(folder / "dataset.json") as dataset:
        dataset["regions_class_order"] = [1, 2, 3]
    if engine_name != "nnunet":
        with pytest.raises(ModelError, match=r"labels are regions.*-engine nnunet"):
            engine_for(folder)
    chosen = "nnunet" if engine_name == "nnunet" else "auto"
    result = load_engine(locate(folder), "cpu", 1, engine=chosen).predict(image)
    np.testing.assert_array_equal(result.rootlets.data, np.array([0, 0, 4, 7])[truth.data])
    np.testing.assert_array_equal(result.cord.data, truth.data == CORD)
    assert "nnU-Net predictor" in result.notes[0]


def test_progress_counts_tiles_and_only_the_caller_prints(straight, capsys):
    image, _, engine = straight
    calls: list[tuple[str, int, int]] = []
    for _ in range(2):
        calls.clear()
        engine.predict(image, progress=lambda *call: calls.append(call))
    tiles = [(done, total) for stage, done, total in calls if stage.startswith("segmenting")]
    assert tiles == [(n, 8) for n in range(9)]
    assert capsys.readouterr().out == ""
    engine.predict(image, progress=lambda *call: sys.stdout.write(f"tile {call[1]}\n"))
    assert "tile 8" in capsys.readouterr().out


def test_who_is_told_of_the_progress_can_stop_it(straight):
    image, _, engine = straight

    def stop(stage, done, total):
        if stage.startswith("segmenting") and done:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        engine.predict(image, progress=stop)
    assert engine.predict(image).rootlets.labels == [CORD, CSF, ROOTLET]


def test_the_environment_is_left_alone(model_folder):
    before = dict(os.environ)
    image, _ = spine(STRAIGHT, SHAPE)
    official(model_folder, image)
    assert dict(os.environ) == before


@pytest.mark.parametrize("package", ["nnunetv2", "torch"])
def test_without_a_package_what_needs_it_names_the_extra(
    model_folder, monkeypatch, engine_name, package
):
    image, truth = spine(STRAIGHT, SHAPE)
    folder = model_folder(*thresholds_for(image.data), labels=LEVELS)
    monkeypatch.setitem(sys.modules, package, None)
    # The reference needs both; OpenVINO writes an ordinary network from its weights.
    if engine_name == "openvino" or (engine_name, package) == ("torch", "nnunetv2"):
        np.testing.assert_array_equal(engine_for(folder).predict(image).rootlets.data, truth.data)
        if package == "nnunetv2":
            return
        plans = folder / "plans.json"
        plans.write_text(plans.read_text().replace("torch.nn.LeakyReLU", "torch.nn.ReLU"))
    with pytest.raises(MissingDependencyError, match=r"sct_rootlets\[standalone\]"):
        engine_for(folder)


class _Evil:
    def __reduce__(self):
        return (os.mkdir, ("ran",))


def test_a_checkpoint_cannot_run_code(model_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = model_folder([0, 1, 2], [0, 1, 2, 3], labels=LEVELS)
    path = folder / "fold_all" / "checkpoint_final.pth"
    checkpoint = torch.load(path, weights_only=True)
    torch.save({**checkpoint, "extra": _Evil()}, path)
    with pytest.raises(ModelError, match="run code"):
        engine_for(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("extra", "changed", "message"),
    [
        ({}, {"features_per_stage": [4, 6]}, "do not fit"),
        ({"channel_names": {"0": "T1w", "1": "T2w"}}, {}, "2 inputs"),
    ],
)
def test_weights_of_another_network_or_two_channels_are_refused(
    model_folder, extra, changed, message
):
    folder = model_folder([0, 1, 2], [0, 1, 2, 3], labels=LEVELS, extra=extra)
    with edited(folder / "plans.json") as plans:
        architecture = plans["configurations"]["3d_fullres"]["architecture"]
        architecture["arch_kwargs"].update(changed)
    with pytest.raises(ModelError, match=message):
        engine_for(folder)


#: The second finds the same function by a path that begins as those of the layers do.
HUB = ("torch.hub.load", "torch.nn.modules.module.torch.hub.load")


def hub(tmp_path):
    """Return arguments with which torch.hub.load runs a file that makes a folder."""
    (tmp_path / "hub").mkdir()
    code = f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\ndef evil(**k): pass\n"
    (tmp_path / "hub" / "hubconf.py").write_text(code)
    return {"repo_or_dir": str(tmp_path / "hub"), "model": "evil", "source": "local"}


@pytest.mark.parametrize("name", HUB)
def test_plans_cannot_run_code(model_folder, tmp_path, name):
    folder = model_folder([0, 1, 2], [0, 1, 2, 3], labels=LEVELS)
    with edited(folder / "plans.json") as plans:
        plans["configurations"]["3d_fullres"]["architecture"] = {
            "network_class_name": name,
            "arch_kwargs": hub(tmp_path),
            "_kw_requires_import": [],
        }
    with pytest.raises(ModelError, match=r"asks for .*torch\.hub\.load"):
        engine_for(folder)
    assert not (tmp_path / "ran").exists()


def test_such_plans_do_run_code_in_nnunet_itself(tmp_path):
    """What the check is for: the same plans, in the function of nnU-Net that reads them."""
    get_network = pytest.importorskip("nnunetv2.utilities.get_network_from_plans")
    get_network.get_network_from_plans(HUB[1], hub(tmp_path), [], 1, 2)
    assert (tmp_path / "ran").is_dir()


def test_an_image_that_would_be_too_large_is_refused_before_anything_is_made(straight, monkeypatch):
    """A fine network on a wide field: 10^9 voxels, for some hundred of the image."""
    _, _, engine = straight
    wide = np.diag([150.0, 150.0, 150.0, 1.0])
    monkeypatch.setattr("sct_rootlets.engines.engine.MOST_VOXELS", 10**6)
    with pytest.raises(InputError, match=r"too large for this model: 1.2e\+03x.* 1x1x1 mm are 1.7"):
        engine.predict(Image(np.ones((8, 8, 8), np.float32), Grid((8, 8, 8), wide)))
