"""What makes a folder a model, and what it says of itself."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from sct_rootlets.checkpoint import converted_files
from sct_rootlets.errors import ModelError
from sct_rootlets.store import folder_sha256, locate
from tests.store.tiny import sha256_of, write_fake


@pytest.fixture
def folder(tmp_path):
    return write_fake(tmp_path / "r20250318" / "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres")


def test_the_orientation_of_dataset_json_has_precedence(tmp_path):
    assert locate(write_fake(tmp_path / "m", image_orientation="RPI")).orientation_sct == "RPI"
    with pytest.raises(ModelError, match="three letters"):
        locate(write_fake(tmp_path / "n", image_orientation="up"))


def test_a_compact_model_is_known_by_its_key_and_has_two_folders(tmp_path):
    labels = {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}
    full, low = (tmp_path / f"nnUNetTrainer__nnUNetPlans__3d_{kind}res" for kind in ("full", "low"))
    write_fake(full, labels, sct_rootlets={"rootlet_threshold": 0.7})
    alone = locate(tmp_path)
    assert alone.is_compact
    assert not alone.has_level_identity
    write_fake(low, labels, sct_rootlets={})
    both = locate(tmp_path)
    assert both.folder == full
    assert both.sha256 != alone.sha256


def test_the_hash_is_that_of_sha256sum_and_moves_with_the_model(folder, tmp_path):
    names = ["dataset.json", "fold_all/checkpoint_final.pth", "plans.json"]
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {folder.name}/{name}\n"
        for name in names
    ]
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    model = locate(folder)
    assert model.sha256 == expected
    assert folder_sha256([folder / name for name in reversed(names)], folder.parent) == expected
    elsewhere = shutil.copytree(folder.parent, tmp_path / "elsewhere")
    (elsewhere / folder.name / "progress.png").write_bytes(b"not read by inference")
    assert locate(elsewhere).sha256 == expected
    (elsewhere / folder.name / "fold_all" / "checkpoint_final.pth").write_bytes(b"other")
    assert locate(elsewhere).sha256 != expected


def test_weights_of_another_checkpoint_are_not_used(folder):
    """As where a checkpoint was replaced in a copy of an installed model."""
    checkpoint = folder / "fold_all" / "checkpoint_final.pth"
    weights, facts = converted_files(checkpoint)
    weights.write_bytes(b"weights")
    facts.write_text(json.dumps({"source": {"sha256": sha256_of(checkpoint)}}))
    assert locate(folder).checkpoints == (f"{folder.name}/fold_all/checkpoint_final.pth",)
    checkpoint.write_bytes(b"other")
    for content in (facts.read_text(), "{}"):
        facts.write_text(content)
        with pytest.raises(ModelError, match=r"safetensors: was not made of the checkpoint_final"):
            locate(folder)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("dataset.json", r"no dataset\.json.*fold_\*"),
        ("plans.json", r"no readable plans\.json"),
        ("fold_all", r"no fold_\*"),
        ("fold_all/checkpoint_final.pth", r"no checkpoint_final\.pth or checkpoint_best\.pth"),
    ],
)
def test_what_is_missing_is_named(folder, missing, message):
    path = folder / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(ModelError, match=message):
        locate(folder)


def test_the_best_checkpoint_will_do(folder):
    fold = folder / "fold_all"
    (fold / "checkpoint_final.pth").rename(fold / "checkpoint_best.pth")
    assert locate(folder).folder == folder


def test_damaged_json_and_version_1_are_named(folder):
    (folder / "plans.json").write_text('{"plans_per_stage": {}}')
    with pytest.raises(ModelError, match="version 1"):
        locate(folder)
    (folder / "plans.json").write_text('{"configurations"')
    with pytest.raises(ModelError, match="not valid JSON"):
        locate(folder)


def test_several_models_in_one_folder_are_not_guessed_between(tmp_path):
    write_fake(tmp_path / "a")
    write_fake(tmp_path / "b")
    with pytest.raises(ModelError, match="several models"):
        locate(tmp_path)
