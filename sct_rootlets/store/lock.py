"""Who installs what: one process at a time, and nobody waits for the dead.

A lock is a lease of filelock: a file that only one process can create, that names its owner
(machine, process and when it started), and that its owner touches while it lives. The locks of
the operating system are not asked for: they silently do nothing on some network file systems.

A lock spares work (one download instead of twelve). It is not what keeps a store whole: that is
the one rename by which a finished model appears, which only one process can win.

filelock alone leaves these, which are closed here:

- Since version 4.2 it never breaks an empty lock, which a process leaves that is killed before it
  writes its name, and breaks none at all where a file system cannot exchange two names (NFS, SMB),
  whoever is dead: the next install would wait for ever. Here a lock is moved away that has not
  changed for :data:`SILENCE_S`, or that is old when it is first seen.
- It takes a process that is dead and not yet buried by its parent to be alive.
- What a process leaves that is killed while it breaks a lock stays: :func:`sweep`.

Its plain ``SoftFileLock`` besides never breaks what was left on another machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sct_rootlets.errors import StoreError

__all__ = ["Lock", "sweep"]

logger = logging.getLogger(__name__)

#: A lock that has not changed for so long, as seen by one who waits, is abandoned.
SILENCE_S = 30.0
#: A lock that is so old when it is first seen is abandoned; both times are the file system's.
OLD_S = 300.0
#: How often an owner touches its lock.
BEAT_S = 5.0
#: How often one who waits looks.
LOOK_S = 0.1


class Lock:
    """A lock by the name of a file; a context manager that releases it at the end.

    Parameters
    ----------
    path : Path
        The file. Its folder has to exist and be writable.
    what : str
        What is locked, for messages.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model@1.lock"
    >>> first, second = Lock(path, "model@1"), Lock(path, "model@1")
    >>> first.try_take(), second.try_take()
    (True, False)
    >>> first.release()
    >>> second.try_take()
    True
    >>> second.release()
    """

    def __init__(self, path: Path, what: str) -> None:
        # It takes longer to import than a command to list models.
        from filelock import SoftFileLease

        self.path = path
        self.what = what
        self._lease = SoftFileLease(path, lease_duration=SILENCE_S, heartbeat_interval=BEAT_S)
        self._watched: tuple[tuple[int, int], float] | None = None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def take(self, until: Callable[[], bool] | None = None) -> bool:
        """Wait for the lock and take it; return whether it was taken.

        `until` is asked while waiting: where it returns True, the lock is needed no more, and
        only then it is not taken.
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
        """Take the lock if nobody has it, or if who had it is gone; never wait.

        Raises
        ------
        StoreError
            If it can be neither made nor, where it was abandoned, removed.
        """
        try:
            return self._acquired() or (self._was_removed() and self._acquired())
        except OSError as error:
            raise StoreError(
                f"cannot be locked ({error.strerror}), so that nothing can be installed",
                path=self.path,
                remedy="The folder has to be writable, and the disk not full",
            ) from error

    def release(self) -> None:
        """Remove the lock, if it is still ours."""
        self._lease.release()

    def _acquired(self) -> bool:
        from filelock import LeaseSettingsMismatch, Timeout

        # The second where a version of this package with another SILENCE_S holds it.
        with contextlib.suppress(Timeout, LeaseSettingsMismatch):
            self._lease.acquire(timeout=0)
            return True
        return False

    def _was_removed(self) -> bool:
        """Remove the lock there is if it is abandoned, and return whether there is none now."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return True
        if not self._is_buried_late() and not self._is_silent(found):
            return False
        # Moved before it is removed: of several who judged it abandoned only one moves it,
        # and who by then has moved a new lock instead sees that and puts it back.
        aside = f"{self.path.name}.break.{os.getpid()}.{secrets.token_hex(16)}"
        moved = self.path.with_name(aside)
        try:
            self.path.rename(moved)
        except FileNotFoundError:
            return False
        if _state(moved.lstat()) != _state(found):
            with contextlib.suppress(OSError):
                moved.rename(self.path)
            return False
        moved.unlink()
        logger.info("taking over from a process that is gone (%s)", self.what)
        return True

    def _is_buried_late(self) -> bool:
        """Return whether the owner is dead and only waits for its parent to notice."""
        owner = self._lease.owner
        if owner is None or owner.start is None:
            return False
        try:
            text = Path(f"/proc/{owner.pid}/stat").read_text()
        except OSError:
            return False
        fields = text.rpartition(")")[2].split()  # a program's name may hold spaces
        # filelock keeps the start of a process, as Linux counts it, in the lower 64 bits.
        return fields[0] in ("Z", "X") and int(fields[19]) == owner.start % 2**64

    def _is_silent(self, found: os.stat_result) -> bool:
        now = time.monotonic()
        if self._watched is None or self._watched[0] != _state(found):
            self._watched = _state(found), now
            with tempfile.TemporaryFile(dir=self.path.parent) as probe:
                file_system_now_ns = os.fstat(probe.fileno()).st_mtime_ns
            return file_system_now_ns - found.st_mtime_ns > OLD_S * 1e9
        return now - self._watched[1] > SILENCE_S


def sweep(folder: Path) -> None:
    """Remove what processes left beside locks that were killed while they took one over.

    One of the locks in `folder` was just taken; they and other files are left alone.
    """
    with contextlib.suppress(OSError):
        now = folder.stat().st_mtime  # of the file system's clock, when that lock was made
        for path in [*folder.glob("*.lock.break.*"), *folder.glob("*.lock.restore.*")]:
            if now - path.lstat().st_mtime > OLD_S:
                path.unlink()


def _state(found: os.stat_result) -> tuple[int, int]:
    return found.st_ino, found.st_mtime_ns
