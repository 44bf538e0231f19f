"""Outputs that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType

from sct_rootlets.errors import RootletsError

__all__ = ["OutputSet", "append_lines"]


class OutputSet:
    """A set of files that appears together once all of them are whole.

    Each target is written under a temporary name beside it and moved in when the
    ``with`` block ends without an error; on an error nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with OutputSet() as outputs:
    ...     _ = outputs.stage(folder / "a.txt").write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """

    def __init__(self) -> None:
        self._staged: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    def __enter__(self) -> OutputSet:
        return self

    def stage(self, target: str | os.PathLike[str]) -> Path:
        """Return the temporary path to write, for `target`.

        The temporary name keeps the suffixes, because NIfTI writers choose the format
        by them, and is unique to this process. Missing parent folders are made.
        """
        path = Path(target)
        if path.is_dir():
            raise RootletsError("is a folder, not a file to write", path=path)
        try:
            for parent in reversed([p for p in path.parents if not p.exists()]):
                parent.mkdir(exist_ok=True)
                self._made.append(parent)
        except OSError as error:
            raise RootletsError(
                f"its folder cannot be made ({error.strerror})",
                path=path,
                remedy="Name another output folder",
            ) from error
        if not path.parent.is_dir():
            raise RootletsError(
                f"its folder cannot be made ({path.parent} is a file)",
                path=path,
                remedy="Name another output folder",
            )
        if not os.access(path.parent, os.W_OK):
            raise RootletsError(
                "its folder is not writable", path=path, remedy="Name another output folder"
            )
        temporary = path.with_name(f".{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
        self._staged.append((temporary, path))
        return temporary

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
        if error is None:
            for temporary, target in self._staged:
                os.replace(temporary, target)
            return
        for temporary, _ in self._staged:
            temporary.unlink(missing_ok=True)
        for parent in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
                parent.rmdir()


def append_lines(target: str | os.PathLike[str], header: str, lines: str) -> None:
    """Add whole `lines` to a text file, which starts with `header` if it has to be made.

    Several processes may do so at once, as the jobs of a batch do with one table: each adds all
    of its lines in one piece, and none of them is lost.

    Parameters
    ----------
    target : path-like
    header, lines : str
        Each ends with a line break.

    Raises
    ------
    RootletsError
        If the file cannot be written.
    """
    path = Path(target)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with OutputSet() as outputs:
            whole = outputs.stage(path)
            whole.write_bytes((header + lines).encode())
            # A link appears with all its content, and not where there is a file already.
            made = _linked(whole, path)
            outputs.forget(whole)
        if not made:
            # Opened to append, so that what other processes write meanwhile stays before it.
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            try:
                os.write(handle, lines.encode())
            finally:
                os.close(handle)
    except OSError as error:
        raise RootletsError(
            f"cannot be written ({error.strerror})", path=path, remedy="Name another file"
        ) from error


def _linked(whole: Path, path: Path) -> bool:
    """Put the file `whole` at `path` too, unless something is there; say whether it was put."""
    try:
        os.link(whole, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        os.replace(whole, path)
    return True
