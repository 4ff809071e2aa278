"""All small histories, each in every order and every batching.

An arrival of n events is a permutation and a set of cuts that make batches of it: n! · 2^(n-1) of them, 192 for four
events. Each history in each arrival is a key of its own, so that one table holds thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise, permutations, product

from databricks_local.testing.histories import Event, History

ORIGIN = "exhaustive"

# None is a delete.
Alphabet = Sequence[str | None]
Batches = tuple[tuple[int, ...], ...]


def arrivals(count: int) -> Iterator[Batches]:
    """Every order of `count` events and, of each, every way to cut it into batches."""
    for order in permutations(range(count)):
        for cuts in product((False, True), repeat=count - 1):
            batches: list[list[int]] = [[order[0]]]
            for index, cut in zip(order[1:], cuts, strict=True):
                if cut:
                    batches.append([index])
                else:
                    batches[-1].append(index)
            yield tuple(map(tuple, batches))


def histories(count: int, alphabet: Alphabet) -> Iterator[History]:
    """Every history of `count` events at places 0, 1, … over an alphabet, in every arrival."""
    for symbols in product(alphabet, repeat=count):
        events = tuple(Event(at, values) for at, values in enumerate(symbols))
        for batches in arrivals(count):
            yield History(events, batches, ORIGIN)


def tied_histories(alphabet: Alphabet) -> Iterator[History]:
    """Every pair of different events at one place, alone and with one event before or behind, in every arrival."""
    for first, second in combinations(alphabet, 2):
        tied = (Event(1, first), Event(1, second))
        others: list[tuple[Event, ...]] = [(), *((Event(at, values),) for at in (0, 2) for values in alphabet)]
        for other in others:
            events = tied + other
            for batches in arrivals(len(events)):
                yield History(events, batches, ORIGIN)


def around_a_truncate(counts: Sequence[int], alphabet: Alphabet, truncate: int, batch: int) -> Iterator[History]:
    """Every history in every position relative to one truncate.

    A truncate touches every key, so it stands still, and the histories move round it: their places so that any number
    of events lies before it, or one exactly at its place; their events in the batch before, the batch of the truncate
    and the batch behind, in every order.

    Args:
        counts: numbers of events.
        alphabet: of the events.
        truncate: the place of the truncate.
        batch: the number of the batch that brings it, at least 1.
    """
    for count in counts:
        for symbols in product(alphabet, repeat=count):
            for places in _places_around(count, truncate):
                events = tuple(Event(at, values) for at, values in zip(places, symbols, strict=True))
                for batches in _in_three_batches(count):
                    yield History(events, ((),) * (batch - 1) + batches, ORIGIN)


def _places_around(count: int, truncate: int) -> Iterator[tuple[int, ...]]:
    for before in range(count + 1):
        yield tuple(truncate - before + n + (1 if n >= before else 0) for n in range(count))
    for before in range(count):
        yield tuple(truncate - before + n for n in range(count))


def _in_three_batches(count: int) -> Iterator[Batches]:
    """Every order of the events, with two cuts anywhere: three batches, which may be empty."""
    for order in permutations(range(count)):
        for low in range(count + 1):
            for high in range(low, count + 1):
                yield order[:low], order[low:high], order[high:]


def in_line(cases: Sequence[History], apart: int) -> list[History]:
    """Those whose batches follow one another, moved so that a batch of the table follows all before it, of any key.

    Args:
        cases: as spread over the batches of a table.
        apart: how many places a batch has to itself.
    """
    lined = []
    for case in cases:
        first = case.first_batches()
        placed = sorted(zip(case.events, first, strict=True), key=lambda pair: pair[0].at)
        if all(
            left[1] <= right[1] and (left[0].at < right[0].at or left[1] == right[1])
            for left, right in pairwise(placed)
        ):
            events = tuple(
                replace(event, at=event.at + apart * batch) for event, batch in zip(case.events, first, strict=True)
            )
            lined.append(replace(case, events=events))
    return lined


def varied(cases: Sequence[History], batches: int, last: int | None = None) -> list[History]:
    """The same histories spread over the batches of a table, every second one with repeated rows.

    Args:
        cases: as enumerated.
        batches: how many batches may bring first deliveries; a shorter history starts at one after the other.
        last: a batch that brings what each history's first or last batch brought once more; None: no replay.
    """
    spread = []
    for number, case in enumerate(cases):
        moved = case.moved(batches=number % (batches - len(case.batches) + 1))
        if number % 2:
            moved = replace(moved, batches=tuple(b + b[:1] for b in moved.batches))
        if last is not None:
            again = [b for b in moved.batches if b][0 if number % 4 < 2 else -1]
            gap = ((),) * (last - len(moved.batches))
            moved = replace(moved, batches=(*moved.batches, *gap, again))
        spread.append(moved)
    return spread
