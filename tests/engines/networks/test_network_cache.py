"""Converted networks on disk: who finds them, and who may read them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sct_rootlets.engines.networks import network_cache
from sct_rootlets.engines.networks.network_cache import converted
from tests.store.tiny import TRAINER, near, write_tiny

pytest.importorskip("openvino")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "model" / TRAINER)


@pytest.mark.parametrize("is_plain", [True, False])
def test_all_may_read_them_whom_the_umask_lets(
    folder: Path,
    tmp_path: Path,
    umask: int,
    is_plain: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not is_plain:
        monkeypatch.setattr(network_cache, "_written", lambda folder, target: None)
    with converted(folder, "ab" * 32, tmp_path / "cache") as found:
        assert found.folder.parent == tmp_path / "cache"
    for path in [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]:
        mode = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == mode & ~umask, path


def test_shared_ones_are_used_first_and_only_read(folder: Path, tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    for cache in (shared, own):
        with converted(folder, "ab" * 32, cache) as found:
            place = found.folder
    kept = shared / place.name
    with converted(folder, "ab" * 32, own, [tmp_path / "none", shared]) as found:
        assert found.folder == kept
    # One that is not what it should be is not used, and not repaired.
    facts = json.loads((kept / "facts.json").read_text())
    facts["sha256"]["fold_all.bin"] = near(facts["sha256"]["fold_all.bin"])
    (kept / "facts.json").write_text(json.dumps(facts))
    with converted(folder, "ab" * 32, own, [shared]) as found:
        assert found.folder == place
    with converted(folder, "cd" * 32, own, [shared]) as found:
        assert found.folder.parent == own
    assert json.loads((kept / "facts.json").read_text()) == facts
    assert list(shared.iterdir()) == [kept]
