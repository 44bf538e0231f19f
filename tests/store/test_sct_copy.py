"""The models that SCT has installed itself."""

from __future__ import annotations

import json

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.manifest import load_manifest
from sct_rootlets.store import locate
from tests.store.tiny import write_fake


@pytest.mark.parametrize("form", ["one", "list", "seeds"])
def test_the_copy_of_sct_is_used_in_place(tmp_path, monkeypatch, form):
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
    (folder / "plans.json").unlink()
    with pytest.raises(ModelError, match="not installed"):
        locate("rootlets", offline=True)
