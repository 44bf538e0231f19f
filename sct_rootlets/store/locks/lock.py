"""Who installs what: a claim on a model, made without file locks.

File locks silently do nothing on some network file systems. A claim is a file that only
one process can create (``O_EXCL``), and that its owner keeps changing while it lives. A
claim is abandoned where its owner was on this machine and is dead, or where it has not
changed for a while; whoever finds it so takes it over.

A claim spares work (one download instead of twelve). It is not what keeps a store whole:
that is the one rename by which a finished model appears, which only one process can win.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sct_rootlets.errors import StoreError
from sct_rootlets.store.locks.owner import (
    Owner,
    host,
    host_word,
    parse_owner,
    process_state,
    read_owner,
)

__all__ = ["Claim", "sweep"]

logger = logging.getLogger(__name__)

#: A claim that has not changed for so long, as seen by one who waits, is abandoned.
SILENCE_S = 30.0
#: A claim that is so old when it is first seen is abandoned; both times are the file system's.
OLD_S = 300.0
#: How often an owner changes its claim.
BEAT_S = 5.0
#: How often one who waits looks.
LOOK_S = 0.1


class Claim:
    """A claim on a file name; a context manager that gives it up at the end.

    Parameters
    ----------
    path : Path
        File of the claim. Its folder has to exist and be writable.
    what : str
        What is claimed, for messages.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model@1.claim"
    >>> first, second = Claim(path, "model@1"), Claim(path, "model@1")
    >>> first.try_take(), second.try_take()
    (True, False)
    >>> first.give_up()
    >>> second.try_take()
    True
    >>> second.give_up()
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self.what = what
        self.token = ""
        self._stop = threading.Event()
        self._heart: threading.Thread | None = None
        self._watched: tuple[str, int, float] | None = None

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.give_up()

    def take(self, until: Callable[[], bool] | None = None) -> bool:
        """Wait for the claim and take it.

        Parameters
        ----------
        until : callable, optional
            Asked while waiting; where it returns True the claim is needed no more.

        Returns
        -------
        bool
            Whether it was taken; False only where `until` returned True.
        """
        told = False
        while True:
            if until is not None and until():
                return False
            if self.try_take():
                return True
            if not told:
                told = True
                logger.warning("waiting for another process that installs %s", self.what)
            time.sleep(LOOK_S)

    def try_take(self) -> bool:
        """Take the claim if nobody has it, or if who had it is gone; never wait."""
        if not self._create() and not (self._is_abandoned() and self._create()):
            return False
        self._stop.clear()
        self._heart = threading.Thread(target=self._beat, daemon=True, name=self.path.name)
        self._heart.start()
        return True

    def give_up(self) -> None:
        """Remove the claim, if it is still ours."""
        if self._heart is None:
            return
        self._stop.set()
        self._heart.join()
        self._heart = None
        owner = read_owner(self.path)
        if owner is not None and owner.token == self.token:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _create(self) -> bool:
        """Create the file if there is none. It is linked in whole, so nobody reads half of it."""
        self.token = secrets.token_hex(8)
        owner = {
            "token": self.token,
            "host": host(),
            "pid": os.getpid(),
            "started": process_state(os.getpid())[1],
        }
        whole = self.temporary()
        try:
            descriptor = os.open(whole, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(owner, stream)
            return _link(whole, self.path)
        except OSError as error:
            raise StoreError(
                f"cannot be made ({error.strerror}), so that nothing can be installed",
                path=self.path,
                remedy="The folder has to be writable, and the disk not full",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                whole.unlink()

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                os.utime(self.path)
            except OSError:
                # Taken over while this process was stopped: the rename at the end decides.
                logger.debug("the claim %s is gone", self.path)

    def _is_abandoned(self) -> bool:
        """Remove the claim there is, and return True, if whoever had it is gone."""
        try:
            with self.path.open("rb") as stream:  # opening asks a network file system anew
                owner = parse_owner(stream.read())
                changed_ns = os.fstat(stream.fileno()).st_mtime_ns
        except FileNotFoundError:
            return True
        except OSError:  # of a user whose files are private: the times still tell
            owner, changed_ns = parse_owner(b""), self._changed_ns()
        if not owner.is_dead() and not self._is_silent(owner.token, changed_ns):
            return False
        # Moved before it is removed: of several who judged it abandoned only one moves it,
        # and who by then has moved a new claim instead sees that and puts it back.
        moved = self.temporary()
        try:
            self.path.rename(moved)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(
                f"was left by a process that is gone, and cannot be removed ({error.strerror})",
                path=self.path,
                remedy="Ask whoever owns the file to remove it",
            ) from error
        found = read_owner(moved)
        if found is not None and found.token != owner.token:
            _link(moved, self.path)
        with contextlib.suppress(OSError):
            moved.unlink()
        if found is not None and found.token != owner.token:
            return False
        logger.info("taking over from a process that is gone (%s)", self.what)
        return True

    def _changed_ns(self) -> int:
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return 0

    def _is_silent(self, token: str, changed_ns: int) -> bool:
        now = time.monotonic()
        if self._watched is None or self._watched[:2] != (token, changed_ns):
            self._watched = (token, changed_ns, now)
            return _file_system_now_ns(self.temporary()) - changed_ns > OLD_S * 1e9
        return now - self._watched[2] > SILENCE_S

    def temporary(self) -> Path:
        """Return a new name beside the claim, by which :func:`sweep` knows who made it."""
        name = f"{self.path.name}.{host_word()}-{os.getpid()}-{secrets.token_hex(4)}"
        return self.path.with_name(name)


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left beside claims.

    Parameters
    ----------
    folder : Path
        Where claims are; other files in it, and claims themselves, are left alone.
    """
    now_ns = None
    for path in folder.glob("*.claim.*-*-*"):
        where, pid, token = path.name.rpartition(".claim.")[2].split("-", 2)
        same = where == host_word() and pid.isdigit()
        dead = same and Owner(token, host(), int(pid), "").is_dead()
        if not dead:
            now_ns = now_ns or _file_system_now_ns(path.with_name(f"{path.name}.now"))
            with contextlib.suppress(OSError):
                dead = now_ns - path.stat().st_mtime_ns > OLD_S * 1e9
        if dead:
            with contextlib.suppress(OSError):
                path.unlink()


def _link(source: Path, target: Path) -> bool:
    """Give `source` the name `target` too, unless that exists; return whether it was free."""
    try:
        os.link(source, target)
        return True
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links: created here, filled a moment later.
        try:
            descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(source.read_bytes())
        return True


def _file_system_now_ns(probe: Path) -> int:
    """Return what time the file system of a new file takes it to be; 0 if it has no room."""
    try:
        probe.touch()
        return probe.stat().st_mtime_ns
    except OSError:
        return 0
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
