"""Pauses before a server is asked again, which are looked at and not made."""

from __future__ import annotations

import email.utils
import io
import time

import pytest
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError

from sct_rootlets.store.web.retries import Timeouts, retries_for

URL = "https://example.org/model.zip"


@pytest.mark.parametrize(
    ("asked", "pause_s"),
    [
        ("7", 7),
        ("3600", 60),
        (email.utils.formatdate(time.time() + 10**7, usegmt=True), 60),
        (email.utils.formatdate(0, usegmt=True), 0),
        ("soon", None),
        (None, None),
    ],
    ids=["seconds", "many seconds", "a date", "a date that has passed", "soon", "nothing"],
)
def test_retry_after_is_honoured_and_capped(asked, pause_s):
    answer = HTTPResponse(headers={} if asked is None else {"Retry-After": asked}, status=429)
    first = retries_for(3, Timeouts(longest_pause_s=60.0))
    later = first.increment("GET", URL, response=answer)
    assert first.get_retry_after(answer) == later.get_retry_after(answer) == pause_s


def test_pauses_grow_to_a_limit():
    retries = retries_for(7, Timeouts(pause_s=1.0, longest_pause_s=6.0))
    pauses = []
    for _ in range(6):
        retries = retries.increment("GET", URL, response=HTTPResponse(status=503))
        pauses.append(retries.get_backoff_time())
    most = (0, 1, 2, 4, 6, 6)
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, most, strict=True))
    with pytest.raises(MaxRetryError):
        retries.increment("GET", URL, response=HTTPResponse(status=503))


def test_what_a_server_in_trouble_sends_is_not_read():
    body = io.BytesIO(b"no end of it")
    answer = HTTPResponse(body, status=503, preload_content=False)
    retries_for(2, Timeouts()).increment("GET", URL, response=answer)
    assert body.closed
