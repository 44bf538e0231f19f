"""The planted errors that the tests of this room share; who writes beside them tidies up."""

from __future__ import annotations

import pytest

from tests.evaluation.planted import Planted, plant


@pytest.fixture(scope="package")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"))
