"""Larger histories, drawn by Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from databricks_local.testing.histories import Event, History

ORIGIN = "random"
_MOST_EVENTS = 8
_PLACES = 10


def histories(count: int, *, symbols: str, batches: int, round_number: int = 0) -> list[History]:
    """Draw histories of up to eight events, each event in one or two of the batches.

    One example of Hypothesis is one history, and each becomes a key of a table that holds them all; so Hypothesis draws
    here, and the shrinking, which needs a table for each step, is done in `minimal`.

    Args:
        count: how many at most; Hypothesis leaves out repetitions.
        symbols: that values are made of.
        batches: how many batches there are.
        round_number: another number gives other histories, the same one the same.
    """
    values = st.text(alphabet=symbols, min_size=3, max_size=3)
    changes = st.one_of(st.none(), values, values, values)
    places = st.lists(st.integers(0, _PLACES - 1), unique=True, min_size=1, max_size=_MOST_EVENTS)
    when = st.lists(st.integers(0, batches - 1), min_size=1, max_size=2)
    drawn: list[History] = []

    @st.composite
    def one(draw: st.DrawFn) -> History:
        events = tuple(Event(at, draw(changes)) for at in draw(places))
        brought: list[list[int]] = [[] for _ in range(batches)]
        for index in draw(st.permutations(range(len(events)))):
            for batch in draw(when):
                brought[batch].append(index)
        return History(events, tuple(map(tuple, brought)), ORIGIN)

    @seed(round_number)
    @_only_generating(count)
    @given(history=one())
    def keep(history: History) -> None:
        drawn.append(history)

    keep()
    return drawn


def different_values(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Different values of a strategy, always the same ones.

    Raises:
        ValueError: the strategy has fewer.
    """
    found: list[Any] = []

    @seed(0)
    @_only_generating(20 * count)
    @given(value=strategy)
    def keep(value: Any) -> None:
        if value is not None and value not in found:
            found.append(value)

    keep()
    if len(found) < count:
        raise ValueError(f"{strategy} gives {len(found)} different values; expected at least {count}")
    return found[:count]


def _only_generating(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
