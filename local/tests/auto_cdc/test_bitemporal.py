"""STORED AS BITEMPORAL: what was believed when, against a fold over beliefs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from databricks_local.errors import Error
from databricks_local.testing.oracle import Change, Rules, truths

from .harness import Table

MakeTable = Callable[..., Table]

SOURCE = "k int, v string, w int, seq int, learned int, op string"
FLOW = (
    "keys (k) apply as delete when op = 'd' sequence by seq system sequence by learned "
    "columns (k, v, w) stored as bitemporal"
)
Learned = tuple[int, Change]


def rows_of(history: list[Learned], tracked: tuple[str, ...] = ("v", "w")) -> set[tuple[Any, ...]]:
    """(v, w, start, end, system start, system end) of a key, from its events with the moment each was learned at."""
    moments = sorted({moment for moment, _ in history})
    open_rows: dict[tuple[Any, ...], int] = {}
    closed = set()
    for moment in moments:
        latest: dict[int, Change] = {}
        for learned, event in sorted(history, key=lambda pair: pair[0]):
            if learned <= moment:
                latest[event.at] = event
        (records,) = truths(latest.values(), Rules("SCD TYPE 2", frozenset(tracked), frozenset()))
        belief = {(row["v"], row["w"], row["__START_AT"], row["__END_AT"]) for row in records}
        for record in set(open_rows) - belief:
            closed.add((*record, open_rows.pop(record), moment))
        for record in belief - set(open_rows):
            open_rows[record] = moment
    return closed | {(*record, since, None) for record, since in open_rows.items()}


def test_a_correction_closes_the_old_belief_and_adds_the_corrected_rows(table: MakeTable) -> None:
    target = table(SOURCE, FLOW)
    target.apply((1, "a", 1, 10, 100, "u"), (1, "b", 1, 20, 200, "u"))
    assert target.rows() == [
        (1, "a", 1, 10, 20, 200, None),
        (1, "a", 1, 10, None, 100, 200),
        (1, "b", 1, 20, None, 200, None),
    ]
    # At 300 it turns out that from 10 on the value was another one.
    target.apply((1, "A", 1, 10, 300, "u"))
    assert target.rows() == [
        (1, "A", 1, 10, 20, 300, None),
        (1, "a", 1, 10, 20, 200, 300),
        (1, "a", 1, 10, None, 100, 200),
        (1, "b", 1, 20, None, 200, None),
    ]


def test_a_delete_learned_late_ends_a_record_from_then_on(table: MakeTable) -> None:
    target = table(SOURCE, FLOW)
    target.apply((1, "a", 1, 10, 100, "u"))
    target.apply((1, None, None, 15, 200, "d"))
    assert target.rows() == [(1, "a", 1, 10, 15, 200, None), (1, "a", 1, 10, None, 100, 200)]


def test_the_belief_of_today_is_the_history_of_scd_type_2(table: MakeTable) -> None:
    rows = [(1, "a", 1, 10, 1, "u"), (1, "b", 1, 30, 2, "u"), (1, "c", 1, 20, 3, "u"), (1, None, None, 40, 4, "d")]
    bitemporal = table(SOURCE, FLOW)
    history = table(SOURCE, FLOW.replace("system sequence by learned ", "").replace("bitemporal", "scd type 2"))
    for row in rows:
        bitemporal.apply(row)
    history.apply(*rows)
    believed = bitemporal.spark.sql(
        f"select * except (__SYSTEM_START_AT, __SYSTEM_END_AT) from {bitemporal.name} where __SYSTEM_END_AT is null"
    ).collect()
    assert sorted(tuple(row) for row in believed) == history.rows()


def some_values(random: Random) -> dict[str, Any] | None:
    return None if random.random() < 0.2 else {"v": random.choice("ab"), "w": random.choice((1, None))}


def test_the_rows_depend_on_the_set_of_events_only(table: MakeTable) -> None:
    """Random histories, one key each, in random batches, with repeats."""
    random = Random(8)
    histories: list[list[Learned]] = []
    for _ in range(150):
        places = random.sample([(learned, seq) for learned in range(5) for seq in range(5)], random.randint(1, 6))
        histories.append([(learned, Change(seq, some_values(random))) for learned, seq in places])
    target = table(SOURCE, FLOW)
    batches: list[list[tuple[Any, ...]]] = [[] for _ in range(4)]
    for key, history in enumerate(histories):
        for learned, event in history:
            values = event.values or {"v": None, "w": None}
            row = (key, values["v"], values["w"], event.at, learned, "d" if event.values is None else "u")
            for batch in random.sample(batches, random.choice((1, 1, 2))):
                batch.append(row)
    for batch in batches:
        random.shuffle(batch)
        target.apply(*batch)
    want = {(key, *row) for key, history in enumerate(histories) for row in rows_of(history)}
    found = target.rows()
    assert len(found) == len(want)
    assert set(found) == want


@pytest.mark.parametrize(
    ("clauses", "condition"),
    [
        ("stored as bitemporal", "AUTO_CDC_BITEMPORAL_NEEDS_SYSTEM_SEQUENCE"),
        ("system sequence by learned", "AUTO_CDC_BITEMPORAL_NEEDS_SYSTEM_SEQUENCE"),
        ("system sequence by map(k, k) stored as bitemporal", "AUTO_CDC_SEQUENCE_NOT_ORDERABLE"),
    ],
)
def test_a_wrong_option_is_refused_by_name(table: MakeTable, clauses: str, condition: str) -> None:
    with pytest.raises(Error) as caught:
        table(SOURCE, f"keys (k) sequence by seq {clauses}")
    assert caught.value.error_class == condition


def test_an_event_without_a_system_sequence_fails_the_whole_batch(table: MakeTable) -> None:
    target = table(SOURCE, FLOW)
    with pytest.raises(Error, match="SYSTEM SEQUENCE BY learned is NULL in 1 of 2 rows"):
        target.apply((1, "a", 1, 10, None, "u"), (2, "a", 1, 10, 1, "u"))
    assert target.rows() == []
