"""The entries of our task, and which model they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.manifest import load_manifests
from sct_rootlets.sct import task_entries
from sct_rootlets.store import custom
from sct_rootlets.store.catalogue import list_models
from sct_rootlets.store.receipt import write_receipt


def test_the_model_is_what_its_name_alone_means() -> None:
    model = task_entries.default_model()
    assert model == load_manifests().find("rootlets")
    assert model.reference == "rootlets@r20250318"


def test_it_is_installed_where_the_list_of_models_says_so(
    store_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = task_entries.default_model()

    def listed() -> str | None:
        (row,) = [row for row in list_models() if row["version"] == model.version]
        folder: str | None = row["folder"]
        return folder

    assert task_entries.installed_folder(model) is None
    assert listed() is None
    copy = tmp_path / "sct" / "data" / "deepseg_models" / "of_sct"
    (copy / "fold_0").mkdir(parents=True)
    for name in ("dataset.json", "plans.json", "fold_0/checkpoint_final.pth"):
        (copy / name).write_text('{"configurations": {}}')
    (copy / "source.json").write_text(f'{{"model_urls": "{model.assets[0].urls[0]}"}}')
    assert task_entries.installed_folder(model) is None
    assert task_entries.installed_folder(model, tmp_path / "sct") == copy
    monkeypatch.setenv("SCT_DIR", str(tmp_path / "sct"))
    assert task_entries.installed_folder(model, tmp_path / "another") == copy
    assert listed() == str(copy)
    place = store_home / "models" / model.name / model.version
    place.mkdir(parents=True)
    (place / "plans.json").write_text("{}")
    common = {"archive_sha256": "", "archive_bytes": 0, "source": "", "trusted_code": False}
    write_receipt(place, name=model.name, version=model.version, made=(), **common)
    assert task_entries.installed_folder(model) == place
    assert listed() == str(place)


def test_the_page_of_the_model_and_what_is_shown() -> None:
    model = task_entries.default_model()
    entry = task_entries._task_entry(model)
    assert entry["url"] == "https://github.com/ivadomed/model-spinal-rootlets"
    assert model.reference in entry["description"]
    assert entry["models"] == [model.reference]
    assert task_entries._model_entry(model)["url"] == list(model.assets[0].urls)


def test_what_a_custom_address_installed_is_shown_in_its_place(store_home: Path) -> None:
    model = task_entries.default_model()
    custom._write({model.name: custom.Custom("custom@abc", "https://example.org/model.zip")})
    assert task_entries.installed_folder(model) is None
    place = store_home / "models" / "custom" / "abc"
    place.mkdir(parents=True)
    (place / "plans.json").write_text("{}")
    common = {"archive_sha256": "", "archive_bytes": 0, "source": "", "trusted_code": False}
    write_receipt(place, name="custom", version="abc", made=(), **common)
    assert task_entries.installed_folder(model) == place
