"""Outputs that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType

from sct_rootlets.errors import RootletsError

__all__ = ["OutputSet"]


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
        if not os.access(path.parent, os.W_OK):
            raise RootletsError(
                "its folder is not writable", path=path, remedy="Name another output folder"
            )
        temporary = path.with_name(f".{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
        self._staged.append((temporary, path))
        return temporary

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
