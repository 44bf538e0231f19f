"""A version of the user's own in place of the recommended one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sct_rootlets.errors import DownloadError, IntegrityError, ModelError, StoreError
from sct_rootlets.store import home, locate
from sct_rootlets.store.custom import custom_version, forget_custom, install_custom
from sct_rootlets.store.trust import read_records, records_path
from tests.store.server import Server
from tests.store.tiny import assert_whole, leftovers, sha256_of


@pytest.fixture
def url(server: Server, archives: dict[str, Path]) -> str:
    return server.add("/my-model.zip", archives["1"].read_bytes())


def test_it_is_installed_recorded_and_remembered(
    url: str, archives: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert custom_version("rootlets") is None
    installed = install_custom("rootlets", f"{url}?token=secret")
    assert installed.name == "url-my-model"
    assert installed.has_level_identity
    sha256 = sha256_of(archives["1"])
    assert sha256 in caplog.text
    assert read_records(records_path(home()))[installed.reference].sha256 == sha256
    custom = custom_version("rootlets")
    assert custom is not None
    assert custom.reference == installed.reference
    assert "secret" not in custom.source
    assert locate(custom.reference).folder == installed.folder
    assert custom_version("other") is None
    forget_custom("rootlets")
    assert custom_version("rootlets") is None
    assert assert_whole() == [installed.reference]


def test_other_bytes_of_the_address_are_refused_unless_their_hash_is_given(
    url: str, server: Server, archives: dict[str, Path]
) -> None:
    first = install_custom("rootlets", url)
    sha256 = sha256_of(archives["2"])
    server.add("/my-model.zip", archives["2"].read_bytes())
    # What is there is whole, so that nothing is downloaded; then it is damaged.
    assert install_custom("rootlets", url).sha256 == first.sha256
    next(first.folder.glob("fold_*/*.safetensors")).write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="-sha256") as caught:
        install_custom("rootlets", url)
    assert "models install" not in str(caught.value)
    assert custom_version("rootlets").reference == first.reference  # type: ignore[union-attr]
    second = install_custom("rootlets", url, sha256=sha256)
    assert second.version == sha256[:12]
    assert custom_version("rootlets").reference == second.reference  # type: ignore[union-attr]


def test_an_archive_on_this_disk(
    archives: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(archives["1"].parent)
    installed = install_custom("rootlets", archives["1"].name, offline=True)
    custom = custom_version("rootlets")
    assert custom is not None
    assert (custom.reference, custom.source) == (installed.reference, str(archives["1"]))


def test_a_failed_install_changes_nothing(url: str, server: Server) -> None:
    with pytest.raises(DownloadError) as caught:
        install_custom("rootlets", f"http://127.0.0.1:{server.port}/missing.zip")
    assert "models install" not in str(caught.value)
    with pytest.raises(ModelError, match="network"):
        install_custom("rootlets", url, offline=True)
    assert custom_version("rootlets") is None
    assert leftovers() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "models": {"a": 1}}',
        '{"format": 1, "models": {"rootlets": {"reference": 5, "source": "x"}}}',
    ],
)
def test_a_damaged_record_is_an_error(text: str) -> None:
    home().folder.mkdir(parents=True)
    (home().folder / "custom.json").write_text(text)
    with pytest.raises(StoreError, match="custom"):
        custom_version("rootlets")


def test_a_record_with_a_byte_order_mark_is_read() -> None:
    text = '{"format": 1, "models": {"rootlets": {"reference": "mine@1", "source": "x"}}}'
    home().folder.mkdir(parents=True)
    (home().folder / "custom.json").write_text(text, encoding="utf-8-sig")
    custom = custom_version("rootlets")
    assert custom is not None
    assert custom.reference == "mine@1"


def test_several_models_have_each_their_own(archives: dict[str, Path]) -> None:
    one = install_custom("one", str(archives["1"]))
    two = install_custom("two", str(archives["2"]))
    content = json.loads((home().folder / "custom.json").read_text())
    assert {name: found["reference"] for name, found in content["models"].items()} == {
        "one": one.reference,
        "two": two.reference,
    }
