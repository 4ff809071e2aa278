"""Histories: the events of one key and how they are delivered, without any column or type.

An event has a place in the order of events and, unless it deletes, three symbols: what the columns that decide hold
(`x`, `y`; the tracked ones, or those with IGNORE NULL UPDATES) and what the others hold (`z`). `a`, `b` and `c` are
three values of whatever type a column has, `-` is NULL, `p` and `q` are structs of which one half each is NULL (in
other types `a` and `b`), `e` is a struct of NULLs (in other types NULL).

As text, as in the files of named histories: `upsert 3 a-b`, `delete 5`, `truncate 4`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

SYMBOLS = "abc-pqe"
SLOTS = "xyz"


@dataclass(frozen=True, order=True)
class Event:
    """A change of one key.

    Attributes:
        at: the place in the order of events, which is what SEQUENCE BY gives.
        values: a symbol for each of `x`, `y`, `z`; None for a delete.
    """

    at: int
    values: str | None

    def __str__(self) -> str:
        return f"delete {self.at}" if self.values is None else f"upsert {self.at} {self.values}"


@dataclass(frozen=True)
class Happenings:
    """What befalls the whole table with one batch.

    Attributes:
        truncates: places of the truncates that the batch brings.
        crashes: the durable steps (`crashes.STEPS`) after which one attempt after the other stops.
        compact: whether the state is compacted at the end of the batch.
        add_column: whether the source has one more column from this batch on.
    """

    truncates: tuple[int, ...] = ()
    crashes: tuple[str, ...] = ()
    compact: bool = False
    add_column: bool = False

    def lines(self) -> list[str]:
        """As text, in the form that `parse_batches` reads."""
        lines = [f"truncate {at}" for at in self.truncates]
        lines += [f"crash after {step}" for step in self.crashes]
        if self.compact:
            lines.append("compact")
        if self.add_column:
            lines.append("add column")
        return lines


Schedule = tuple[Happenings, ...]


@dataclass(frozen=True)
class History:
    """The events of one key and their delivery.

    Attributes:
        events: in any order; different events may share a place, which is a breach of the contract with the source.
        batches: per batch the indexes of the events that it brings, in the order of its rows; an index may be there
            twice, in one batch or in several.
        origin: where it comes from, for reports: `exhaustive`, `random`, or the name of a fixture.
    """

    events: tuple[Event, ...]
    batches: tuple[tuple[int, ...], ...]
    origin: str

    @property
    def size(self) -> tuple[int, ...]:
        """What is smaller is easier to understand."""
        used = [batch for batch in self.batches if batch]
        symbols = sum(SYMBOLS.index(s) for e in self.events for s in e.values or "")
        return (len(self.events), sum(map(len, used)), len(used), len(self.batches), symbols, *self._places())

    def _places(self) -> list[int]:
        return sorted(event.at for event in self.events)

    @property
    def is_tied(self) -> bool:
        """Whether different events share a place."""
        return len(set(self._places())) < len(set(self.events))

    def moved(self, *, places: int = 0, batches: int = 0) -> History:
        """The same with other places, and some batches later."""
        events = tuple(replace(event, at=event.at + places) for event in self.events)
        return replace(self, events=events, batches=((),) * batches + self.batches)

    def first_batches(self) -> list[int]:
        """Per event the first batch that brings it."""
        return [
            min(number for number, batch in enumerate(self.batches) if index in batch)
            for index in range(len(self.events))
        ]

    def lines(self, schedule: Sequence[Happenings] = ()) -> list[list[str]]:
        """Per batch its events and what befalls the table, as text."""
        count = max(len(self.batches), max((n + 1 for n, h in enumerate(schedule) if h.lines()), default=0))
        batches = self.batches + ((),) * (count - len(self.batches))
        happenings = [*schedule, *[Happenings()] * count][:count]
        return [
            [str(self.events[index]) for index in batch] + happened.lines()
            for batch, happened in zip(batches, happenings, strict=True)
        ]


def delivered(batches: Iterable[Iterable[Event]], origin: str) -> History:
    """A history from what each batch brings; equal events are one, delivered again."""
    events: dict[Event, int] = {}
    indexes = tuple(tuple(events.setdefault(event, len(events)) for event in batch) for batch in batches)
    return History(tuple(events), indexes, origin)


def parse_batches(batches: Sequence[Sequence[str]], origin: str) -> tuple[History, Schedule]:
    """Read the text form of a history and of what befalls its table.

    Raises:
        ValueError: names the line and what was expected.
    """
    brought: list[list[Event]] = []
    schedule: list[Happenings] = []
    for lines in batches:
        events: list[Event] = []
        happened = Happenings()
        for line in lines:
            match line.split():
                case ["upsert", at, values] if _is_place(at) and _are_symbols(values):
                    events.append(Event(int(at), values))
                case ["delete", at] if _is_place(at):
                    events.append(Event(int(at), None))
                case ["truncate", at] if _is_place(at):
                    happened = replace(happened, truncates=(*happened.truncates, int(at)))
                case ["crash", "after", *step] if step:
                    happened = replace(happened, crashes=(*happened.crashes, " ".join(step)))
                case ["compact"]:
                    happened = replace(happened, compact=True)
                case ["add", "column"]:
                    happened = replace(happened, add_column=True)
                case _:
                    raise ValueError(
                        f"{origin}: {line!r} is no line of a history; expected `upsert <place> <three of {SYMBOLS}>`, "
                        "`delete <place>`, `truncate <place>`, `crash after <step>`, `compact` or `add column`"
                    )
        brought.append(events)
        schedule.append(happened)
    return delivered(brought, origin), tuple(schedule)


def _are_symbols(text: str) -> bool:
    return len(text) == len(SLOTS) and set(text) <= set(SYMBOLS)


def _is_place(text: str) -> bool:
    return text.removeprefix("-").isdigit()
