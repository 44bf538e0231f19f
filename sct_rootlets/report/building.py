"""A report of a whole batch: results read and drawn in several processes, written as one page.

The large pictures never are in memory together: each goes to a file beside the page as soon as
it is drawn, and from there into the page.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import IO

from sct_rootlets.errors import UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.results import ResultSet
from sct_rootlets.report import page
from sct_rootlets.report.finding import Found, find
from sct_rootlets.report.sources import Locator
from sct_rootlets.report.subject import Subject, failed, read

__all__ = ["Summary", "build", "cores"]

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
_STAGE = "reading and drawing"


@dataclass(frozen=True)
class Summary:
    """What a report holds.

    Attributes
    ----------
    path : Path
    counts : dict of str to int
        Results by status.
    size_bytes : int
        Of the page.
    failures : tuple of (str, str)
        Results that failed, and the first reason of each.
    """

    path: Path
    counts: dict[str, int]
    size_bytes: int
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def total(self) -> int:
        """How many results it has."""
        return sum(self.counts.values())


def cores() -> int:
    """Return how many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def build(
    paths: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    images: Sequence[str | os.PathLike[str]] = (),
    jobs: int | None = None,
    title: str | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Summary:
    """Write a report of many results: one HTML file that needs nothing else.

    Parameters
    ----------
    paths : sequence of path-like
        As :func:`sct_rootlets.report.finding.find` takes them.
    target : path-like
        HTML file to write, ``.html``.
    images : sequence of path-like
        Folders in which images are looked for that are no longer where they were.
    jobs : int, optional
        Processes; by default one a core.
    title : str, optional
        By default the name of the folder that all results lie in.
    progress : callable, optional
        Called with a text, the results that are done and their number.
    overwrite : bool
        Replace also a page that is not as an earlier report wrote it.

    Raises
    ------
    UsageError
        If a path does not exist, `target` is no name of a page, or would replace such a file.
    InputError
        If there is no result.
    MissingDependencyError
        If matplotlib is not installed.
    RootletsError
        If the page cannot be written.
    """
    from sct_rootlets.qc.figure import require_matplotlib

    target = Path(target)
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError("is no name of a page", path=target, remedy="Give -o FILE.html")
    for folder in images:
        if not Path(folder).is_dir():
            raise UsageError("is no folder of images", path=folder)
    require_matplotlib()
    require_free([target], overwrite=overwrite)
    found = find(paths)
    root = Path(os.path.commonpath([one.table.parent for one in found]))
    with ResultSet(overwrite=overwrite) as outputs:
        staged = outputs.stage(target)
        outputs.list_in(target, ())
        with tempfile.TemporaryFile(dir=staged.parent) as pictures:
            subjects = _collected(found, root, Locator(images), jobs, pictures, progress)
            size = page.write(
                staged,
                subjects,
                pictures,
                title=title or root.name,
                identity=str(root),
                name=target.name,
            )
    counts = dict.fromkeys(page.STATUSES, 0)
    for subject in subjects:
        counts[subject.verdict.status] += 1
    return Summary(
        target,
        counts,
        size,
        tuple(
            (subject.key, subject.verdict.reasons[0])
            for subject in subjects
            if subject.verdict.status == page.FAILED
        ),
    )


def _collected(
    found: Sequence[Found],
    root: Path,
    locator: Locator,
    jobs: int | None,
    pictures: IO[bytes],
    progress: Progress | None,
) -> list[Subject]:
    """Read all results, in the order in which they were found; put pictures into a file."""
    names = [one.table.with_name(one.stem).relative_to(root).as_posix() for one in found]
    work = [(one, name, locator) for one, name in zip(found, names, strict=True)]
    subjects: dict[int, Subject] = {}
    if progress is not None:
        progress(_STAGE, 0, len(work))
    for number, subject in _read_all(work, min(jobs or cores(), len(work))):
        page.put_pictures(pictures, number, subject)
        subjects[number] = page.without_large(subject)
        if progress is not None:
            progress(_STAGE, len(subjects), len(work))
    return [subjects[number] for number in range(len(work))]


Work = tuple[Found, str, Locator]


def _read_all(work: Sequence[Work], jobs: int) -> Iterator[tuple[int, Subject]]:
    """Yield every result with its number, in the order in which they are done."""
    if jobs <= 1:
        for number, item in enumerate(work):
            yield number, read(*item)
        return
    left = []
    for number, subject in _in_processes(work, range(len(work)), jobs):
        if subject is None:
            left.append(number)
        else:
            yield number, subject
    # A process that died took its pool with it. Alone, one of these shows whether it was the one.
    for number in left:
        ((_, subject),) = _in_processes(work, [number], 1)
        found, key, _ = work[number]
        yield number, subject or failed(found, key, "the process that read it died: too large?")


def _in_processes(
    work: Sequence[Work], numbers: Sequence[int], jobs: int
) -> Iterator[tuple[int, Subject | None]]:
    """Yield results with their numbers; None for those whose process died."""
    # Not forked: a process that has threads, as numpy does, must not be.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {}
        for number in numbers:
            try:
                waiting[pool.submit(read, *work[number])] = number
            except BrokenProcessPool:
                yield number, None
        for future in as_completed(list(waiting)):
            number = waiting.pop(future)
            try:
                yield number, future.result()
            except BrokenProcessPool:
                yield number, None
