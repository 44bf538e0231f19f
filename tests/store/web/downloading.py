"""What is downloaded from the server of the tests, and how."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from sct_rootlets.errors import DownloadError
from sct_rootlets.store.web.download import Timeouts, download, sidecar_path
from tests.store.server import Fault

#: No pauses, and patience with a busy machine; who waits for nothing to come, waits shorter.
TIMEOUTS = Timeouts(connect_s=60.0, read_s=60.0, pause_s=0.0, longest_pause_s=0.0)
IMPATIENT = Timeouts(connect_s=60.0, read_s=0.2, pause_s=0.0, longest_pause_s=0.0)


def archive(size_bytes: int = 300_001, seed: int = 0) -> bytes:
    """Return bytes that begin as a zip does; what follows is not looked at by a download."""
    return b"PK\x03\x04" + random.Random(seed).randbytes(size_bytes - 4)


CONTENT = archive()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


def fetch(urls, target, **options):
    urls = [urls] if isinstance(urls, str) else urls
    options = {"sha256": SHA256, "size_bytes": SIZE, "timeouts": TIMEOUTS, **options}
    return download(urls, target, **options)


def assert_whole(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert not sidecar_path(target).exists()
    assert list(target.parent.iterdir()) == [target]


def cut_at_half(server, target, **options) -> str:
    """Let a download fail at half, so that the next call finds a part."""
    url = server.add("/model.zip", CONTENT, Fault(cut_after=SIZE // 2), **options)
    with pytest.raises(DownloadError, match=r"was cut"):
        fetch(url, target, attempts=1)
    assert 0 < target.stat().st_size <= SIZE // 2
    return url
