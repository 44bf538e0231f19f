"""A folder to unpack into, and what is to be true of it once an archive is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.unpack import unpack
from tests.store.archives.building import SMALL, around, make_surroundings


@pytest.fixture
def into(tmp_path) -> Path:
    return make_surroundings(tmp_path / "root")


@pytest.fixture
def archive(tmp_path) -> Path:
    return tmp_path / "model.part"


@pytest.fixture
def refused(into, archive) -> Callable[[bytes, str], None]:
    """Return what checks that an archive is refused, saying why, and writes nothing."""

    def check(data: bytes, said: str) -> None:
        archive.write_bytes(data)
        before = around(into)
        with pytest.raises(ArchiveError, match=said) as caught:
            unpack(archive, into, limits=SMALL)
        assert around(into) == before
        assert list(into.iterdir()) == []
        assert caught.value.path == str(archive)
        assert caught.value.remedy
        assert str(caught.value).isprintable()
        assert not Path("/tmp/evil").exists()

    return check
