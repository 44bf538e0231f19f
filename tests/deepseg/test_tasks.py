"""The model of the tasks: recommended, custom, or named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sct_rootlets.deepseg import TASKS, describe_tasks, install_task, tasks
from sct_rootlets.deepseg.tasks import located, task_model
from sct_rootlets.errors import ModelError, UsageError
from sct_rootlets.store import Choice, home
from sct_rootlets.store.catalogue import model_url
from sct_rootlets.store.custom import custom_version, install_custom
from sct_rootlets.store.installed import find, remove
from tests.store.server import Server
from tests.store.tiny import TRAINER, write_tiny


@pytest.fixture
def choice(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Choice:
    """Let the tasks use a model that is served here, and return no choice of another."""
    monkeypatch.setattr(tasks, "MODEL", "tiny")
    monkeypatch.setenv("SCT_ROOTLETS_MANIFEST", str(manifest))
    return Choice("")


def address_of(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def silent(text: str) -> None:
    pytest.fail(text)


def test_by_default_the_recommended_official_release() -> None:
    rows = {row["task"]: row for row in describe_tasks()}
    assert list(rows) == list(TASKS) == ["rootlets", "rootlets_levels"]
    for row in rows.values():
        assert (row["model"], row["installed"]) == ("rootlets@r20250318", "no")
        assert row["url"].endswith("model-spinal-rootlets-multicon-r20250318.zip")
        assert row["levels"] == "C2-T1"
    assert task_model(Choice("")).reference == "rootlets"
    assert task_model(Choice("bundled")).reference == "bundled"


def test_what_is_missing_is_installed_and_said_once(choice: Choice, server: Server) -> None:
    said: list[str] = []
    model = located(choice, said.append)
    assert model.reference == "tiny@1"
    assert said == ["Model tiny@1 is not installed. Installing it now..."]
    assert located(choice, silent).folder == model.folder
    assert describe_tasks()[0]["installed"] == "yes"
    assert model_url(model) == address_of(server, "/1.zip")


def test_install_and_what_was_damaged_anew(choice: Choice) -> None:
    said: list[str] = []
    model = install_task(choice, said.append)
    assert model.reference == "tiny@1"
    (model.folder / "plans.json").write_text("{}")
    assert describe_tasks()[0]["installed"] == "damaged"
    assert install_task(choice, said.append).sha256 == model.sha256
    assert install_task(replace(choice, reference="tiny@2"), said.append).reference == "tiny@2"


def test_a_custom_model_is_used_until_the_official_is_installed_again(
    choice: Choice, server: Server
) -> None:
    said: list[str] = []
    address = address_of(server, "/3.zip")
    custom = install_task(choice, said.append, custom=[address])
    assert custom.name == "url-3"
    found = located(choice, said.append)
    assert found.reference == custom.reference
    assert said[-1] == f"Using the custom model from {address}."
    assert model_url(found) == address
    row = describe_tasks()[0]
    assert (row["model"], row["url"], row["installed"]) == (custom.reference, address, "yes")
    assert located(replace(choice, reference="tiny@2"), said.append).reference == "tiny@2"
    assert install_task(choice, said.append).reference == "tiny@1"
    assert located(choice, silent).reference == "tiny@1"


def test_a_custom_model_that_is_gone_is_not_replaced_in_silence(
    choice: Choice, server: Server
) -> None:
    custom = install_custom("tiny", address_of(server, "/3.zip"))
    place = find(custom.name, custom.version)
    assert place is not None
    (custom.folder / "plans.json").write_text("{")
    with pytest.raises(ModelError, match=r"url-3@.* is damaged: .*plans\.json has 1 bytes"):
        located(choice, silent)
    remove(place)
    with pytest.raises(ModelError, match=r"url-3@.* is not installed"):
        located(choice, silent)


def test_one_address_and_no_model_beside_it(choice: Choice) -> None:
    with pytest.raises(UsageError, match="gives 2 addresses"):
        install_task(choice, silent, custom=["https://a.org/1.zip", "https://a.org/2.zip"])
    with pytest.raises(UsageError, match="both name a model"):
        install_task(Choice("tiny@1"), silent, custom=["https://a.org/1.zip"])
    assert custom_version("tiny") is None
    assert not home().folder.exists()


def test_scts_own_copy_is_used_where_it_lies(
    choice: Choice, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sct" / "data" / "deepseg_models" / "model_of_sct"
    write_tiny(folder / TRAINER)
    (folder / "source.json").write_text(json.dumps({"model_urls": address_of(server, "/1.zip")}))
    monkeypatch.setenv("SCT_DIR", str(tmp_path / "sct"))
    assert located(choice, silent).folder == folder / TRAINER
    assert install_task(choice, silent).folder == folder / TRAINER
    assert describe_tasks()[0]["installed"] == "by SCT"
    assert model_url(located(Choice(folder), silent)) == address_of(server, "/1.zip")
    assert not home().folder.exists()


def test_a_model_that_never_had_an_address_has_none(tmp_path: Path) -> None:
    write_tiny(tmp_path / "mine" / TRAINER)
    assert model_url(located(Choice(tmp_path / "mine"), silent)) is None
    assert model_url(located(Choice("bundled"), silent)) is None
