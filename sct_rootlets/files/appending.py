"""Lines that several processes add to one table."""

from __future__ import annotations

import os
from pathlib import Path

from sct_rootlets.files.outputs import OutputSet, flush
from sct_rootlets.files.places import unwritable

__all__ = ["append_lines"]


def append_lines(target: str | os.PathLike[str], header: str, lines: str) -> None:
    """Add whole `lines` to a text file, which starts with `header` if it has to be made.

    Several processes may do so at once, as the jobs of a batch do with one table: each adds all
    of its lines in one piece, and none of them is lost.

    Parameters
    ----------
    target : path-like
    header, lines : str
        Each ends with a line break. They go on a line of their own, also where an editor has
        taken the last line break of the file away, and end as its lines do.

    Raises
    ------
    RootletsError
        If the file cannot be written.
    """
    path = Path(target)
    try:
        with OutputSet() as outputs:
            whole = outputs.stage(path)
            whole.write_bytes((header + lines).encode())
            if not path.exists():
                flush(whole)
            try:
                # A link appears with all its content, and not where there is a file already.
                os.link(whole, path)
                made = True
            except OSError:  # there is a file, or the file system has no links
                made = not path.exists()
                if made:
                    os.replace(whole, path)
            outputs.forget(whole)
        if not made:
            begin, end = _line_ends(path)
            # Opened to append, so that what other processes write meanwhile stays before it, and
            # without a buffer, so that all lines go in one piece.
            with open(path, "ab", buffering=0) as table:
                table.write(begin + lines.encode().replace(b"\n", end))
    except OSError as error:
        raise unwritable(path, error) from error


def _line_ends(path: Path) -> tuple[bytes, bytes]:
    """Return what the last line of a file lacks, and how its first line ends."""
    with open(path, "rb") as table:
        end = b"\r\n" if table.readline().endswith(b"\r\n") else b"\n"
        table.seek(max(0, os.path.getsize(path) - 1))
        return (b"" if table.read().endswith((b"\r", b"\n")) else end), end
