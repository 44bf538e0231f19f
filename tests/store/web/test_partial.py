"""Whether an answer continues a part that is here."""

from __future__ import annotations

import pytest

from sct_rootlets.store.web.partial import Validators


@pytest.mark.parametrize(
    "content_range", ["bytes 5-9/10", "bytes 0-8/10", "bytes 0-9/*", "bytes 9-0/10", "x", ""]
)
def test_an_answer_that_does_not_continue_is_not_joined(content_range):
    class Answer:
        status_code = 206
        headers = {"Content-Range": content_range, "ETag": '"1"'}  # noqa: RUF012

    known = Validators("https://example.org/a.zip", '"1"', None, 10)
    assert known.continued_at(Answer(), 3) is None
    Answer.headers["Content-Range"] = "bytes 3-9/10"
    assert known.continued_at(Answer(), 3) == 3
