"""The part of a file that has arrived, and how to ask for the rest of the same version."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sct_rootlets.store.space import writing

__all__ = ["Part", "Validators", "sidecar_path"]


def sidecar_path(target: Path) -> Path:
    """Return the file beside `target` that says which version of which address it is from."""
    return target.with_suffix(target.suffix + ".json")


@dataclass(frozen=True)
class Validators:
    """What tells one version of a file on a server from another (RFC 9110, section 8.8)."""

    url: str
    etag: str | None
    last_modified: str | None
    #: Bytes of the whole file.
    total: int | None

    @classmethod
    def of(cls, response: Any, url: str) -> Validators:
        """Read them from an answer with status 200 or 206."""
        headers = response.headers
        if response.status_code == 206:
            total = _content_range(headers)[1]
        else:
            length = headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
        return cls(url, headers.get("ETag"), headers.get("Last-Modified"), total)

    @property
    def if_range(self) -> str | None:
        """The one to send as If-Range, which takes no weak ETag; None: cannot be continued."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def start(self, size_bytes: int) -> int:
        """Return where to continue a part of `size_bytes`.

        The last byte of a whole file is asked for again, because a server can only say
        that the version is still the same where there is something to send.
        """
        return size_bytes if self.total is None else min(size_bytes, self.total - 1)

    def range_headers(self, size_bytes: int) -> dict[str, str]:
        """Return what asks for the rest of this version, or else for the whole file."""
        return {"Range": f"bytes={self.start(size_bytes)}-", "If-Range": self.if_range or ""}

    def continued_at(self, response: Any, size_bytes: int) -> int | None:
        """Return where `response` continues the part; None if it is not of this version."""
        if response.status_code != 206:
            return None
        start, total = _content_range(response.headers)
        new = Validators.of(response, self.url)
        pairs = ((self.etag, new.etag), (self.last_modified, new.last_modified))
        both = [(old, now) for old, now in pairs if old is not None and now is not None]
        # Servers are known to ignore If-Range, so that the answer has to say it as well.
        is_same = bool(both) and all(old == now for old, now in both)
        is_total = total is not None and total == (self.total or total)
        return start if is_same and is_total and start == self.start(size_bytes) else None


def _content_range(headers: Mapping[str, str]) -> tuple[int, int | None]:
    """Return (start, total) of a Content-Range that reaches the end, else (-1, None)."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", "").strip())
    if found is None:
        return -1, None
    start, last, total = map(int, found.groups())
    return (start, total) if start <= last == total - 1 else (-1, None)


class Part:
    """A file that is arriving, and the file beside it with its `Validators`.

    Only one process writes it at a time; that is the caller's to ensure.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sidecar = sidecar_path(path)

    def size(self) -> int:
        """Return the bytes that have arrived, 0 if there is no file."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def validators(self, url: str) -> Validators | None:
        """Return those of the part, if it is from `url` and can be continued."""
        try:
            content = json.loads(self.sidecar.read_text(encoding="utf-8"))
            known = Validators(**content)
            is_usable = (
                known.url == url
                and isinstance(known.if_range, str)
                and (known.total is None or 0 < self.size() <= known.total)
            )
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return known if is_usable and self.size() > 0 else None

    def begin(self, new: Validators, start: int) -> Any:
        """Keep the first `start` bytes, note where they are from, and return their sha256.

        It is a hash object of hashlib, to be updated with what is added.
        """
        digest = hashlib.sha256()
        with writing(self.path):
            # In this order: never bytes of one version beside the validators of another.
            with self.path.open("ab") as stream:
                stream.truncate(start)
            if start == 0:
                temporary = self.sidecar.with_suffix(".new")
                temporary.write_text(json.dumps(asdict(new), indent=1), encoding="utf-8")
                os.replace(temporary, self.sidecar)
            with self.path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest

    def forget_validators(self) -> None:
        """Remove the file beside it: the part is whole, and nobody will continue it."""
        with contextlib.suppress(OSError):
            self.sidecar.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove both files, as far as the file system lets us."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.forget_validators()
