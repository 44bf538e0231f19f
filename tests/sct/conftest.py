"""The real SCT of this machine, where there is one, and one that knows the truth of a phantom."""

from __future__ import annotations

import os

import pytest

from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.installation import SCT_DIR, SctInstallation, find_sct
from tests.sct.stand_in_answers import StandIn, write_truth

#: As it was when the tests began; every test runs without it.
_GIVEN = os.environ.get(SCT_DIR)


@pytest.fixture(scope="session")
def real_sct() -> SctInstallation:
    """Return the SCT that ``SCT_DIR`` or the PATH leads to; skip where there is none."""
    with pytest.MonkeyPatch.context() as patch:
        if _GIVEN is not None:
            patch.setenv(SCT_DIR, _GIVEN)
        found = find_sct()
    if found is None:
        pytest.skip("no Spinal Cord Toolbox: neither SCT_DIR nor the PATH leads to one")
    return found


@pytest.fixture
def stand_in(
    tmp_path_factory: pytest.TempPathFactory,
    phantom_small: Phantom,
    monkeypatch: pytest.MonkeyPatch,
) -> StandIn:
    folder = tmp_path_factory.mktemp("sct dir")  # with a blank, as folders have
    known = {"cord": phantom_small.cord, "discs": phantom_small.discs, "pmj": phantom_small.pmj}
    return StandIn(folder, write_truth(folder / "truth", **known), monkeypatch)
