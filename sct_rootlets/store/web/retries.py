"""How often and how patiently a server is asked again: by ``urllib3.Retry``, within bounds."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from typing import Any

from urllib3 import exceptions
from urllib3.util.retry import Retry

from sct_rootlets.store.web.addresses import shown

__all__ = ["BUSY", "BoundedRetry", "Timeouts", "retries_for", "why_no_answer"]

logger = logging.getLogger(__name__)

#: Statuses after which another attempt may succeed.
BUSY = frozenset((408, 425, 429, *range(500, 600)))


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for a server.

    Parameters
    ----------
    connect_s, read_s : float
        Seconds without an answer after which a connection counts as failed or stalled.
    pause_s : float
        Seconds before the third attempt; doubled before each further one. The second comes at
        once, unless the server asks to wait.
    longest_pause_s : float
        Seconds that no pause exceeds, whatever the server asks for.
    """

    connect_s: float = 15.0
    read_s: float = 60.0
    pause_s: float = 1.0
    longest_pause_s: float = 60.0


def retries_for(attempts: int, timeouts: Timeouts) -> BoundedRetry:
    """Return what lets `attempts` fail, for want of an answer or with one of `BUSY`."""
    retries = BoundedRetry(
        attempts - 1,
        status_forcelist=BUSY,
        raise_on_status=False,
        backoff_factor=timeouts.pause_s / 2,
    )
    retries.longest_s = timeouts.longest_pause_s
    return retries


def why_no_answer(error: object) -> str:
    """Return the reason in words, of an error of urllib3."""
    if isinstance(error, exceptions.ProxyError):
        return "the proxy does not let us through"
    if isinstance(error, exceptions.SSLError):
        return "the encrypted connection failed"
    is_late = isinstance(error, exceptions.TimeoutError)
    # To some versions of urllib3 a refused connection is a late one.
    is_late = is_late and not isinstance(error, exceptions.NewConnectionError)
    return "no answer in time" if is_late else "no connection"


class BoundedRetry(Retry):
    """Retries that say why they come, and wait no longer than `longest_s` whatever is asked."""

    longest_s = 60.0

    def new(self, **changes: Any) -> BoundedRetry:
        """Return one with `changes`."""
        retries = super().new(**changes)
        retries.longest_s = self.longest_s
        return retries

    def get_retry_after(self, response: Any) -> float | None:
        """Return the seconds that a server asks to wait, at most the longest, or None."""
        try:
            asked_s = super().get_retry_after(response)
        except exceptions.InvalidHeader:
            return None
        return None if asked_s is None else min(asked_s, self.longest_s)

    def get_backoff_time(self) -> float:
        """Return the seconds to wait otherwise: none before the second attempt, then more."""
        # A part of it by chance: many who were cut at once shall not return at once.
        return min(super().get_backoff_time(), self.longest_s) * random.uniform(0.5, 1.0)

    def increment(self, *request: Any, **outcome: Any) -> BoundedRetry:
        """Return what is left after a failed attempt; raise ``MaxRetryError`` if nothing is."""
        response, error = outcome.get("response"), outcome.get("error")
        pool: Any = outcome.get("_pool")
        problem = getattr(error, "problem", why_no_answer(error))
        if response is not None:
            problem = f"the server is in trouble or busy (HTTP {response.status})"
            # Else urllib3 reads what such a server sends, to its end, into memory.
            response.close()
        if "CERTIFICATE_VERIFY_FAILED" in str(error):  # another attempt does not change that
            raise exceptions.MaxRetryError(pool, request[1], error)
        left = super().increment(*request, **outcome)
        where = shown(request[1])
        if where.startswith("/"):
            where = f"{pool.host}{where}"
        logger.warning("%s: %s; trying again", where, problem)
        return left
