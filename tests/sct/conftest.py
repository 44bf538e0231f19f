"""The real SCT of this machine, where there is one."""

from __future__ import annotations

import os

import pytest

from sct_rootlets.sct.installation import SCT_DIR, SctInstallation, find_sct

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
