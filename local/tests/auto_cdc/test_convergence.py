"""The engine against the oracle, over random histories in random orders, batches, duplicates,
replays and crashes.

One history per key: a Spark run of a few batches checks hundreds of histories at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from databricks_local.auto_cdc import engine

from .harness import Table
from .oracle import Event, current, records

SOURCE = "k int, seq int, op string, a int, b string, c struct<x: int, y: int>"
BATCHES = 5
HISTORIES = 400

small = st.one_of(st.none(), st.integers(0, 1))
payloads = st.fixed_dictionaries(
    {
        "a": small,
        "b": st.sampled_from([None, "p", "q"]),
        "c": st.one_of(st.none(), st.fixed_dictionaries({"x": small, "y": small})),
    }
)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Event, frozenset[int]]]:
    """Events of one key, each with the batches that bring it."""
    sequences = draw(st.lists(st.integers(0, 9), unique=True, max_size=7))
    return [
        (
            Event(sequence, draw(st.one_of(st.none(), payloads, payloads, payloads))),
            draw(st.frozensets(st.integers(0, BATCHES - 1), min_size=1, max_size=2)),
        )
        for sequence in sequences
    ]


@dataclass(frozen=True)
class Run:
    """Histories by key, and what befalls each batch."""

    histories: list[list[tuple[Event, frozenset[int]]]]
    fates: tuple[str, ...]
    truncates: dict[int, int]
    order: Random


def collect() -> list[list[tuple[Event, frozenset[int]]]]:
    """The examples of Hypothesis, each to be a key of its own: one that holds them all would exceed
    its buffer.
    """
    collected: list[list[tuple[Event, frozenset[int]]]] = []

    @settings(
        max_examples=HISTORIES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    @given(history=histories())
    def keep(history: list[tuple[Event, frozenset[int]]]) -> None:
        collected.append(history)

    keep()
    return collected


@pytest.fixture(scope="session")
def run() -> Run:
    """Every fate happens; the truncates arrive against their order."""
    return Run(collect(), ("once", "crash", "replay", "crash", "once"), {3: 1, 1: 3}, Random(20))


def source_row(key: int, event: Event) -> tuple[Any, ...]:
    if event.values is None:
        return (key, event.sequence, "d", None, None, None)
    values = event.values
    return (key, event.sequence, "u", values["a"], values["b"], values["c"])


def play(table: Table, run: Run, monkeypatch: pytest.MonkeyPatch, *, truncates: bool) -> None:
    for batch_id, fate in enumerate(run.fates):
        rows = [
            source_row(key, event)
            for key, history in enumerate(run.histories)
            for event, batches in history
            if batch_id in batches
        ]
        if truncates:
            rows += [(None, s, "t", None, None, None) for s, b in run.truncates.items() if b == batch_id]
        run.order.shuffle(rows)
        frame = table.frame(rows)
        if fate == "crash":
            with monkeypatch.context() as patched:

                def stop(*_: object, **__: object) -> None:
                    raise InterruptedError

                patched.setattr(engine, "merge", stop)
                with pytest.raises(InterruptedError):
                    table.apply_frame(frame, batch_id=batch_id)
        table.apply_frame(frame, batch_id=batch_id)
        if fate == "replay":
            before = table.rows()
            counts = table.apply_frame(frame, batch_id=batch_id)
            assert (counts.inserted, counts.updated, counts.deleted) == (0, 0, 0)
            assert table.rows() == before


def plain(value: Any) -> Any:
    """Structs as sorted items; one whose fields are all NULL counts as NULL (rule 23)."""
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, dict):
        known = sorted(value.items())
        return known if any(v is not None for _, v in known) else None
    return value


def shown(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(plain(values[c]) for c in ("a", "b", "c"))


def found(table: Table, columns: str) -> set[tuple[Any, ...]]:
    rows = [tuple(plain(v) for v in row) for row in table.rows(columns)]
    assert len(rows) == len({repr(row) for row in rows})
    return {repr(row) for row in rows}


def expected_rows(rows: Sequence[tuple[Any, ...]]) -> set[str]:
    return {repr(row) for row in rows}


MakeTable = Callable[..., Table]


@pytest.mark.parametrize("ignoring", [False, True], ids=["whole_rows", "ignore_null_updates"])
def test_scd1_is_the_fold_of_its_events(
    table: MakeTable, monkeypatch: pytest.MonkeyPatch, ignoring: bool, run: Run
) -> None:
    """Rules 3, 9, 10, 11, 19, 20, 21."""
    clauses = "ignore null updates on (a, c)" if ignoring else ""
    target = table(
        SOURCE,
        f"keys (k) {clauses} apply as delete when op = 'd' apply as truncate when op = 't' "
        "sequence by seq columns * except (op, seq)",
    )
    play(target, run, monkeypatch, truncates=True)
    mark = max(run.truncates, default=None)
    want = []
    for key, history in enumerate(run.histories):
        values = current(
            [event for event, _ in history],
            truncated_at=mark,
            ignored=("a", "c") if ignoring else (),
        )
        if values is not None:
            want.append((key, *shown(values)))
    assert found(target, "k, a, b, c") == expected_rows(want)


@pytest.mark.parametrize(
    ("clauses", "tracked", "ignored"),
    [
        ("", ("a", "b", "c"), ()),
        ("track history on a", ("a",), ()),
        ("ignore null updates", ("a", "b", "c"), ("a", "b", "c")),
    ],
    ids=["all_tracked", "one_tracked", "ignore_null_updates"],
)
def test_scd2_is_the_fold_of_its_events(
    table: MakeTable,
    monkeypatch: pytest.MonkeyPatch,
    clauses: str,
    tracked: tuple[str, ...],
    ignored: tuple[str, ...],
    run: Run,
) -> None:
    """Rules 3, 12, 13, 14, 15, 16, 19, 20, 21, 22."""
    before, after = (clauses, "") if clauses.startswith("ignore") else ("", clauses)
    target = table(
        SOURCE,
        f"keys (k) {before} apply as delete when op = 'd' sequence by seq "
        f"columns * except (op, seq) stored as scd type 2 {after}",
    )
    play(target, run, monkeypatch, truncates=False)
    want = [
        (key, *shown(values), start, end)
        for key, history in enumerate(run.histories)
        for values, start, end in records([event for event, _ in history], tracked=tracked, ignored=ignored)
    ]
    assert found(target, "k, a, b, c, __START_AT, __END_AT") == expected_rows(want)
