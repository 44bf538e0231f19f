"""The real SCT of this machine, where there is one, and one that knows the truth of a phantom."""

from __future__ import annotations

import pytest

from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.installation import SctInstallation
from tests.sct.stand_in_answers import StandIn, write_truth
from tests.scts import the_sct


@pytest.fixture(scope="session")
def real_sct() -> SctInstallation:
    """Return the SCT of this machine, or skip the test."""
    return the_sct()


@pytest.fixture
def stand_in(
    tmp_path_factory: pytest.TempPathFactory,
    phantom_small: Phantom,
    monkeypatch: pytest.MonkeyPatch,
) -> StandIn:
    folder = tmp_path_factory.mktemp("sct dir")  # with a blank, as folders have
    known = {"cord": phantom_small.cord, "discs": phantom_small.discs, "pmj": phantom_small.pmj}
    return StandIn(folder, write_truth(folder / "truth", **known), monkeypatch)
