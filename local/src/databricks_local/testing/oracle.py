"""AUTO CDC as a fold over the set of events of one key, in plain Python: what a table must agree with.

Written from the documented rules alone; nothing of the executor is used or known here. A row is a mapping of the
selected columns without the keys; for a history it also has `__START_AT` and `__END_AT`, as the places of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any

Values = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """An event of one key: its place in the order, and its values; None for a delete."""

    at: int
    values: Values | None


@dataclass(frozen=True)
class Rules:
    """What a flow asks for, as names of selected columns that are no keys.

    Attributes:
        stored_as: `SCD TYPE 1` or `SCD TYPE 2`.
        tracked: columns whose change opens a record.
        ignored: columns in which NULL means "not authored".
    """

    stored_as: str
    tracked: frozenset[str]
    ignored: frozenset[str]


Fold = Callable[[Iterable[Change], Rules, int | None], list[Row]]


def _or_else(new: Any, old: Any) -> Any:
    """The new value, or the old one where nothing was authored: leaf by leaf in structs."""
    if isinstance(new, dict) or (new is None and isinstance(old, dict)):
        new, old = new or {}, old or {}
        merged = {field: _or_else(new.get(field), old.get(field)) for field in {**old, **new}}
        return merged if any(value is not None for value in merged.values()) else None
    return old if new is None else new


def _line(changes: Iterable[Change], ignored: frozenset[str]) -> Iterator[tuple[int, Values | None]]:
    """The events in order with their effective values: what is not authored is inherited up to the last delete."""
    before: Values = {}
    for change in sorted(changes, key=lambda c: c.at):
        values = change.values
        if values is not None:
            values = {c: _or_else(v, before.get(c)) if c in ignored else v for c, v in values.items()}
        before = values or {}
        yield change.at, values


def _current(changes: Iterable[Change], rules: Rules, truncated_at: int | None) -> list[Row]:
    """SCD TYPE 1: the row of the key, if it has one. A truncate is a delete of every key."""
    alive = [c for c in changes if truncated_at is None or c.at > truncated_at]
    last = [values for _, values in _line(alive, rules.ignored)][-1:]
    return [dict(values) for values in last if values is not None]


def _history(changes: Iterable[Change], rules: Rules, truncated_at: int | None) -> list[Row]:
    """SCD TYPE 2: one row per run of equal tracked values; a delete ends a run. A history knows no truncate."""
    rows: list[Row] = []
    for at, values in _line(changes, rules.ignored):
        opened = rows[-1] if rows and rows[-1]["__END_AT"] is None else None
        goes_on = opened is not None and values is not None and all(values[c] == opened[c] for c in rules.tracked)
        if opened is not None:
            opened.update(values or {} if goes_on else {"__END_AT": at})
        if values is not None and not goes_on:
            rows.append({**values, "__START_AT": at, "__END_AT": None})
    return rows


FOLDS: Mapping[str, Fold] = {"SCD TYPE 1": _current, "SCD TYPE 2": _history}
"""How each kind of table follows from the events of a key, by what STORED AS says."""


def truths(changes: Iterable[Change], rules: Rules, truncated_at: int | None = None) -> list[list[Row]]:
    """The rows of a key, in each way that is right.

    There is one way, unless different events share a place: which of them counts is then open, but one of them does.

    Args:
        changes: those that were delivered, in any order and as often as they were.
        rules: of the flow.
        truncated_at: the greatest place of a truncate so far.
    """
    ordered = sorted(changes, key=lambda c: c.at)
    places: list[list[Change]] = []
    for _, tied in groupby(ordered, key=lambda c: c.at):
        distinct: list[Change] = []
        for change in tied:
            if change not in distinct:
                distinct.append(change)
        places.append(distinct)
    fold = FOLDS[rules.stored_as]
    return [fold(chosen, rules, truncated_at) for chosen in product(*places)]
