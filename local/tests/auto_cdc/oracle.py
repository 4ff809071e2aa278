"""AUTO CDC as a fold over the set of events of one key, in plain Python: what the engine must agree
with.

Written from the rules alone. Ties are left out: at most one event per sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """A change of a key; `values` is None for a delete."""

    sequence: int
    values: Values | None


def _or_else(new: Any, old: Any) -> Any:
    if isinstance(new, dict) or (new is None and isinstance(old, dict)):
        new, old = new or {}, old or {}
        merged = {f: _or_else(new.get(f), old.get(f)) for f in {**old, **new}}
        return merged if any(v is not None for v in merged.values()) else None
    return old if new is None else new


def line(events: Iterable[Event], ignored: Collection[str] = ()) -> Iterator[tuple[int, Values | None]]:
    """The events in order with their effective values; NULLs of ignored columns are inherited up to
    the last delete.
    """
    before: Values = {}
    distinct = {e.sequence: e for e in events}
    for sequence in sorted(distinct):
        values = distinct[sequence].values
        if values is not None:
            values = {c: _or_else(v, before.get(c)) if c in ignored else v for c, v in values.items()}
        before = values or {}
        yield sequence, values


def current(
    events: Iterable[Event], *, truncated_at: int | None = None, ignored: Collection[str] = ()
) -> Values | None:
    """SCD TYPE 1: the row of the key, or None."""
    alive = [e for e in events if truncated_at is None or e.sequence > truncated_at]
    return dict(line(alive, ignored))[max(e.sequence for e in alive)] if alive else None


def records(
    events: Iterable[Event], *, tracked: Collection[str], ignored: Collection[str] = ()
) -> list[tuple[Values, int, int | None]]:
    """SCD TYPE 2: (values, start, end) of each record of the key, in order."""
    closed: list[tuple[Values, int, int | None]] = []
    opened: tuple[Values, int] | None = None
    for sequence, values in line(events, ignored):
        if opened is not None:
            same = values is not None and all(values[c] == opened[0][c] for c in tracked)
            if not same:
                closed.append((*opened, sequence))
                opened = None
        if values is not None:
            opened = (values, opened[1] if opened else sequence)
    return [*closed, (*opened, None)] if opened else closed
