"""Download a file whole, verified, and continued where an earlier attempt was cut."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
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
    """What `download` brought."""

    #: The address that gave it, without user and password.
    url: str
    sha256: str
    size_bytes: int


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
    for url in urls:
        require_allowed(url)
    part = Part(target)
    failures: list[tuple[str, WebFailure]] = []
    with new_session(attempts, timeouts) as session:
        wanted = _Download(session, part, sha256, size_bytes, progress, timeouts, attempts)
        for url in urls:
            outcome = wanted.from_mirror(url)
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


@dataclass(frozen=True)
class _Download:
    """A file, what is known of it before it comes, and the part of it that is here."""

    session: requests.Session
    part: Part
    sha256: str | None
    size_bytes: int | None
    progress: Progress | None
    timeouts: Timeouts
    attempts: int

    def from_mirror(self, url: str) -> Downloaded | WebFailure:
        """Return the file, or the last failure once another attempt makes no sense."""
        retries = retries_for(self.attempts, self.timeouts)
        longest = self.part.size()
        while True:
            try:
                return self._attempt(url)
            except WebFailure as failure:
                if not failure.again:
                    return failure
                if self.part.size() - longest >= WORTHWHILE_BYTES:
                    longest = self.part.size()
                    retries = retries_for(self.attempts, self.timeouts)
                try:
                    retries = retries.increment("GET", url, error=failure)
                except MaxRetryError:
                    return failure
                retries.sleep()

    def _attempt(self, url: str) -> Downloaded:
        source, part = without_user(url), self.part
        known = part.validators(source)
        headers = {} if known is None else known.range_headers(part.size())
        with contextlib.ExitStack() as stack:
            response = stack.enter_context(open_url(self.session, url, headers, self.timeouts))
            start = None if known is None else known.continued_at(response, part.size())
            if start is None and response.status_code != 200:
                # The file has changed, or is not as long as ours: all of it, then.
                response.close()
                response = stack.enter_context(open_url(self.session, url, {}, self.timeouts))
                if response.status_code != 200:
                    raise WebFailure(f"answers HTTP {response.status_code} unasked")
            new = Validators.of(response, source)
            if new.total is not None and self.size_bytes not in (None, new.total):
                raise _other(f"the file has {new.total} bytes instead of {self.size_bytes}")
            if self.size_bytes is None and (new.total or 0) > MOST_BYTES:
                raise _other(f"the file has {bytes_text(new.total or 0)}, more than any model")
            body: Iterable[bytes] = blocks(response)
            if start is None:
                # Before our part is given up: an answer that is no archive shall not cost it.
                body = _require_archive(iter(body))
            whole = self.size_bytes if new.total is None else new.total
            missing_bytes = (whole or 0) - (start or 0)
            require_space(part.path.parent, missing_bytes, f"the rest of {shown(url)}")
            try:
                digest = part.begin(new, start or 0)
                self._save(body, digest, url, whole)
            except StoreError:
                part.remove()  # a full disk shall not stay full because of us
                raise
            is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        size_bytes = part.size()
        if size_bytes < (whole or 0):
            if new.total is None and is_chunked:  # it has an end of its own: it was not cut
                part.remove()
                raise _other(f"the file has {size_bytes} bytes instead of {whole}")
            problem = f"the connection was cut after {size_bytes} of {whole} bytes"
            raise WebFailure(problem, LATER, again=True)
        found = digest.hexdigest()
        if self.sha256 is not None and found != self.sha256.lower():
            part.remove()
            # A file put together from two attempts gets a second chance in one piece.
            problem = f"the file has the sha256 {found} instead of {self.sha256.lower()}"
            raise _other(problem, again=start is not None)
        return Downloaded(source, found, size_bytes)

    def _save(self, body: Iterable[bytes], digest: Any, url: str, whole: int | None) -> None:
        """Add `body` to the part and to `digest`; stop where there is more than there may be."""
        most_bytes = whole or MOST_BYTES
        part = self.part
        size_bytes = part.size()
        # Unbuffered, so that a full disk is met here and not when the file is closed.
        with writing(part.path), part.path.open("ab", buffering=0) as stream:
            for block in body:
                size_bytes += len(block)
                if size_bytes > most_bytes:
                    part.remove()
                    raise _other(
                        f"the file has more than {most_bytes} bytes, and was stopped there"
                    )
                rest = memoryview(block)
                while rest:
                    rest = rest[stream.write(rest) :]
                digest.update(block)
                if self.progress is not None:
                    self.progress(url, size_bytes, whole)
            os.fsync(stream.fileno())  # a network file system may say only now that it is full


def _other(problem: str, *, again: bool = False) -> WebFailure:
    return WebFailure(problem, _OTHER_BYTES, again=again, wrong_bytes=True)


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
