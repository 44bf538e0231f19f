"""The order of things with prefetching: one item ahead, one behind, errors with their items."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest

from sct_rootlets.prefetch import Outcome, prefetch

PATIENCE_S = 20.0


class Log:
    """What happened, in order, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: list[tuple[str, int]] = []

    def __call__(self, what: str, item: int) -> None:
        with self._lock:
            self.events.append((what, item))

    def place(self, what: str, item: int) -> int:
        return self.events.index((what, item))


def prefetched(
    items: Iterable[int], log: Log, *, fail: dict[str, int] | None = None
) -> Iterator[Outcome[int, int]]:
    """Convey numbers: loaded times ten, worked on plus one, kept as they are."""
    fails = fail or {}

    def step(what: str, item: int, value: int) -> int:
        log(what, item)
        if fails.get(what) == item:
            raise ValueError(f"{what} {item}")
        return value

    return prefetch(
        items,
        lambda item: step("load", item, item * 10),
        lambda item, loaded: step("work", item, loaded + 1),
        lambda item, made: step("keep", item, made),
    )


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_all_come_out_in_order(count: int) -> None:
    outcomes = list(prefetched(range(count), Log()))
    assert [outcome.item for outcome in outcomes] == list(range(count))
    assert [outcome.result() for outcome in outcomes] == [10 * n + 1 for n in range(count)]


@pytest.mark.parametrize("count", [3, 4], ids=["the last", "another"])
@pytest.mark.parametrize("stage", ["load", "work", "keep"])
def test_a_failure_belongs_to_its_item_and_stops_no_other(stage: str, count: int) -> None:
    log = Log()
    outcomes = list(prefetched(range(count), log, fail={stage: 2}))
    assert [outcome.made for outcome in outcomes] == [1, 11, None, 31][:count]
    assert [outcome.item for outcome in outcomes] == list(range(count))
    with pytest.raises(ValueError, match=f"{stage} 2"):
        outcomes[2].result()
    later = {"load": ["work", "keep"], "work": ["keep"], "keep": []}[stage]
    assert not [event for event in log.events if event in [(what, 2) for what in later]]


def test_one_is_loaded_and_one_is_kept_while_one_is_worked_on() -> None:
    """Each step waits for what has to happen meanwhile; one thread would hang."""
    loaded = [threading.Event() for _ in range(4)]
    begun = [threading.Event() for _ in range(4)]
    kept = [threading.Event() for _ in range(4)]
    threads: dict[str, set[int]] = {"load": set(), "work": set(), "keep": set()}

    def load(item: int) -> int:
        threads["load"].add(threading.get_ident())
        loaded[item].set()
        return item

    def work(item: int, _: int) -> int:
        threads["work"].add(threading.get_ident())
        begun[item].set()
        if item + 1 < len(loaded):
            assert loaded[item + 1].wait(PATIENCE_S)
        if item:
            assert kept[item - 1].wait(PATIENCE_S)
        return item

    def keep(item: int, _: int) -> int:
        threads["keep"].add(threading.get_ident())
        if item + 1 < len(begun):
            assert begun[item + 1].wait(PATIENCE_S)
        kept[item].set()
        return item

    assert [outcome.result() for outcome in prefetch(range(4), load, work, keep)] == [0, 1, 2, 3]
    assert threads["work"] == {threading.get_ident()}  # progress is drawn by the caller's thread
    assert len(set.union(*threads.values())) == 3


def test_no_more_than_one_is_ahead_and_one_behind() -> None:
    log = Log()
    outcomes = prefetched(range(6), log)
    for outcome in outcomes:
        log("out", outcome.item)
    for n in range(4):
        # item n + 2 is not fetched before n + 1 is taken, which is after the work on n
        assert log.place("load", n + 2) > log.place("work", n)
        # and n is out before n + 1 is put away
        assert log.place("keep", n + 1) > log.place("out", n)


def test_an_interruption_finishes_what_is_being_kept_and_begins_nothing() -> None:
    log, let_go = Log(), threading.Event()

    def work(item: int, loaded: int) -> int:
        log("work", item)
        if item == 1:
            let_go.set()
            raise KeyboardInterrupt
        return loaded

    def keep(item: int, made: int) -> int:
        assert let_go.wait(PATIENCE_S)  # still under way when the interruption comes
        log("keep", item)
        return made

    with pytest.raises(KeyboardInterrupt):
        list(prefetch(range(9), int, work, keep))
    assert [event for event in log.events if event[0] == "keep"] == [("keep", 0)]
    assert [event for event in log.events if event[0] == "work"] == [("work", 0), ("work", 1)]
    assert not [t for t in threading.enumerate() if t.name.startswith(("load", "keep"))]


def test_items_are_asked_for_one_by_one_and_none_is_begun_once_the_iterator_is_closed() -> None:
    log, asked = Log(), []

    def items() -> Iterator[int]:
        for n in range(9):
            asked.append(n)
            yield n

    outcomes = prefetched(items(), log)
    next(outcomes)
    assert len(asked) <= 3
    outcomes.close()
    assert ("work", 2) not in log.events
    assert not [t for t in threading.enumerate() if t.name.startswith(("load", "keep"))]
