"""The smallest history that still fails, found by playing all smaller ones on one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from databricks_local.testing.histories import Event, Happenings, History, Schedule
from databricks_local.testing.play import Failure, Played

_MOST_ROUNDS = 8

Play = Callable[[Sequence[History], Schedule], Played]


def minimal(failures: Sequence[Failure], play: Play) -> Failure:
    """Shrink a failure.

    Each round plays every one-step reduction of the smallest failing history, and at first every part of it, each as a
    key of one table: first with nothing but its truncates befalling the table, then with all that did.

    Args:
        failures: of one table.
        play: plays histories on a new table.

    Returns:
        the smallest failure found; one of `failures` where no smaller history fails by itself.
    """
    smallest = min(failures, key=lambda f: f.history.size)
    candidates = list(_parts(smallest.history))
    for _ in range(_MOST_ROUNDS):
        found = _failing(candidates, smallest.schedule, play)
        if found is None or (found.history.size, found.schedule) == (smallest.history.size, smallest.schedule):
            return smallest
        smallest = found
        candidates = [smallest.history, *_reductions(smallest.history, smallest.schedule)]
    return smallest


def _failing(candidates: Sequence[History], schedule: Schedule, play: Play) -> Failure | None:
    bare = tuple(Happenings(truncates=happened.truncates) for happened in schedule)
    for befalling in dict.fromkeys((bare, schedule)):
        failures = play(candidates, befalling).failures
        if failures:
            return min(failures, key=lambda f: f.history.size)
    return None


def _parts(history: History) -> Iterator[History]:
    """The history without any of its events, itself included."""
    count = len(history.events)
    for kept in range(count, 0, -1):
        for indexes in combinations(range(count), kept):
            yield _only(history, indexes)


def _only(history: History, indexes: Sequence[int]) -> History:
    new = {old: position for position, old in enumerate(indexes)}
    events = tuple(history.events[index] for index in indexes)
    batches = tuple(tuple(new[i] for i in batch if i in new) for batch in history.batches)
    return replace(history, events=events, batches=batches)


def _reductions(history: History, schedule: Schedule) -> Iterator[History]:
    """Everything that is one step simpler: an event, a delivery, a batch or a value less."""
    count = len(history.events)
    if count > 1:
        for left_out in range(count):
            yield _only(history, [i for i in range(count) if i != left_out])
    for number, batch in enumerate(history.batches):
        for position, index in enumerate(batch):
            if sum(b.count(index) for b in history.batches) > 1:
                yield _with_batch(history, number, batch[:position] + batch[position + 1 :])
    for number, batch in enumerate(history.batches[1:], start=1):
        merged = history.batches[number - 1] + batch
        yield _with_batch(_with_batch(history, number, ()), number - 1, merged)
        if not any(happened.truncates for happened in schedule):
            yield replace(history, batches=(*history.batches[: number - 1], merged, *history.batches[number + 1 :]))
    simplest = tuple(replace(e, values=e.values and "a" * len(e.values)) for e in history.events)
    if len(set(simplest)) == count:
        yield replace(history, events=simplest)
    for index, event in enumerate(history.events):
        for simpler in _simpler(event):
            events = (*history.events[:index], simpler, *history.events[index + 1 :])
            if len(set(events)) == count:
                yield replace(history, events=events)
    if not any(happened.truncates for happened in schedule):
        places = sorted({event.at for event in history.events})
        yield replace(history, events=tuple(replace(e, at=places.index(e.at) + 1) for e in history.events))


def _with_batch(history: History, number: int, batch: tuple[int, ...]) -> History:
    return replace(history, batches=(*history.batches[:number], batch, *history.batches[number + 1 :]))


def _simpler(event: Event) -> Iterator[Event]:
    for position, symbol in enumerate(event.values or ""):
        assert event.values is not None  # or there were no symbols
        if symbol != "a":
            yield replace(event, values=event.values[:position] + "a" + event.values[position + 1 :])
