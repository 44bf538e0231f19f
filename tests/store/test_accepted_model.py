"""What is a whole model without code, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.store import home, install, locate
from sct_rootlets.store.installed import receipt_of
from tests.store.tiny import TRAINER, assert_whole, leftovers, pack, write_tiny


def broken(tmp_path: Path, kind: str) -> Path:
    """Make the zip of a model with one thing wrong."""
    root = tmp_path / "broken"
    folder = write_tiny(root / TRAINER)
    checkpoint = folder / "fold_all" / "checkpoint_final.pth"
    if kind == "code":
        (root / "trainer_class.py").write_text("raise SystemExit('run')")
    elif kind == "two":
        shutil.copytree(folder, root / "nnUNetTrainer__nnUNetPlans__3d_lowres")
    elif kind == "no checkpoint":
        checkpoint.rename(checkpoint.with_name("progress.png"))
    elif kind == "damaged checkpoint":
        checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    elif kind == "no plans":
        (folder / "plans.json").unlink()
    elif kind == "other plans":
        text = (folder / "plans.json").read_text()
        (folder / "plans.json").write_text(text.replace("3d_fullres", "2d"))
    elif kind == "no rootlets":
        (folder / "dataset.json").write_text('{"labels": {"background": 0, "lesion": 1, "a": 2}}')
    elif kind == "nothing":
        shutil.rmtree(folder)
        (root / "readme.txt").write_text("no model")
    return pack(root, tmp_path / "broken.zip")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("code", r"trainer_class\.py.*-trust-code"),
        ("two", "several models"),
        ("no checkpoint", r"no checkpoint_final\.pth"),
        ("damaged checkpoint", "checkpoint"),
        ("no plans", r"plans\.json"),
        ("other plans", "no configuration"),
        ("no rootlets", "no label that can be rootlets"),
        ("nothing", "no nnU-Net v2 model"),
    ],
)
def test_what_is_no_complete_model_is_refused(tmp_path: Path, kind: str, told: str) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        install(broken(tmp_path, kind))
    assert "staging" not in str(caught.value)
    assert assert_whole() == []
    assert leftovers() == []


def test_code_is_accepted_only_where_the_user_says_so_and_is_not_run(tmp_path: Path) -> None:
    model = install(broken(tmp_path, "code"), trust_code=True)
    assert receipt_of(home().place(model.name, model.version)).trusted_code


def test_a_release_without_the_trainer_folder_gets_it(tmp_path: Path) -> None:
    root = tmp_path / "model-spinal-rootlets"
    write_tiny(root, trainer_name="nnUNetTrainer_2000epochs")
    model = install(pack(root, tmp_path / "M5.zip"))
    assert model.folder.name == TRAINER
    assert model.has_level_identity
    assert len(assert_whole()) == 1


def test_the_pair_of_a_compact_model_is_installed_together(tmp_path: Path) -> None:
    root = tmp_path / "pair"
    labels = {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}
    for name in ("3d_fullres", "3d_lowres"):
        write_tiny(
            root / f"nnUNetTrainer__nnUNetPlans__{name}",
            labels=labels,
            dataset_json_extra={"sct_rootlets": {}},
        )
    model = install(pack(root, tmp_path / "pair.zip"))
    assert model.is_compact
    assert model.sha256 == locate(root).sha256
    assert len(list(model.folder.parent.rglob("*.safetensors"))) == 2
