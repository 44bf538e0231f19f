"""Download a file whole, verified, and continued where an earlier attempt was cut."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3.exceptions import MaxRetryError

from sct_rootlets.errors import DownloadError, IntegrityError, StoreError
from sct_rootlets.store.space import bytes_text, require_space, writing
from sct_rootlets.store.web.addresses import require_allowed, shown, without_user
from sct_rootlets.store.web.partial import Part, Validators, sidecar_path
from sct_rootlets.store.web.retries import Timeouts, retries_for
from sct_rootlets.store.web.session import (
    LATER,
    WEB_PAGE,
    WebFailure,
    blocks,
    new_session,
    open_url,
)

__all__ = ["Downloaded", "Progress", "Timeouts", "download", "sidecar_path"]

#: Called with the address, the bytes there are, and the bytes there will be (None: unknown).
Progress = Callable[[str, int, "int | None"], None]

#: No model comes near this; a stream without an announced end is stopped here.
MOST_BYTES = 32 * 1024**3

#: An attempt that brought this much is not counted: a large file may be cut many times.
WORTHWHILE_BYTES = 1 << 20

#: Enough to tell an archive from anything else (a tar says so at byte 257).
_HEAD_BYTES = 512

_OTHER_BYTES = (
    "Do not use that file. Try another network, in case something on the way changes it; "
    "update sct_rootlets, in case the release was replaced; and tell its maintainers"
)


@dataclass(frozen=True)
class Downloaded:
    """What `download` brought.

    Parameters
    ----------
    url : str
        The address that gave it, without user and password.
    sha256 : str
        Of all its bytes, in lower-case hexadecimal.
    size_bytes : int
    """

    url: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class _Promise:
    """What the caller knows about the file before it comes."""

    sha256: str | None
    size_bytes: int | None


def download(
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str | None = None,
    size_bytes: int | None = None,
    progress: Progress | None = None,
    timeouts: Timeouts | None = None,
    attempts: int = 4,
) -> Downloaded:
    """Download an archive from the first of `urls` that gives it.

    Parameters
    ----------
    urls : sequence of str
        Mirrors in the order in which they are tried. https, or http on loopback.
    target : Path
        File to write, which nobody else writes; its folder exists. What an earlier call
        left there is continued if the server says that its file is still the same, by
        the validators kept in the file beside it (`sidecar_path`).
    sha256 : str, optional
        What the file must have. None: any, and the caller decides by what is returned.
    size_bytes : int, optional
        What the file must have.
    progress : callable, optional
        Called with (address, bytes so far, bytes in all or None).
    timeouts : Timeouts, optional
    attempts : int
        Attempts at one address, at an answer and at more of its file, before the next is tried.

    Raises
    ------
    DownloadError
        If no address gives an archive. What has arrived stays, to be continued.
    IntegrityError
        If one gives an archive, and it is another one than promised; it is removed.
    StoreError
        If `target` cannot be written or has no room.
    UsageError
        If an address is not allowed.
    """
    timeouts = timeouts or Timeouts()
    promise = _Promise(sha256.lower() if sha256 else None, size_bytes)
    for url in urls:
        require_allowed(url)
    part = Part(target)
    failures: list[tuple[str, WebFailure]] = []
    with new_session(attempts, timeouts) as session:
        for url in urls:
            outcome = _try_mirror(session, url, part, promise, progress, timeouts, attempts)
            if isinstance(outcome, Downloaded):
                part.forget_validators()
                return outcome
            failures.append((url, outcome))
    raise _error(failures)


def _error(failures: list[tuple[str, WebFailure]]) -> DownloadError | IntegrityError:
    if not failures:
        return DownloadError("no address of the file is known")
    problem = "; ".join(f"{shown(url)}: {failure.problem}" for url, failure in failures)
    wrong = [failure for _, failure in failures if failure.wrong_bytes]
    if wrong:
        return IntegrityError(problem, remedy=wrong[0].remedy)
    return DownloadError(problem, remedy=failures[0][1].remedy)


def _try_mirror(
    session: Any,
    url: str,
    part: Part,
    promise: _Promise,
    progress: Progress | None,
    timeouts: Timeouts,
    attempts: int,
) -> Downloaded | WebFailure:
    """Return the file, or the last failure once another attempt makes no sense."""
    retries = retries_for(attempts, timeouts)
    longest = part.size()
    while True:
        try:
            return _attempt(session, url, part, promise, progress, timeouts)
        except WebFailure as failure:
            if not failure.again:
                return failure
            if part.size() - longest >= WORTHWHILE_BYTES:
                longest = part.size()
                retries = retries_for(attempts, timeouts)
            try:
                retries = retries.increment("GET", shown(url), error=failure)
            except MaxRetryError:
                return failure
            retries.sleep()


def _attempt(
    session: Any,
    url: str,
    part: Part,
    promise: _Promise,
    progress: Progress | None,
    timeouts: Timeouts,
) -> Downloaded:
    source = without_user(url)
    known = part.validators(source)
    headers = {} if known is None else known.range_headers(part.size())
    with contextlib.ExitStack() as stack:
        response = stack.enter_context(open_url(session, url, headers, timeouts))
        start = None if known is None else known.continued_at(response, part.size())
        if start is None and response.status_code != 200:
            # The file has changed, or is not as long as ours: all of it, then.
            response.close()
            response = stack.enter_context(open_url(session, url, {}, timeouts))
            if response.status_code != 200:
                raise WebFailure(f"answers HTTP {response.status_code} unasked")
        new = Validators.of(response, source)
        _require_size(new.total, promise)
        body: Iterable[bytes] = blocks(response)
        if start is None:
            # Before our part is given up: an answer that is no archive shall not cost it.
            body = _require_archive(iter(body))
        missing_bytes = (new.total or promise.size_bytes or 0) - (start or 0)
        require_space(part.path.parent, missing_bytes, f"the rest of {shown(url)}")
        try:
            digest = part.begin(new, start or 0)
            _save(body, part, digest, url, new.total, promise, progress)
        except StoreError:
            part.remove()  # a full disk shall not stay full because of us
            raise
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    _require_whole(part, new.total, promise, is_chunked)
    found = digest.hexdigest()
    if promise.sha256 is not None and found != promise.sha256:
        part.remove()
        problem = f"the file has the sha256 {found} instead of {promise.sha256}"
        # A file put together from two attempts gets a second chance in one piece.
        raise WebFailure(problem, _OTHER_BYTES, again=start is not None, wrong_bytes=True)
    return Downloaded(source, found, part.size())


def _require_size(total: int | None, promise: _Promise) -> None:
    """Raise a `WebFailure` if the announced size is not the promised one."""
    if total is None or total == promise.size_bytes:
        return
    if promise.size_bytes is not None:
        problem = f"the file has {total} bytes instead of {promise.size_bytes}"
        raise WebFailure(problem, _OTHER_BYTES, wrong_bytes=True)
    if total > MOST_BYTES:
        problem = f"the file has {bytes_text(total)}, more than any model"
        raise WebFailure(problem, _OTHER_BYTES, wrong_bytes=True)


def _require_archive(body: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same bytes, once the first of them are those of a zip, gzip or tar file."""
    head = b""
    for block in body:
        head += block
        if len(head) >= _HEAD_BYTES:
            break
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")) or head[257:262] == b"ustar":
        return itertools.chain([head], body)
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise WebFailure("the answer is a web page instead of an archive", WEB_PAGE)
    if not head:
        raise WebFailure("the answer is empty", WEB_PAGE, again=True)
    raise WebFailure("the answer is no archive (zip or tar.gz)", WEB_PAGE)


