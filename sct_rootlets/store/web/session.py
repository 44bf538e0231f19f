"""Ask a server for a file: which addresses are allowed, redirects, and what a failure means."""

from __future__ import annotations

import email.utils
import ipaddress
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import sct_rootlets
from sct_rootlets.errors import UsageError

__all__ = [
    "LATER",
    "WEB_PAGE",
    "Failure",
    "Timeouts",
    "blocks",
    "new_session",
    "open_url",
    "require_allowed",
    "shown",
    "without_user",
]

#: Bytes read at a time; what a stalled or cut connection loses at most.
BLOCK_BYTES = 1 << 16

_MOST_REDIRECTS = 10

_BY_HAND = (
    "bring the file by hand: open the address in a browser and install what it gives with "
    "-from-file"
)
_CONNECTION = f"Check the connection and the proxy (HTTPS_PROXY, NO_PROXY), or {_BY_HAND}"
LATER = f"Try again later: what has arrived is kept and continued. Or {_BY_HAND}"
WEB_PAGE = (
    f"A firewall, a proxy or a log-in page may stand in between: ask your administrator, or "
    f"{_BY_HAND}"
)
_CERTIFICATE = (
    "Where the institution inspects encrypted traffic, set REQUESTS_CA_BUNDLE to the file of its "
    f"certificates; or {_BY_HAND}"
)


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for a server.

    Parameters
    ----------
    connect_s, read_s : float
        Seconds without an answer after which a connection counts as failed or stalled.
    pause_s : float
        Seconds before the second attempt; doubled before each further one.
    longest_pause_s : float
        Seconds that no pause exceeds, whatever the server asks for.
    """

    connect_s: float = 15.0
    read_s: float = 60.0
    pause_s: float = 1.0
    longest_pause_s: float = 60.0


class Failure(Exception):
    """Why one address did not give the file.

    Parameters
    ----------
    problem, remedy : str
        As in `sct_rootlets.errors.RootletsError`.
    again : bool
        Whether another attempt at the same address may succeed.
    pause_s : float, optional
        Seconds that the server asked to wait before it.
    wrong_bytes : bool
        Whether the address gave (or announced) another file than the one promised.
    """

    def __init__(
        self,
        problem: str,
        remedy: str = "",
        *,
        again: bool = False,
        pause_s: float | None = None,
        wrong_bytes: bool = False,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.again = again
        self.pause_s = pause_s
        self.wrong_bytes = wrong_bytes


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
    """Raise unless `url` is https, or plain http on this machine's loopback.

    Parameters
    ----------
    url : str
    after : str, optional
        The address that redirects to `url`; an https one must not lead to an http one.

    Raises
    ------
    UsageError
        If the address is not one to be downloaded from.
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


def new_session() -> Any:
    """Return a ``requests.Session``, which honours proxies and CA bundles of the environment."""
    import requests

    session = requests.Session()
    session.headers["User-Agent"] = f"sct_rootlets/{sct_rootlets.__version__}"
    # Compressed on the way, the bytes could neither be counted nor continued.
    session.headers["Accept-Encoding"] = "identity"
    return session


def open_url(session: Any, url: str, headers: Mapping[str, str], timeouts: Timeouts) -> Any:
    """Return the streamed answer to a GET of `url`: its status is 200, 206 or 416.

    Redirects are followed here and not by requests, so that each address is checked.

    Raises
    ------
    Failure
        For every other answer, and for none.
    """
    address = url
    for _ in range(_MOST_REDIRECTS + 1):
        response = _request(session, address, headers, timeouts)
        target = session.get_redirect_target(response)
        if target is None:
            try:
                _require_file(response, timeouts)
            except Failure:
                response.close()
                raise
            return response
        response.close()
        following = urljoin(address, target)
        try:
            require_allowed(following, after=address)
        except UsageError as error:
            raise Failure(
                f"redirects to an address that is not allowed ({shown(following)})", WEB_PAGE
            ) from error
        address = following
    raise Failure(f"redirects in a circle, or more than {_MOST_REDIRECTS} times", WEB_PAGE)


def _request(session: Any, address: str, headers: Mapping[str, str], timeouts: Timeouts) -> Any:
    from requests import exceptions

    try:
        return session.get(
            address,
            headers=dict(headers),
            stream=True,
            allow_redirects=False,
            timeout=(timeouts.connect_s, timeouts.read_s),
        )
    except exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Failure("the server's certificate cannot be verified", _CERTIFICATE) from error
        raise Failure("the encrypted connection failed", _CERTIFICATE, again=True) from error
    except exceptions.ProxyError as error:
        raise Failure("the proxy does not let us through", _CONNECTION, again=True) from error
    except exceptions.Timeout as error:
        raise Failure("no answer in time", _CONNECTION, again=True) from error
    except exceptions.ConnectionError as error:
        raise Failure("no connection", _CONNECTION, again=True) from error
    except (OSError, ValueError) as error:  # an address, proxy or CA bundle that cannot be used
        raise Failure(f"cannot be asked for ({error})", _CONNECTION) from error


def _require_file(response: Any, timeouts: Timeouts) -> None:
    """Raise a `Failure` unless the answer may hold the file asked for."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if status == 407:
        raise Failure("the proxy wants a user and a password (HTTP 407)", _CONNECTION)
    if status in (401, 403):
        raise Failure(f"access is refused (HTTP {status})", WEB_PAGE)
    if status in (408, 425, 429) or status >= 500:
        pause_s = _retry_after(response.headers.get("Retry-After"))
        if pause_s is not None:
            pause_s = min(pause_s, timeouts.longest_pause_s)
        raise Failure(
            f"the server is in trouble or busy (HTTP {status})", LATER, again=True, pause_s=pause_s
        )
    if status not in (200, 206, 416):
        raise Failure(
            f"there is no such file (HTTP {status})",
            f"The address may be out of date: update sct_rootlets, or {_BY_HAND}",
        )
    if status != 416 and kind in ("text/html", "application/xhtml+xml"):
        raise Failure("the answer is a web page instead of an archive", WEB_PAGE)
    # An archive that is gzip itself may be called so, and its bytes are those asked for.
    is_gzip = urlsplit(response.url).path.lower().endswith((".gz", ".tgz"))
    if encoding not in ("", "identity") and not (is_gzip and encoding in ("gzip", "x-gzip")):
        raise Failure(f"the answer is compressed on the way ({encoding})", WEB_PAGE)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), None if there are none."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, when.timestamp() - time.time())


def blocks(response: Any) -> Iterator[bytes]:
    """Yield the bytes of an answer as they were sent.

    Raises
    ------
    Failure
        If the connection stalls or is cut.
    """
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    try:
        yield from response.raw.stream(BLOCK_BYTES, decode_content=False)
    except ReadTimeoutError as error:
        raise Failure("the connection stalled", LATER, again=True) from error
    except HTTPError as error:
        raise Failure("the connection was cut", LATER, again=True) from error
