"""A dozen anatomies."""

from __future__ import annotations

import pytest

from sct_rootlets.phantom import Anatomy, random_anatomy


@pytest.fixture(scope="session")
def anatomies() -> list[Anatomy]:
    return [random_anatomy(seed) for seed in range(12)]