def _save(
    body: Iterable[bytes],
    part: Part,
    digest: Any,
    url: str,
    total: int | None,
    promise: _Promise,
    progress: Progress | None,
) -> None:
    """Add `body` to the part and to `digest`; stop where there is more than there may be."""
    most_bytes = promise.size_bytes or total or MOST_BYTES
    size_bytes = part.size()
    # Unbuffered, so that a full disk is met here and not when the file is closed.
    with writing(part.path), part.path.open("ab", buffering=0) as stream:
        for block in body:
            size_bytes += len(block)
            if size_bytes > most_bytes:
                part.remove()
                problem = f"the file has more than {most_bytes} bytes, and was stopped there"
                raise WebFailure(problem, _OTHER_BYTES, wrong_bytes=True)
            rest = memoryview(block)
            while rest:
                rest = rest[stream.write(rest) :]
            digest.update(block)
            if progress is not None:
                progress(url, size_bytes, total if total is not None else promise.size_bytes)
        os.fsync(stream.fileno())  # a network file system may say only now that it is full


def _require_whole(part: Part, total: int | None, promise: _Promise, is_chunked: bool) -> None:
    """Raise a `WebFailure` if fewer bytes came than there are."""
    whole = total if total is not None else promise.size_bytes
    size_bytes = part.size()
    if whole is None or size_bytes >= whole:
        return
    if total is None and is_chunked:  # such an answer has an end of its own: it was not cut
        part.remove()
        problem = f"the file has {size_bytes} bytes instead of {whole}"
        raise WebFailure(problem, _OTHER_BYTES, wrong_bytes=True)
    raise WebFailure(
        f"the connection was cut after {size_bytes} of {whole} bytes", LATER, again=True
    )
