"""Which addresses are downloaded from, and how one is shown without what is secret in it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit

from sct_rootlets.errors import UsageError

__all__ = ["require_allowed", "shown", "without_user"]


def shown(url: str) -> str:
    """Return an address without what may be secret in it: user, password, signed query.

    Examples
    --------
    >>> shown("https://me:secret@example.org/model.zip?token=1")
    'https://example.org/model.zip'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def without_user(url: str) -> str:
    """Return an address without user and password, and otherwise whole.

    Examples
    --------
    >>> without_user("https://me:secret@example.org/model.zip?download=1")
    'https://example.org/model.zip?download=1'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def require_allowed(url: str, *, after: str | None = None) -> None:
    """Raise a `UsageError` unless `url` is https, or plain http on this machine's loopback.

    Where `after` is an address that redirects to it, https must not lead to http.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"is no valid address ({error})", path=url) from error
    if scheme == "https" and host:
        return
    if scheme == "http" and _is_loopback(host):
        if after is not None and urlsplit(after).scheme.lower() == "https":
            raise UsageError(
                f"redirects from https to plain http ({shown(url)})", path=shown(after)
            )
        return
    raise UsageError(
        "is not an address that models are downloaded from",
        path=shown(url),
        remedy="Give one that begins with https:// (plain http:// only on this machine)",
    )


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
