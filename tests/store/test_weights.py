from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import ModelError, OutputError
from sct_rootlets.image import Grid, Image
from sct_rootlets.store import locate
from sct_rootlets.store.weights import code_files, convert_checkpoint
from tests.checkpoint import hostile
from tests.store.tiny import TRAINER, write_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.fixture
def good(tmp_path):
    return hostile.write(tmp_path / "checkpoint_final.pth", hostile.archive(hostile.content()))


def test_the_pair_lies_beside_the_checkpoint(good, tmp_path):
    before = good.read_bytes()
    weights, facts = convert_checkpoint(good, tmp_path)
    assert weights == tmp_path / "checkpoint_final.safetensors"
    assert facts == tmp_path / "checkpoint_final.json"
    assert files_below(tmp_path) == {good.name, weights.name, facts.name}
    assert good.read_bytes() == before
    assert json.loads(facts.read_text()) == {
        "format": "sct_rootlets checkpoint",
        "format_version": 1,
        "trainer_name": "nnUNetTrainer",
        "configuration": "3d_fullres",
        "inference_allowed_mirroring_axes": [0, 1, 2],
        "weights": {"tensors": 1, "size_bytes": weights.stat().st_size},
        "aliases": {},
        "source": {
            "file": "checkpoint_final.pth",
            "sha256": hashlib.sha256(before).hexdigest(),
            "size_bytes": len(before),
        },
    }


def test_it_goes_where_it_is_told_and_replaces_what_a_zip_brought(good, tmp_path):
    elsewhere = tmp_path / "fold_all"
    elsewhere.mkdir()
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (elsewhere / "checkpoint_final.safetensors").symlink_to(mine)
    (elsewhere / "checkpoint_final.json").write_text('{"from": "the zip"}')
    made = convert_checkpoint(good, elsewhere)
    assert mine.read_text() == "mine"
    assert not made[0].is_symlink()
    assert json.loads(made[1].read_text())["source"]["file"] == good.name
    # And the same checkpoint gives the same bytes.
    before = [path.read_bytes() for path in made]
    assert [path.read_bytes() for path in convert_checkpoint(good, elsewhere)] == before


#: But for one whose harmless half is read, as tests/checkpoint/test_read.py shows.
REFUSED = [name for name in (*hostile.RUNS, *hostile.BREAKS) if name != "two directories"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_checkpoint_is_refused_and_leaves_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    runs = name in hostile.RUNS
    data = hostile.RUNS[name](str(tmp_path / "ran")) if runs else hostile.BREAKS[name]
    path = hostile.write(tmp_path / "a.pth", data)
    with pytest.raises(ModelError, match=r"a\.pth: .*could run code" if runs else r"a\.pth"):
        convert_checkpoint(path, tmp_path)
    assert files_below(tmp_path) == {"a.pth"}


def test_a_link_is_refused(good, tmp_path):
    (tmp_path / "link.pth").symlink_to(good)
    with pytest.raises(ModelError, match="link to another file"):
        convert_checkpoint(tmp_path / "link.pth", tmp_path)
    assert files_below(tmp_path) == {"link.pth", good.name}


def test_trusted_code_runs_once_at_the_conversion(tmp_path):
    held = {
        "network_weights": {"a.weight": torch.arange(4.0)},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "extra": hostile.Unusual(tmp_path / "ran"),
    }
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"Unusual.*-trust-code"):
        convert_checkpoint(tmp_path / "a.pth", tmp_path)
    assert not (tmp_path / "ran").exists()
    weights, facts = convert_checkpoint(tmp_path / "a.pth", tmp_path, trust_code=True)
    assert (tmp_path / "ran").is_dir()
    assert b"Unusual" not in weights.read_bytes() + facts.read_bytes()


def test_a_failed_write_leaves_what_was_there(good, tmp_path, monkeypatch):
    from sct_rootlets.checkpoint import converted

    convert_checkpoint(good, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    hostile.write(good, hostile.archive(hostile.content(trainer_name="Another")))
    before[good] = good.read_bytes()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(converted.json, "dumps", full)
    with pytest.raises(OutputError, match="No space"):
        convert_checkpoint(good, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_code_in_a_folder_is_found(tmp_path):
    code = [
        "trainer_class.py",
        "fold_all/Trainer.PY",
        "fold_all/validation/run.py",
        "__pycache__/x.cpython-311.pyc",
        "libevil.so",
        "libevil.so.1",
        "a.pyd",
        "a.dll",
        "a.dylib",
        "weights.pkl",
        "install.sh",
    ]
    fine = [
        "dataset.json",
        "plans.json",
        "dataset_fingerprint.json",
        "fold_all/checkpoint_final.pth",
        "fold_all/checkpoint_final.safetensors",
        "fold_all/debug.json",
        "fold_all/progress.png",
        "fold_all/training_log_2024_1_1.txt",
        "fold_all/validation/case_1.pkl",
        "fold_all/validation/summary.json",
        "crossval_results_folds_0_1/postprocessing.pkl",
        "README.md",
        "so",
        "py",
    ]
    for name in code + fine:
        hostile.write(tmp_path / name, b"x")
    found = [path.relative_to(tmp_path).as_posix() for path in code_files(tmp_path)]
    assert found == sorted(found)
    assert set(found) == set(code)


# --- the exact numbers of the result -----------------------------------------------------


def _image() -> Image:
    data = np.random.default_rng(3).normal(200, 60, size=(24, 28, 40)).astype(np.float32)
    return Image(data, Grid(data.shape, np.diag([1.1, 0.9, 1.0, 1.0])), None, "noise")


def _convert_and_spoil(folder: Path) -> None:
    """Convert every checkpoint, and make sure that none can be read any more."""
    for pth in folder.glob("fold_*/*.pth"):
        convert_checkpoint(pth, pth.parent)
        pth.write_bytes(b"spoilt")


@pytest.mark.slow
def test_nnunet_predicts_the_same_bits(tmp_path):
    """Of a folder with two folds: weights, logits and labels, before and after."""
    pytest.importorskip("nnunetv2")
    from sct_rootlets.engines import load_engine

    for fold in (0, 1):
        folder = write_tiny(tmp_path / TRAINER, fold, fold=fold)
    model = locate(folder)
    volume = np.random.default_rng(2).normal(size=(1, 40, 20, 26)).astype(np.float32)

    def run():
        engine = load_engine(model, "cpu", 1, engine="nnunet")
        predictor = engine._predictor
        logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(volume))
        return predictor.list_of_parameters, logits, engine.predict(_image()).rootlets.data

    parameters, logits, labels = run()
    _convert_and_spoil(folder)
    again_parameters, again_logits, again_labels = run()
    for before, after in zip(parameters, again_parameters, strict=True):
        assert set(before) == set(after)
        assert all(
            torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype
            for name in before
        )
    assert torch.equal(logits, again_logits)
    assert logits.std() > 0.1
    np.testing.assert_array_equal(labels, again_labels)
    assert len(np.unique(labels)) > 2
