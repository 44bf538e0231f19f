from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from sct_rootlets.errors import ArchiveError, ModelError, UsageError
from sct_rootlets.manifest import load_manifest
from sct_rootlets.store import folder_sha256, locate

LEVELS = {"background": 0, **{f"lvl{value}": value for value in range(1, 10)}}


def fake(folder: Path, labels=None, fold="fold_all", **extra) -> Path:
    """Write what locate() looks at; the checkpoint is not opened by it."""
    (folder / fold).mkdir(parents=True)
    dataset = {"labels": labels or LEVELS, **extra}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text('{"configurations": {}}')
    (folder / fold / "checkpoint_final.pth").write_bytes(b"weights")
    return folder


@pytest.fixture
def folder(tmp_path):
    return fake(tmp_path / "r20250318" / "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres")


def test_a_model_folder_or_its_parent_is_found(folder):
    for reference in (folder, str(folder), folder.parent, f"{folder}/"):
        model = locate(reference)
        assert model.folder == folder
        assert model.name == "r20250318"
        assert model.has_level_identity
        assert not model.is_compact
        assert model.orientation_sct == "LPI"
        assert model.labels[9] == "T1 spinal nerve rootlets"


def test_the_orientation_of_dataset_json_has_precedence(tmp_path):
    assert locate(fake(tmp_path / "m", image_orientation="RPI")).orientation_sct == "RPI"
    with pytest.raises(ModelError, match="three letters"):
        locate(fake(tmp_path / "n", image_orientation="up"))


def test_a_compact_model_is_known_by_its_key_and_has_two_folders(tmp_path):
    labels = {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}
    full, low = (tmp_path / f"nnUNetTrainer__nnUNetPlans__3d_{kind}res" for kind in ("full", "low"))
    fake(full, labels, sct_rootlets={"rootlet_threshold": 0.7})
    alone = locate(tmp_path)
    assert alone.is_compact
    assert not alone.has_level_identity
    fake(low, labels, sct_rootlets={})
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


def test_a_damaged_zip_a_file_and_an_ordinary_folder_are_no_models(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"x")
    with pytest.raises(ArchiveError, match=r"model\.zip"):
        locate(tmp_path / "model.zip")
    (tmp_path / "image.nii.gz").write_bytes(b"x")
    with pytest.raises(ModelError, match="is a file"):
        locate(tmp_path / "image.nii.gz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="not an nnU-Net v2 model folder"):
        locate(tmp_path / "empty")
    for name in ("none.zip", "none/model"):
        with pytest.raises(ModelError, match="no such model folder"):
            locate(tmp_path / name)


def test_a_folder_with_code_is_refused_unless_it_is_trusted(folder):
    (folder / "trainer_class.py").write_text("raise SystemExit")
    with pytest.raises(ModelError, match=r"trainer_class\.py.*-trust-code"):
        locate(folder)
    assert locate(folder, trust_code=True).folder == folder


def test_a_hash_is_for_archives(folder):
    for reference in (folder, "bundled"):
        with pytest.raises(UsageError, match="no archive"):
            locate(reference, sha256="ab" * 32)


def test_several_models_in_one_folder_are_not_guessed_between(tmp_path):
    fake(tmp_path / "a")
    fake(tmp_path / "b")
    with pytest.raises(ModelError, match="several models"):
        locate(tmp_path)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"'nothing'.*bundled.*rootlets@r20250318"):
        locate("nothing")


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_offline_says_what_is_missing_and_how_to_bring_it(by, monkeypatch):
    if by == "environment":
        monkeypatch.setenv("SCT_ROOTLETS_OFFLINE", "1")
    with pytest.raises(ModelError) as caught:
        locate("rootlets@r20240523", offline=True if by == "argument" else None)
    for told in (
        "rootlets@r20240523 is not installed",
        "https://github.com/ivadomed/model-spinal-rootlets/releases/download/r20240523/",
        "sct_rootlets models install rootlets@r20240523 -from-file FILE.zip",
    ):
        assert told in str(caught.value)


@pytest.mark.parametrize("form", ["one", "list", "seeds"])
def test_the_copy_of_sct_is_used_in_place(tmp_path, monkeypatch, form):
    name = "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres"
    copy = tmp_path / "data" / "deepseg_models" / "model_seg_spinal_rootlets_nnunet"
    folder = fake(copy / name)
    url = load_manifest().find("rootlets@r20250318").assets[0].urls[0]
    urls = {"one": url, "list": [url], "seeds": {"seed1": [url]}}[form]
    source = {"model_name": copy.name, "model_urls": urls, "custom": False}
    (copy / "source.json").write_text(json.dumps(source))
    monkeypatch.setenv("SCT_DIR", str(tmp_path))
    model = locate("rootlets", offline=True)
    assert model.folder == folder
    assert model.reference == "rootlets@r20250318"
    for reference, options in (
        ("rootlets@r20240523", {}),  # another version
        ("rootlets", {"sha256": "ab" * 32}),  # nobody can tell
    ):
        with pytest.raises(ModelError, match="not installed"):
            locate(reference, offline=True, **options)
    (folder / "plans.json").unlink()
    with pytest.raises(ModelError, match="not installed"):
        locate("rootlets", offline=True)


def test_the_bundled_model_is_found_by_each_of_its_names_or_its_absence_said():
    package = Path(__file__).parents[2] / "sct_rootlets" / "models" / "compact"
    for reference in ("bundled", "compact"):
        if package.is_dir():
            model = locate(reference)
            assert model.is_compact
            assert model.reference.startswith("compact@")
        else:
            with pytest.raises(ModelError, match="missing from this installation"):
                locate(reference)
