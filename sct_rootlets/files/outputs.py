"""Where files are written: outputs that appear whole, all of them, or not at all."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType

from sct_rootlets.errors import RootletsError
from sct_rootlets.files.leftovers import hidden, sweep
from sct_rootlets.files.places import IS_POSIX, NO_ROOM, unwritable

__all__ = ["OutputSet", "flush"]

logger = logging.getLogger(__name__)

_IS_POSIX = IS_POSIX
#: What a file system says that cannot flush.
_NO_FLUSH = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class OutputSet:
    """A set of files that appears together once all of them are whole.

    Each target is written under a temporary name beside it and moved in when the ``with`` block
    ends without an error. On an error, that of the last move included, what was there before is
    there again, and nothing else is left: neither files nor the folders that were made for them.
    Ctrl-C, or a request to end, that comes while files are moved in waits until all of them are.
    Files are on the disk before they are moved in, in the order in which they were staged.

    A file that replaces another is a new one, with the modes of the user's umask; a link is
    replaced itself, not the file that it points to.

    Raises
    ------
    OutputError
        If a file cannot be written or moved in; it names the file and what to do.
    RootletsError
        If there is a folder in its place, or its own folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with OutputSet() as outputs:
    ...     outputs.write(folder / "a.txt", "whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """

    def __init__(self) -> None:
        self._staged: list[tuple[Path, Path]] = []
        self._gone: list[Path] = []
        self._made: list[Path] = []

    def __enter__(self) -> OutputSet:
        return self

    def stage(self, target: str | os.PathLike[str]) -> Path:
        """Return the temporary path to write, for `target`.

        The temporary name is unique and keeps the extension of NIfTI, by which its writers
        choose the format. Missing parent folders are made.
        """
        path = Path(target)
        _require_no_folder(path)
        problem = ""
        try:
            for parent in reversed([p for p in path.parents if not os.path.exists(p)]):
                self._made.append(parent)
                parent.mkdir(exist_ok=True)
        except OSError as error:
            problem = f"its folder cannot be made ({error.strerror})"
        if not problem and not path.parent.is_dir():
            problem = f"its folder cannot be made ({path.parent} is a file)"
        if not problem and not os.access(path.parent, os.W_OK | os.X_OK):
            problem = "its folder is not writable"
        if problem:
            raise RootletsError(problem, path=path, remedy="Name another output folder")
        temporary = hidden(path)
        self._staged.append((temporary, path))
        return temporary

    def write(self, target: str | os.PathLike[str], content: str | bytes) -> None:
        """Stage a file of this content; text is UTF-8 with the line breaks that it has."""
        data = content.encode() if isinstance(content, str) else content
        self.stage(target).write_bytes(data)

    def remove(self, target: Path) -> None:
        """Have a file gone that an earlier run left, together with the change of the others."""
        if os.path.lexists(target):
            self._gone.append(target)

    def forget(self, temporary: Path) -> None:
        """Remove a temporary file that :meth:`stage` named, and do not move it in."""
        self._staged = [pair for pair in self._staged if pair[0] != temporary]
        temporary.unlink(missing_ok=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        failed = error
        if error is None:
            try:
                self._prepare()
            except BaseException as found:  # noqa: BLE001 - raised again below
                failed = found
        with _signals_held_back():
            try:
                if failed is None:
                    self._publish()
            finally:
                self._discard()
        if isinstance(failed, OSError) and (target := self._target_of(failed)) is not None:
            raise unwritable(target, failed) from failed
        if failed is not None and failed is not error:
            raise failed

    def _prepare(self) -> None:
        """Have all files whole on the disk: a name must never come before its content."""
        for temporary, target in self._staged:
            try:
                flush(temporary)
            except OSError as error:
                raise unwritable(target, error) from error

    def _publish(self) -> None:
        """Move all files in; where one cannot be, put back what was there before."""
        moved: list[tuple[Path | None, Path, Path | None]] = []
        try:
            for temporary, target in [*((None, path) for path in self._gone), *self._staged]:
                _require_no_folder(target)
                moved.append((temporary, target, _keep(target)))
                if temporary is None:
                    target.unlink(missing_ok=True)  # its kept name may be a link
                else:
                    os.replace(temporary, target)
        except BaseException as error:
            lost = [problem for each in reversed(moved) if (problem := _put_back(*each))]
            if isinstance(error, OSError):
                raise unwritable(target, error, lost) from error
            raise
        for _, _, kept in moved:
            if kept is not None:
                _remove(kept)
        for folder in dict.fromkeys(target.parent for _, target, _ in moved):
            _flush_folder(folder)
            sweep(folder)

    def _discard(self) -> None:
        """Remove what was not moved in, and folders that were made and are empty."""
        for temporary, _ in self._staged:
            _remove(temporary)
        for parent in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
                parent.rmdir()

    def _target_of(self, error: OSError) -> Path | None:
        """Return the file that an error is about, if it is one of this set."""
        if error.errno in NO_ROOM and self._staged:
            return self._staged[-1][1]  # such an error names no file
        named = {os.fspath(temporary): target for temporary, target in self._staged}
        return named.get(str(error.filename))


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let Ctrl-C, and a request to end, wait for the end of the block."""
    came: list[int] = []
    before = {}

    def remember(number: int, _: FrameType | None) -> None:
        came.append(number)

    try:
        # Python hands signals to the main thread, and it alone may say who takes them.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not None:
                    before[number] = signal.signal(number, remember)
        yield
    finally:
        for number in reversed(before):  # Ctrl-C last, which may end this loop
            signal.signal(number, before[number])
        for each in dict.fromkeys(came):
            signal.raise_signal(each)


def flush(path: Path) -> None:
    """Return once the content of a file is on the disk, where the file system can tell."""
    descriptor = os.open(path, os.O_RDONLY if _IS_POSIX else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    # Only POSIX has folders that can be flushed. What is in them is whole either way.
    if _IS_POSIX:
        with contextlib.suppress(OSError):
            flush(folder)


def _keep(target: Path) -> Path | None:
    """Give what is at `target` a hidden name and return that; None if there is nothing."""
    if not os.path.lexists(target):
        return None
    if not _IS_POSIX and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only")  # and could not be removed
    kept = hidden(target, replaced=True)
    if _can_be_linked(target):
        with contextlib.suppress(OSError):  # where the file system has no links
            os.link(target, kept)  # so that there is no moment without a file
            return kept
    os.replace(target, kept)
    return kept


def _can_be_linked(target: Path) -> bool:
    """Say whether another name of a file is sure to go away again.

    It would stay where another program has the file open (Windows), and in a folder in which
    everybody may remove files of their own only (``/tmp``).
    """
    if not _IS_POSIX or target.is_symlink():
        return False
    is_sticky = target.parent.stat().st_mode & stat.S_ISVTX
    return not is_sticky or target.stat().st_uid == os.geteuid()


def _put_back(temporary: Path | None, target: Path, kept: Path | None) -> str:
    """Put back what was at `target`, whether `temporary` was moved there or not.

    Returns what could not be done about it, in words.
    """
    try:
        if kept is not None:
            os.replace(kept, target)
            kept.unlink(missing_ok=True)  # the line before leaves both names of one file
        elif temporary is not None and not temporary.exists():
            target.unlink(missing_ok=True)
    except OSError:
        return f"{target} could not be put back" + (f"; it is {kept}" if kept else "")
    return ""


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s could not be removed (%s)", path, error.strerror)


def _require_no_folder(path: Path) -> None:
    if os.path.isdir(path):  # False where a folder above may not be entered
        raise RootletsError("is a folder, not a file to write", path=path)
