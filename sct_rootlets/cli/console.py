"""What the user sees: messages, warnings, progress bars, the FSLeyes line."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import textwrap
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from sct_rootlets.errors import RootletsError

__all__ = ["Console", "ProgressBars", "fsleyes_line", "shown"]

_LOG_LEVELS = {0: logging.ERROR, 1: logging.WARNING, 2: logging.DEBUG}
_STYLES = {"bold": "1", "red": "1;31", "yellow": "33", "green": "32"}


class Console:
    """Messages at one of SCT's three verbosities.

    Parameters
    ----------
    verbosity : int
        0 shows errors only, 1 also what is done, warnings and results, 2 also the
        messages of the library and the traceback of an error.

    Notes
    -----
    Results go to the standard output; warnings, errors and progress to the standard error,
    so that a table can be piped on.
    """

    def __init__(self, verbosity: int = 1) -> None:
        self.verbosity = verbosity

    def configure_logging(self) -> None:
        """Show the library's log messages at this verbosity on the standard error."""
        logger = logging.getLogger("sct_rootlets")
        logger.handlers[:] = [_LogHandler(self)]
        logger.propagate = False
        logger.setLevel(_LOG_LEVELS[self.verbosity])

    def say(self, text: str = "") -> None:
        """Print a line of the results, unless verbosity is 0."""
        if self.verbosity and "tqdm" in sys.modules:
            # above a progress bar if one is drawn
            sys.modules["tqdm"].tqdm.write(text, file=sys.stdout)
            sys.stdout.flush()
        elif self.verbosity:
            print(text, flush=True)

    def warn(self, text: str) -> None:
        """Print a warning, unless verbosity is 0."""
        if self.verbosity:
            # A path or a command that is broken can be neither read nor copied.
            lines = textwrap.wrap(
                f"Warning: {text}",
                96,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            self.note(_styled("\n".join(lines), "yellow", sys.stderr))

    def note(self, text: str) -> None:
        """Print `text` on the standard error, above a progress bar if one is drawn."""
        if "tqdm" in sys.modules:
            sys.modules["tqdm"].tqdm.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def error(self, text: str) -> None:
        """Print an error, at every verbosity."""
        message = _styled(f"sct_rootlets: error: {text}", "red", sys.stderr)
        print(message, file=sys.stderr, flush=True)

    def failure(self, error: Exception, about: str = "") -> None:
        """Print an error that was raised, with its traceback where verbosity is 2.

        Parameters
        ----------
        error : Exception
        about : str
            What it happened to, for an error that does not say so itself.
        """
        if self.verbosity >= 2:
            traceback.print_exception(error)
        text = str(error)
        if isinstance(error, MemoryError):
            text = (
                f"there is not enough memory on this machine ({text or 'no more is to be had'}). "
                "Crop the image to the neck, for example with sct_crop_image, or use fewer jobs"
            )
        elif not isinstance(error, RootletsError):
            text = f"unexpected {type(error).__name__}: {text}"
        self.error(f"{about}: {text}" if about and about not in text else text)

    def files(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """List files that were written."""
        self.say("\nFiles written:")
        for path in paths:
            self.say(f"  {shown(path)}")

    def viewer(self, line: str) -> None:
        """Print the command that shows the results, as SCT does."""
        self.say("\nDone! To view results, type:")
        self.say(_styled(line, "green", sys.stdout))

    def progress(self) -> ProgressBars:
        """Return progress bars to hand to the library; silent where verbosity is 0."""
        return ProgressBars(silent=not self.verbosity)


class _LogHandler(logging.Handler):
    """Shows the library's messages as the console shows its own."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self._console.error(record.getMessage())
        elif record.levelno >= logging.WARNING:
            self._console.warn(record.getMessage())
        else:
            self._console.note(f"[{record.name}] {record.getMessage()}")


class ProgressBars:
    """One bar per stage, drawn by the calls ``(stage, done, total)`` of the library.

    Use it as a context manager, so that the last bar is closed on an error too. Where the
    standard error is no terminal, a log file gets one line for each stage that is done.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._bar: Any = None
        self._stage: str | None = None
        self._start_s = 0.0

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` steps of `stage` are finished; total 0 is unknown."""
        if self._silent:
            return
        total = int(total) or int(done) + 1
        title = stage[:1].upper() + stage[1:]
        if stage != self._stage:
            self.close()
            self._stage, self._start_s = stage, time.perf_counter()
            if sys.stderr.isatty():
                from tqdm import tqdm

                self._bar = tqdm(
                    desc=f"{title:<28}",
                    total=total,
                    file=sys.stderr,
                    bar_format="{desc} {percentage:3.0f}%|{bar:30}| {elapsed}",
                )
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(int(done) - self._bar.n)
        elif done >= total:
            seconds = time.perf_counter() - self._start_s
            print(f"{title}: done in {seconds:.1f} s", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Finish the bar that is drawn, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._stage = None


def shown(path: str | os.PathLike[str]) -> str:
    """Return `path` relative to the current folder if it lies inside it, else absolute."""
    absolute = Path(path).absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)


def fsleyes_line(
    image: str | os.PathLike[str], overlays: Sequence[tuple[str | os.PathLike[str], str, float]]
) -> str:
    """Return the FSLeyes command that shows `overlays` on `image`, as SCT prints it.

    Parameters
    ----------
    image : path-like
    overlays : sequence of (path, colour map, opacity in percent)
        A colour map that is a file ``.lut`` is a look-up table of labels.

    Examples
    --------
    >>> fsleyes_line("t2.nii.gz", [("levels.nii.gz", "subcortical", 50)])
    'fsleyes t2.nii.gz -cm greyscale levels.nii.gz -cm subcortical -a 50.0 &'
    """
    words = ["fsleyes", shlex.quote(shown(image)), "-cm greyscale"]
    for path, colour_map, opacity in overlays:
        colours = f"-cm {colour_map}"
        if colour_map.endswith(".lut"):
            colours = f"-ot label -l {shlex.quote(shown(colour_map))}"
        words.append(f"{shlex.quote(shown(path))} {colours} -a {float(opacity)}")
    return " ".join([*words, "&"])


def _styled(text: str, style: str, stream: IO[str]) -> str:
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{_STYLES[style]}m{text}\033[0m"
