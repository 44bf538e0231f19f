"""From what a user names to a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sct_rootlets.errors import ArchiveError, ModelError, UsageError
from sct_rootlets.store import install, locate
from sct_rootlets.store.locate import locate_here
from sct_rootlets.store.requested import RequestedModel
from tests.store.tiny import entry, make_archive, write_fake, write_manifest


@pytest.fixture
def folder(tmp_path):
    return write_fake(tmp_path / "r20250318" / "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres")


def test_a_model_folder_or_its_parent_is_found(folder):
    for reference in (folder, str(folder), folder.parent, f"{folder}/"):
        model = locate(reference)
        assert model.folder == folder
        assert model.name == "r20250318"
        assert model.has_level_identity
        assert not model.is_compact
        assert model.orientation_sct == "LPI"
        assert model.labels[9] == "T1 spinal nerve rootlets"


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


def test_what_a_manifest_says_of_values_counts_where_names_say_nothing(tmp_path):
    """The entry is that of an official model, whose value 2 is C2."""
    labels = {"background": 0, "a": 1, "b": 2, "c": 3}
    archive = make_archive(tmp_path, labels=labels)
    with pytest.raises(ModelError, match="no label that can be rootlets"):
        locate(archive)
    manifest = write_manifest(tmp_path / "m.json", entry("1", ["https://example.org/model.zip"]))
    requested = locate_here("tiny", manifest=manifest)
    assert isinstance(requested, RequestedModel)
    expected = {2: "C2 spinal nerve rootlets", 3: "C3 spinal nerve rootlets"}
    assert install(dataclasses.replace(requested, file=archive)).labels == expected
    assert locate("tiny", manifest=manifest).labels == expected


def test_a_hash_is_for_archives(folder):
    for reference in (folder, "bundled"):
        with pytest.raises(UsageError, match="no archive"):
            locate(reference, sha256="ab" * 32)


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
