"""The entries of our task, and which model they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.manifest import load_manifests
from sct_rootlets.sct import task_entries
from sct_rootlets.store import custom
from sct_rootlets.store.catalogue import list_models
from tests.sct.stand_in import copy_of_sct, install_model


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
    copy = copy_of_sct(tmp_path / "sct")
    assert task_entries.installed_folder(model) is None
    assert task_entries.installed_folder(model, tmp_path / "sct") == copy
    monkeypatch.setenv("SCT_DIR", str(tmp_path / "sct"))
    assert task_entries.installed_folder(model, tmp_path / "another") == copy
    assert listed() == str(copy)
    place = install_model(store_home, model.name, model.version)
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
    place = install_model(store_home, "custom", "abc")
    assert task_entries.installed_folder(model) == place
