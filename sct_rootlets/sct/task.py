"""The name of our task in ``sct_deepseg``, and the one line that says what is wrong with it.

It enters SCT's processes, so that it imports next to nothing.
"""

import sys
from contextlib import suppress

__all__ = ["TASK", "warn"]

#: Name of the task in ``sct_deepseg``.
TASK = "rootlets_levels"

_said: set[str] = set()


def warn(error: BaseException, consequence: str = "") -> None:
    """Say in one line on the standard error what was wrong with us, once for each process.

    Parameters
    ----------
    error : exception
    consequence : str
        By default, that our task is missing.
    """
    text = str(error)
    if not hasattr(error, "remedy"):  # none of those that this package raises on purpose
        text = f"{type(error).__name__}: {text}"
    consequence = consequence or (
        f"sct_deepseg goes on without the task {TASK} of sct_rootlets "
        "('sct_rootlets sct disable' removes it)"
    )
    line = f"sct_rootlets: warning: {' '.join(text.split()).rstrip('.')}; {consequence}"
    if line in _said or sys.stderr is None:
        return
    _said.add(line)
    with suppress(OSError, ValueError):  # it may be closed
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - nobody above us could
