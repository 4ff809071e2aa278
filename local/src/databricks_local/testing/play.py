"""Histories on one table: each is a key, and after each batch the table must show what the oracle says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import databricks_local
from databricks_local.errors import Error
from databricks_local.testing.histories import Event, Happenings, History, Schedule
from databricks_local.testing.oracle import Change, truths
from databricks_local.testing.subject import ADDED_COLUMN, SourceRow, Subject
from databricks_local.testing.trial import Key, Shown, Trial

# What identifies the events that a key has had, and its rows in each way that is right.
Expected = tuple[Any, tuple[Shown, ...]]


@dataclass(frozen=True)
class Failure:
    """A history after which the table did not show what it should.

    Attributes:
        history: its key's.
        schedule: what befell the table.
        batch: the number of the batch after which it was seen.
        moment: what had just happened, in words.
        columns: of the rows.
        expected: the rows in each way that is right, or None where the failure is not one of rows.
        found: the rows that the table showed, or an error's text.
    """

    history: History
    schedule: Schedule
    batch: int
    moment: str
    columns: tuple[str, ...]
    expected: tuple[Shown, ...] | None
    found: Shown | str


@dataclass
class Played:
    """What was done with a table, and what was wrong.

    Attributes:
        deliveries: rows delivered.
        refreshes: of the table, those that were stopped included.
        crashes: refreshes that were stopped.
        failures: of the first moment at which there were any; empty: the table converged.
    """

    deliveries: int = 0
    refreshes: int = 0
    crashes: int = 0
    failures: Sequence[Failure] = ()


def play(
    connection: databricks_local.Connection, subject: Subject, histories: Sequence[History], schedule: Schedule
) -> Played:
    """Deliver histories batch by batch to a new table, and look at it after each batch and each crash.

    Args:
        connection: to the kit's warehouse.
        subject: the model.
        histories: one key each.
        schedule: per batch what befalls the table; batches of the histories beyond it are plain.
    """
    return _Play(Trial(connection, subject), histories, schedule).run()


class _Play:
    def __init__(self, trial: Trial, histories: Sequence[History], schedule: Schedule) -> None:
        self.trial = trial
        self.subject = trial.subject
        self.histories = histories
        self.keys = [trial.comparable(tuple(self._key(n).values())) for n in range(len(histories))]
        count = max([len(schedule), *(len(h.batches) for h in histories)])
        self.schedule = schedule + (Happenings(),) * (count - len(schedule))
        added = [number for number, happened in enumerate(schedule) if happened.add_column]
        self.first_batches = [h.first_batches() for h in histories]
        self.column_added_in = added[0] if added else count
        self.known: dict[Any, tuple[Shown, ...]] = {}
        self.shown_of_tied: dict[Any, Shown] = {}
        self.played = Played()
        self.delivered: list[set[int]] = [set() for _ in histories]
        self.truncated_at: int | None = None

    def run(self) -> Played:
        for number, happened in enumerate(self.schedule):
            failures = self._batch(number, happened)
            if failures:
                self.played.failures = failures
                break
        self.played.refreshes = self.trial.refreshes
        self.trial.drop()
        return self.played

    def _batch(self, number: int, happened: Happenings) -> list[Failure]:
        rows = self._rows(number, happened)
        if not self.trial.bring(rows, happened):
            return []
        self.played.deliveries += len(rows)
        before = self._expected(number)
        is_replay = not self._take(number, happened)
        after = self._expected(number)
        recorded = self.trial.recorded_events() if is_replay else 0
        try:
            for step in happened.crashes:
                self.trial.refresh(crash=step, compact=happened.compact)
                self.played.crashes += 1
                # A reader sees a batch whole or not at all.
                moment, shown = f"a crash after {step}", self.trial.rows()
                wrong = self._differing(number, moment, shown, after)
                if wrong and self._differing(number, moment, shown, before):
                    return wrong
            self.trial.refresh(compact=happened.compact)
        except (Error, AssertionError) as error:
            return self._broken(number, f"the refresh failed: {error}")
        shown = self.trial.rows()
        failures = self._differing(number, "the refresh", shown, after) or self._undecided(number, shown, after)
        if not failures and is_replay:
            if changed := self.trial.changed_rows():
                return self._broken(number, f"{changed} rows of the table were written, though nothing was new")
            if more := self.trial.recorded_events() - recorded:
                return self._broken(number, f"{more} events were recorded, though nothing was new")
        return failures

    def _rows(self, number: int, happened: Happenings) -> list[SourceRow]:
        """The rows of a batch, those of a key in the order that its history gives."""
        brought = [(key, h) for key, h in enumerate(self.histories) if number < len(h.batches)]
        Random(number).shuffle(brought)
        rows = [self.subject.truncate_row(at) for at in happened.truncates]
        for position in range(max((len(h.batches[number]) for _, h in brought), default=0)):
            for key, history in brought:
                if position < len(history.batches[number]):
                    rows.append(self._row(key, history.batches[number][position], number + position))
        return rows

    def _row(self, key: int, index: int, delivery: int) -> SourceRow:
        event = self.histories[key].events[index]
        row = self.subject.row(event, key, delivery=delivery)
        if self._has_added_column(key, index):
            row[ADDED_COLUMN] = self.subject.added_value(event)
        return row

    def _has_added_column(self, key: int, index: int) -> bool:
        """An event is the same whenever it is delivered: one that was there before the column has NULL in it."""
        return self.first_batches[key][index] >= self.column_added_in

    def _take(self, number: int, happened: Happenings) -> bool:
        """Count the batch as delivered; whether anything in it is new."""
        new = bool(happened.truncates)
        for delivered, history in zip(self.delivered, self.histories, strict=True):
            if number < len(history.batches):
                new = new or not delivered.issuperset(history.batches[number])
                delivered.update(history.batches[number])
        marks = [at for at in (self.truncated_at, *happened.truncates) if at is not None]
        self.truncated_at = max(marks, default=None)
        return new

    # what is right

    def _expected(self, number: int) -> list[Expected]:
        """Per key what identifies its events so far, and the rows in each way that is right."""
        expected = []
        for key, history in enumerate(self.histories):
            events = frozenset((history.events[i], self._has_added_column(key, i)) for i in self.delivered[key])
            identity = (events, self.truncated_at, number >= self.column_added_in)
            if identity not in self.known:
                self.known[identity] = self._truths(events, number >= self.column_added_in)
            expected.append((identity, self.known[identity]))
        return expected

    def _truths(self, events: Iterable[tuple[Event, bool]], added: bool) -> tuple[Shown, ...]:
        changes = []
        for event, has_column in events:
            values = self.subject.values(event)
            if values is not None and added:
                values = {**values, ADDED_COLUMN: self.subject.added_value(event) if has_column else None}
            changes.append(Change(event.at, values))
        rules = self.subject.rules_with_added_column() if added else self.subject.rules
        ways = truths(changes, rules, self.truncated_at)
        return tuple(tuple(sorted((self._shown(row) for row in rows), key=repr)) for rows in ways)

    def _shown(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        values = []
        for column in self.trial.columns:
            value = row[column]
            if column in ("__START_AT", "__END_AT") and value is not None:
                value = self.subject.sequence_value(value)
            values.append(value)
        return self.trial.comparable(values)

    def _key(self, number: int) -> Mapping[str, Any]:
        key = self.subject.key(number)
        return {name: key[name] for name in self.subject.keys}

    # what is wrong

    def _differing(
        self, number: int, moment: str, shown: Mapping[Key, Shown], expected: Sequence[Expected]
    ) -> list[Failure]:
        """The keys whose rows are none of the right ones."""
        failures = [
            self._failure(history, number, moment, right, found)
            for history, key, (_, right) in zip(self.histories, self.keys, expected, strict=True)
            if (found := shown.get(key, ())) not in right
        ]
        if not failures and (strangers := sorted(set(shown) - set(self.keys), key=repr)):
            return self._broken(number, f"rows of a key that no event has: {strangers[:3]}")
        return failures

    def _undecided(self, number: int, shown: Mapping[Key, Shown], expected: Sequence[Expected]) -> list[Failure]:
        """The keys whose tied events count in another way than the same events of another key."""
        failures = []
        for history, key, (identity, right) in zip(self.histories, self.keys, expected, strict=True):
            found = shown.get(key, ())
            other = self.shown_of_tied.setdefault(identity, found) if len(right) > 1 else found
            if other != found:
                moment = "the refresh, while the same events in another order or batching showed the expected rows"
                failures.append(self._failure(history, number, moment, (other,), found))
        return failures

    def _failure(
        self, history: History, number: int, moment: str, expected: tuple[Shown, ...] | None, found: Shown | str
    ) -> Failure:
        return Failure(history, self.schedule, number, moment, tuple(self.trial.columns), expected, found)

    def _broken(self, number: int, what: str) -> list[Failure]:
        """A failure of the table as a whole: any history that has a row in the batch may be its cause."""
        brought = [h for h in self.histories if number < len(h.batches) and h.batches[number]] or self.histories
        return [self._failure(history, number, "the refresh", None, what) for history in brought]
