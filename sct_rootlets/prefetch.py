"""One item after the other, the next one fetched and the last one put away meanwhile.

Reading a compressed image takes a second or two and writing its results as long, during
which a GPU, or the cores that a network computes on, would wait. Two threads do both beside
the work: one item ahead, one behind, and never more, so that the memory does not fill up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

__all__ = ["Outcome", "prefetch"]

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Made = TypeVar("Made")
Kept = TypeVar("Kept")
Before = TypeVar("Before")
After = TypeVar("After")


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Item, Kept]):
    """What became of one item.

    Attributes
    ----------
    item : object
    made : object or None
        What was made of it, unless it failed.
    error : Exception or None
        Why it failed.
    """

    item: Item
    made: Kept | None = None
    error: Exception | None = None

    def result(self) -> Kept:
        """Return what was made of the item, or raise the error that befell it."""
        if self.error is not None:
            raise self.error
        return cast(Kept, self.made)


def prefetch(
    items: Iterable[Item],
    load: Callable[[Item], Loaded],
    work: Callable[[Item, Loaded], Made],
    keep: Callable[[Item, Made], Kept],
) -> Generator[Outcome[Item, Kept], None, None]:
    """Load, work on and keep every item, and yield what became of each, in order.

    An item that fails anywhere does not stop the others. An interruption (Ctrl-C, or an
    iterator that is closed) does: what is being loaded and kept at that moment is finished
    first, so that nothing is left half done, and nothing else is begun.

    Parameters
    ----------
    items : iterable
    load : callable
        ``load(item)``, called in a thread while `work` is done on the item before.
    work : callable
        ``work(item, loaded)``, called in the thread of the caller.
    keep : callable
        ``keep(item, made)``, called in another thread while `work` is done on the item after.

    Yields
    ------
    Outcome
        With what `keep` returned.

    Examples
    --------
    >>> halves = prefetch([4, 0, 1], float, lambda item, x: 2 / x, lambda item, y: y)
    >>> [outcome.made or type(outcome.error).__name__ for outcome in halves]
    [0.5, 'ZeroDivisionError', 2.0]
    """
    waiting = iter(items)
    keeping: Future[Outcome[Item, Kept]] | None = None
    with ThreadPoolExecutor(1, "load") as ahead, ThreadPoolExecutor(1, "keep") as behind:

        def begin() -> Future[Outcome[Item, Loaded]] | None:
            for item in waiting:
                return ahead.submit(_then, Outcome(item, item), lambda item, _: load(item))
            return None

        loading = begin()
        while loading is not None:
            loaded = loading.result()
            loading = begin()
            made = _then(loaded, work)
            del loaded  # so that one item less is in memory while the consumer has its turn
            if keeping is not None:
                yield keeping.result()
            keeping = behind.submit(_then, made, keep)
            del made
        if keeping is not None:
            yield keeping.result()


def _then(
    before: Outcome[Item, Before], step: Callable[[Item, Before], After]
) -> Outcome[Item, After]:
    """Take a step with what the one before it made; a failure is handed on."""
    if before.error is not None:
        return Outcome(before.item, error=before.error)
    try:
        return Outcome(before.item, step(before.item, before.result()))
    except Exception as error:  # noqa: BLE001  whatever it is, it belongs to this item
        return Outcome(before.item, error=error)
