"""The judgement on a model: whatever the order, the batching, the replays and the crashes, the same rows."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from databricks_local.testing import crashes as crash_points
from databricks_local.testing import exhaustive, random_histories
from databricks_local.testing.fixtures import Fixture, as_yaml
from databricks_local.testing.histories import Event, Happenings, History, Schedule
from databricks_local.testing.minimal import minimal
from databricks_local.testing.model import CdcModel
from databricks_local.testing.play import Failure, Played, play
from databricks_local.testing.subject import Subject
from databricks_local.testing.trial import Shown

if TYPE_CHECKING:
    from databricks_local.testing.kit import CdcKit

# The table of faults: three batches, stopped after each of the durable steps and run again, and a last one that brings
# again what was there before: nothing that a stop could lose. The state is compacted after the second, the source gets
# a column with the third.
_FAULTS: Schedule = (
    Happenings(crashes=("offsets", "state")),
    Happenings(crashes=("compaction",), compact=True),
    Happenings(crashes=("events", "target"), add_column=True),
    Happenings(),
)
_NEW_BATCHES = len(_FAULTS) - 1
_REPLAY = len(_FAULTS) - 1
_COLUMN_BATCH = next(number for number, happened in enumerate(_FAULTS) if happened.add_column)
# Where a model truncates: the truncate at 10 is the one that histories move round, an older one has come before it and
# another one comes behind it. Other histories lie above all three.
_TRUNCATES = {0: 5, 1: 10, 2: 3}
_TRUNCATE_BATCH = 1
_TRUNCATE = _TRUNCATES[_TRUNCATE_BATCH]
_ABOVE_TRUNCATES = 20
# Where each batch of a table is sequenced behind all that came before it: the places that each has, and the truncate of
# such a table, which some events of its batch lie before and others behind.
_PLACES_OF_A_BATCH = 10
_TRUNCATE_IN_LINE = _PLACES_OF_A_BATCH * _TRUNCATE_BATCH + 1
_AROUND_TRUNCATE = (1, 2)
# Each batch brings one event behind all that came before it, and others that are late.
_AHEAD = History(
    events=tuple(Event(_PLACES_OF_A_BATCH * 6 + n, symbol * 3) for n, symbol in enumerate("abc")),
    batches=((0,), (1,), (2,)),
    origin=exhaustive.ORIGIN,
)
# Longer histories than these have the table without faults to themselves: there are thousands.
_LONGEST_AMONG_FAULTS = 3


class DidNotConverge(AssertionError):  # noqa: N818  (pytest shows its message as that of a failed assertion)
    """A table showed rows that do not follow from the set of its events.

    Attributes:
        failures: as found, of the first moment at which there were any.
        smallest: the smallest of them, shrunk where that was asked for.
    """

    def __init__(self, subject: Subject, failures: Sequence[Failure], smallest: Failure, played: int) -> None:
        super().__init__(_report(subject, failures, smallest, played))
        self.failures = failures
        self.smallest = smallest


@dataclass
class Report:
    """What a model has withstood.

    Attributes:
        model: its name.
        histories: each a key, with its own order and batching.
        deliveries: rows delivered.
        tables: made from the model's statement.
        refreshes: of these tables, those that were stopped included.
        crashes: refreshes stopped between two durable steps.
        seconds: that it took.
        by_origin: histories per origin, `fixtures` being one.
    """

    model: str
    histories: int = 0
    deliveries: int = 0
    tables: int = 0
    refreshes: int = 0
    crashes: int = 0
    seconds: float = 0.0
    by_origin: dict[str, int] = field(default_factory=dict)

    def add(self, histories: Sequence[History], played: Played) -> None:
        """Count a table."""
        self.histories += len(histories)
        self.deliveries += played.deliveries
        self.tables += 1
        self.refreshes += played.refreshes
        self.crashes += played.crashes
        for history in histories:
            known = history.origin in (exhaustive.ORIGIN, random_histories.ORIGIN)
            origin = history.origin if known else "fixtures"
            self.by_origin[origin] = self.by_origin.get(origin, 0) + 1

    def __str__(self) -> str:
        origins = ", ".join(f"{count} {origin}" for origin, count in sorted(self.by_origin.items()))
        return (
            f"{self.model}: {self.histories} histories ({origins}), {self.deliveries} rows, {self.tables} tables, "
            f"{self.refreshes} refreshes, {self.crashes} of them stopped, {self.seconds:.0f} s"
        )


def converges(
    model: CdcModel,
    kit: CdcKit,
    *,
    events: int = 3,
    random: int = 150,
    rounds: int = 1,
    crashes: Collection[str] = crash_points.STEPS,
    shrink: bool = True,
) -> Report:
    """Put a model through everything that may befall an AUTO CDC table, and compare it with the oracle all along.

    One table takes the named histories, all histories of up to `min(events, 3)` events in every order and batching,
    those around a truncate where the model truncates, ties, and the random ones; with duplicates, replays, a crash
    after each durable step, compaction and a new column. Another one takes those whose batches are in order, so that
    each is sequenced behind all that the table has seen, which is what most real batches are and has a way of its own
    through the merge. Histories of four events have a table without faults.

    Args:
        model: the model.
        kit: the fixture `cdc_kit`.
        events: the longest histories that are enumerated; 4 takes some 16,000 keys.
        random: how many larger histories Hypothesis draws, per round.
        rounds: how many tables of faults, each with other random histories; in three of them a refresh is stopped after
            each step in each of the batches.
        crashes: the durable steps after which a refresh is stopped; each costs a refresh more.
        shrink: whether a failure is made as small as it gets; takes some tables more.

    Raises:
        DidNotConverge: with the smallest history found, as text to be put into `cdc_histories/`.
        UnknownShape: the model does not say all that is needed to make rows.
    """
    started = time.monotonic()
    subject = Subject(model, kit.connection.spark)
    report = Report(subject.name)

    def judge(histories: Sequence[History], schedule: Schedule) -> None:
        played = play(kit.connection, subject, histories, schedule)
        report.add(histories, played)
        if played.failures:
            smallest = min(played.failures, key=lambda f: f.history.size)
            if shrink:
                smallest = minimal(played.failures, lambda h, s: play(kit.connection, subject, h, s))
            raise DidNotConverge(subject, played.failures, smallest, len(histories))

    fixtures = [f for f in kit.fixtures if not f.truncates or subject.truncates]
    moved = {fixture.name: _among_others(fixture, subject) for fixture in fixtures}
    for fixture in fixtures:
        if moved[fixture.name] is None:
            judge([fixture.history], fixture.schedule)
    for number in range(rounds):
        named = [history for history in moved.values() if history is not None and number == 0]
        histories = _among_faults(subject, events if number == 0 else 0, random, number)
        judge([*named, *histories], _schedule(subject, crashes, number, _TRUNCATES))
    in_line = exhaustive.in_line(_small(subject, events), _PLACES_OF_A_BATCH)
    judge(in_line, _schedule(subject, crashes, 0, {_TRUNCATE_BATCH: _TRUNCATE_IN_LINE}))
    for count in range(_LONGEST_AMONG_FAULTS + 1, events + 1):
        judge(exhaustive.varied(list(exhaustive.histories(count, subject.alphabet(short=True))), count), ())
    report.seconds = time.monotonic() - started
    return report


def _schedule(subject: Subject, crashes: Collection[str], round_number: int, truncates: Mapping[int, int]) -> Schedule:
    """What befalls the table of a round: each time the stops are one batch further on."""
    schedule = list(_FAULTS)
    for batch in range(_NEW_BATCHES):
        stops = _FAULTS[(batch - round_number) % _NEW_BATCHES].crashes
        schedule[batch] = replace(_FAULTS[batch], crashes=tuple(step for step in stops if step in crashes))
    if not subject.truncates:
        return tuple(schedule)
    for batch, at in truncates.items():
        schedule[batch] = replace(schedule[batch], truncates=(at,))
    return tuple(schedule)


def _among_others(fixture: Fixture, subject: Subject) -> History | None:
    """A named history moved to the truncate or the new column of the table of faults; None if it does not fit."""
    if fixture.needs_a_table:
        return None
    places, batches = _ABOVE_TRUNCATES if subject.truncates else 0, 0
    for batch, at in fixture.truncates:
        places, batches = _TRUNCATE - at, _TRUNCATE_BATCH - batch
    for batch in fixture.added_columns:
        batches = _COLUMN_BATCH - batch
    # The last batch brings nothing new.
    fits = batches >= 0 and max(fixture.history.first_batches()) + batches < _REPLAY
    if not fits or batches + len(fixture.history.batches) > len(_FAULTS):
        return None
    return fixture.history.moved(places=places, batches=batches)


def _small(subject: Subject, events: int) -> list[History]:
    """All histories of a few events, ties too, spread over the batches of a table."""
    small: list[History] = []
    for count in range(1, min(events, _LONGEST_AMONG_FAULTS) + 1):
        small += exhaustive.histories(count, subject.alphabet())
    small += exhaustive.tied_histories(subject.alphabet(short=True)) if events > 1 else []
    return exhaustive.varied(small, _NEW_BATCHES, _REPLAY)


def _among_faults(subject: Subject, events: int, random: int, round_number: int) -> list[History]:
    larger: list[History] = []
    if random:
        larger = random_histories.histories(
            random, symbols=subject.symbols, batches=_NEW_BATCHES, round_number=round_number
        )
    varied = [_AHEAD, *_small(subject, events), *exhaustive.varied(larger, _NEW_BATCHES, _REPLAY)]
    if not subject.truncates:
        return varied
    above = [history.moved(places=_ABOVE_TRUNCATES) for history in varied]
    counts = [count for count in _AROUND_TRUNCATE if count <= events]
    around = exhaustive.around_a_truncate(counts, subject.alphabet(short=True), _TRUNCATE, _TRUNCATE_BATCH)
    return [*above, *around]


def _report(subject: Subject, failures: Sequence[Failure], smallest: Failure, played: int) -> str:
    what = f"{smallest.moment} of batch {smallest.batch + 1}"
    name = re.sub(r"\W+", "_", f"{subject.name} {' '.join(str(e) for e in smallest.history.events[:3])}").strip("_")
    lines = [
        f"{subject.name} did not converge: {len(failures)} of {played} histories failed after batch "
        f"{failures[0].batch + 1}. The smallest:",
        "",
        *(f"  batch {n + 1}: {', '.join(b) or 'nothing'}" for n, b in enumerate(_lines(smallest))),
        "",
        f"  after {what}",
    ]
    if isinstance(smallest.found, str):
        lines.append(f"  {smallest.found}")
    else:
        ways = [_rows(subject, smallest, rows) for rows in smallest.expected or ()]
        lines.append(f"  expected: {' or '.join(ways)}")
        lines.append(f"  found:    {_rows(subject, smallest, smallest.found)}")
    why = f"{subject.name} showed other rows after {what}."
    schedule = _used(smallest)
    return "\n".join(
        [
            *lines,
            "",
            "To keep it, put this into a file of cdc_histories/ (and give it a better name):",
            "",
            as_yaml(name.replace("_-_", "_").lower(), why, smallest.history, schedule),
        ]
    )


def _used(failure: Failure) -> Schedule:
    """What befell the table up to the failure."""
    return failure.schedule[: failure.batch + 1]


def _lines(failure: Failure) -> list[list[str]]:
    return failure.history.lines(_used(failure))


def _rows(subject: Subject, failure: Failure, rows: Shown) -> str:
    """Rows with what is not NULL in them."""
    shown = []
    for row in rows:
        cells: list[tuple[str, Any]] = list(zip(failure.columns, row, strict=True))
        shown.append("(" + ", ".join(f"{name}={value}" for name, value in cells if value is not None) + ")")
    return ", ".join(shown) or "no row"
