"""Addresses that nothing is downloaded from."""

from __future__ import annotations

import pytest

from sct_rootlets.errors import UsageError
from sct_rootlets.store.web.addresses import require_allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.zip",
        "http://127.0.0.1.example.org/a.zip",
        "http://user@example.org/a.zip",
        "http://localhost@example.org/a.zip",
        "ftp://127.0.0.1/a.zip",
        "file:///etc/passwd",
        "https://",
        "http://[::1",
        "model.zip",
    ],
)
def test_addresses_that_are_not_allowed_are_a_wrong_command(url):
    with pytest.raises(UsageError):
        require_allowed(url)
