"""Ask a server for a file: redirects, and what a failure means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError, ReadTimeoutError

import sct_rootlets
from sct_rootlets.errors import UsageError
from sct_rootlets.store.web.addresses import require_allowed, shown
from sct_rootlets.store.web.retries import BUSY, Timeouts, retries_for, why_no_answer

__all__ = ["LATER", "WEB_PAGE", "WebFailure", "blocks", "new_session", "open_url"]

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


@dataclass(eq=False)
class WebFailure(Exception):
    """Why one address did not give the file.

    Parameters
    ----------
    problem, remedy : str
        As in `sct_rootlets.errors.RootletsError`.
    again : bool
        Whether another attempt at the same address may bring more of the file.
    wrong_bytes : bool
        Whether the address gave (or announced) another file than the one promised.
    """

    problem: str
    remedy: str = ""
    again: bool = False
    wrong_bytes: bool = False


def new_session(attempts: int, timeouts: Timeouts) -> requests.Session:
    """Return a session, which honours proxies and CA bundles of the environment.

    Every address gets `attempts` at an answer.
    """
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(max_retries=retries_for(attempts, timeouts))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"sct_rootlets/{sct_rootlets.__version__}"
    # Compressed on the way, the bytes could neither be counted nor continued.
    session.headers["Accept-Encoding"] = "identity"
    return session


def open_url(session: Any, url: str, headers: Mapping[str, str], timeouts: Timeouts) -> Any:
    """Return the streamed answer to a GET of `url`: its status is 200, 206 or 416.

    Redirects are followed here and not by requests, so that each address is checked. Every
    other answer, and none, is a `WebFailure`.
    """
    address = url
    for _ in range(_MOST_REDIRECTS + 1):
        response = _request(session, address, headers, timeouts)
        target = session.get_redirect_target(response)
        if target is None:
            try:
                _require_file(response)
            except WebFailure:
                response.close()
                raise
            return response
        response.close()
        following = urljoin(address, target)
        try:
            require_allowed(following, after=address)
        except UsageError as error:
            raise WebFailure(
                f"redirects to an address that is not allowed ({shown(following)})", WEB_PAGE
            ) from error
        address = following
    raise WebFailure(f"redirects in a circle, or more than {_MOST_REDIRECTS} times", WEB_PAGE)


def _request(session: Any, address: str, headers: Mapping[str, str], timeouts: Timeouts) -> Any:
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
            raise WebFailure("the server's certificate cannot be verified", _CERTIFICATE) from error
        raise WebFailure("the encrypted connection failed", _CERTIFICATE) from error
    except exceptions.ProxyError as error:
        raise WebFailure("the proxy does not let us through", _CONNECTION) from error
    except (exceptions.ConnectionError, exceptions.Timeout) as error:
        of_urllib3 = error.args[0] if error.args else None
        last = getattr(of_urllib3, "reason", of_urllib3)
        raise WebFailure(why_no_answer(last), _CONNECTION) from error
    except (OSError, ValueError) as error:  # an address, proxy or CA bundle that cannot be used
        raise WebFailure(f"cannot be asked for ({error})", _CONNECTION) from error


def _require_file(response: Any) -> None:
    """Raise a `WebFailure` unless the answer may hold the file asked for."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if status == 407:
        raise WebFailure("the proxy wants a user and a password (HTTP 407)", _CONNECTION)
    if status in (401, 403):
        raise WebFailure(f"access is refused (HTTP {status})", WEB_PAGE)
    if status in BUSY:
        raise WebFailure(f"the server is in trouble or busy (HTTP {status})", LATER)
    if status not in (200, 206, 416):
        raise WebFailure(
            f"there is no such file (HTTP {status})",
            f"The address may be out of date: update sct_rootlets, or {_BY_HAND}",
        )
    if status != 416 and kind in ("text/html", "application/xhtml+xml"):
        raise WebFailure("the answer is a web page instead of an archive", WEB_PAGE)
    # An archive that is gzip itself may be called so, and its bytes are those asked for.
    is_gzip = urlsplit(response.url).path.lower().endswith((".gz", ".tgz"))
    if encoding not in ("", "identity") and not (is_gzip and encoding in ("gzip", "x-gzip")):
        raise WebFailure(f"the answer is compressed on the way ({encoding})", WEB_PAGE)


def blocks(response: Any) -> Iterator[bytes]:
    """Yield the bytes of an answer as they were sent; a `WebFailure` if it stalls or is cut."""
    try:
        yield from response.raw.stream(BLOCK_BYTES, decode_content=False)
    except ReadTimeoutError as error:
        raise WebFailure("the connection stalled", LATER, again=True) from error
    except HTTPError as error:
        raise WebFailure("the connection was cut", LATER, again=True) from error
