"""The models that SCT has installed itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.manifest import load_manifest
from sct_rootlets.store import locate
from sct_rootlets.store.locate import locate_here
from sct_rootlets.store.sct_copy import source_url
from tests.store.tiny import write_fake


@pytest.mark.parametrize("form", ["one", "list", "seeds"])
def test_the_copy_of_sct_is_used_in_place(tmp_path, monkeypatch, caplog, form):
    name = "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres"
    copy = tmp_path / "data" / "deepseg_models" / "model_seg_spinal_rootlets_nnunet"
    folder = write_fake(copy / name)
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
    caplog.clear()
    (folder / "plans.json").unlink()
    with pytest.raises(ModelError, match="not installed"):
        locate("rootlets", offline=True)
    (message,) = caplog.messages
    assert message.startswith("the copy of rootlets@r20250318 that SCT has is not used")
    assert "plans.json" in message


OFFICIAL = "https://github.com/ivadomed/model-spinal-rootlets/releases/download/r20250318/"
OFFICIAL += "model-spinal-rootlets-multicon-r20250318.zip"
OLDER = "https://github.com/ivadomed/model-spinal-rootlets/releases/download/r20240129/"
OLDER += "model-spinal-rootlets_M5_r20240129.zip"


@pytest.mark.parametrize(
    ("urls", "custom", "is_mentioned"),
    [
        ("https://a.org/m.zip?token=1", True, True),
        (["https://a.org/m.zip"], True, True),
        ({"seed1": ["https://a.org/m.zip"]}, None, True),
        (OLDER, True, True),
        ("https://a.org/r2027.zip", False, True),
        (OLDER, False, False),  # which SCT itself replaces
        (OFFICIAL, True, False),
        (None, True, False),
        (5, True, False),
    ],
)
def test_a_custom_model_of_scts_own_task_is_mentioned(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    urls: object,
    custom: bool | None,
    is_mentioned: bool,
) -> None:
    folder = tmp_path / "data" / "deepseg_models" / "model_seg_spinal_rootlets_nnunet"
    for each in (folder, folder.with_name("model_seg_lesion")):
        each.mkdir(parents=True)
        source = {"model_name": each.name, "model_urls": urls, "custom": custom}
        (each / "source.json").write_text(json.dumps(source))
    locate_here("rootlets")
    monkeypatch.setenv("SCT_DIR", str(tmp_path))
    locate_here("rootlets@r20250318")  # the user has chosen
    assert "another model" not in caplog.text
    locate_here("rootlets")
    assert ("SCT uses another model for its own task" in caplog.text) == is_mentioned
    if is_mentioned:
        assert str(folder) in caplog.text
        assert "rootlets@r20250318 is used here" in caplog.text
        assert "token" not in caplog.text


def test_nested_addresses_are_read_without_end(tmp_path: Path) -> None:
    deep = "[" * 900 + '"https://a.org/m.zip"' + "]" * 900
    (tmp_path / "source.json").write_text('{"model_urls": ' + deep + "}")
    assert source_url(tmp_path / "nnUNetTrainer") == "https://a.org/m.zip"
