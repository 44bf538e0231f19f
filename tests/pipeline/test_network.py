"""How the network is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.engines.networks import network_cache
from sct_rootlets.pipeline import Settings, run, segment, segment_many
from sct_rootlets.store import locate
from sct_rootlets.store.home import PATH
from tests.synthetic import Neck


def test_the_engine_is_told_how_and_where_it_may_keep_networks(
    neck: Neck, loads: list[Any], store_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATH, os.pathsep.join(["/shared", "/lab"]))
    shared = [Path("/shared/compiled"), Path("/lab/compiled")]
    cache = {"cache": store_home / "compiled", "shared": shared}
    run(neck.image)
    settings = Settings("cpu", 2, "openvino", fast=True, mirror=True)
    run(neck.image, settings=settings)
    segment(neck.image, settings=settings)
    list(segment_many([neck.image], settings=settings))
    finders = [wish.pop("finder") for _, wish in loads]
    told = ("cpu", 2), {"engine": "openvino", "fast": True, "mirror": True, **cache}
    plain = ("auto", None), {"engine": "auto", "fast": False, "mirror": False, **cache}
    assert loads == [plain, *[told] * 3]
    assert finders == [None] * 4  # the bundled model finds the cord by itself
    assert not (store_home / "compiled").exists()  # the engine's to make


def test_networks_of_a_store_that_is_only_read_are_not_converted_again(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    shared, own = tmp_path / "shared", tmp_path / "own"
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(shared))
    settings = Settings("cpu", 1, "openvino")
    settings.load(locate("tiny@1", manifest=manifest), None, {})
    before = sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))
    assert len(list((shared / "compiled").iterdir())) == 1

    def refuse(folder: Path, target: Path) -> None:
        raise AssertionError(f"{folder} is converted again")

    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(own))
    monkeypatch.setenv(PATH, str(shared))
    for way in ("_written", "_made_apart", "_make"):
        monkeypatch.setattr(network_cache, way, refuse)
    settings.load(locate("tiny@1", manifest=manifest, offline=True), None, {})
    assert not own.exists()
    assert before == sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))
