"""The rules one by one, on small tables that show what each means."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from pyspark.sql import Row

from databricks_local.auto_cdc import engine
from databricks_local.errors import Error

from .harness import Table

MakeTable = Callable[..., Table]

SOURCE = "id int, v string, seq int, op string"
SCD1 = "keys (id) apply as delete when op = 'd' sequence by seq columns * except (op, seq)"
SCD2 = f"{SCD1} stored as scd type 2"


def test_a_null_condition_is_an_upsert_and_truncate_is_looked_at_first(table: MakeTable) -> None:
    """Rules 1, 6: the conditions read a column that the target does not keep."""
    target = table(
        SOURCE,
        "keys (id) apply as delete when op in ('d', 't') apply as truncate when op = 't' "
        "sequence by seq columns (id, v)",
    )
    target.apply((1, "a", 1, None), (2, "b", 1, "d"), (3, "c", 5, "u"))
    assert target.rows() == [(1, "a"), (3, "c")]
    counts = target.apply((None, None, 3, "t"))
    assert target.rows() == [(3, "c")]
    assert (counts.events, counts.truncates, counts.deleted) == (1, 1, 1)


def test_a_struct_sequence_compares_lexicographically_nulls_first(table: MakeTable) -> None:
    """Rule 2."""
    target = table("id int, v string, t int, lsn int", "keys (id) sequence by struct(t, lsn) columns (id, v)")
    target.apply((1, "late", 2, None), (1, "early", 1, 99))
    assert target.rows() == [(1, "late")]
    target.apply((1, "later", 2, 0))
    assert target.rows() == [(1, "later")]


def test_an_expression_orders_the_events(table: MakeTable) -> None:
    """Rules 2, 6."""
    target = table(SOURCE, "keys (id) sequence by -seq columns (id, v)")
    target.apply((1, "first", 1, None), (1, "second", 2, None))
    assert target.rows() == [(1, "first")]


@pytest.mark.parametrize("clauses", [SCD1, SCD2])
def test_ties_do_not_depend_on_arrival(table: MakeTable, clauses: str) -> None:
    """Rule 4: one row results, the same for every order; a delete wins over an upsert."""
    orders = list(permutations(["a", "b", "c"]))
    target = table(SOURCE, clauses)
    for turn in range(3):
        target.apply(*((key, order[turn], 1, "u") for key, order in enumerate(orders)))
    assert len(target.rows("distinct v")) == 1
    assert len(target.rows()) == len(orders)
    target.apply(*((key, None, 1, "d") for key in range(len(orders))))
    target.apply((1, "b", 1, "u"))
    assert target.rows() == []


@pytest.mark.parametrize("clauses", [SCD1, SCD2])
def test_a_null_sequence_or_key_fails_the_whole_batch(table: MakeTable, clauses: str) -> None:
    """Rule 5: the sequence is reported first; the table stays as it was."""
    target = table(SOURCE, clauses)
    target.apply((1, "a", 1, "u"))
    before, commits = target.rows(), target.commits
    with pytest.raises(Error, match=r"batch 1 .*\n?.*\"id\":7") as caught:
        target.apply((2, "b", 2, "u"), (7, "c", None, "u"), (None, "d", 3, "u"))
    assert caught.value.error_class == "AUTO_CDC_NULL_SEQUENCE"
    with pytest.raises(Error) as caught:
        target.apply((2, "b", 2, "u"), (None, "d", 3, "u"))
    assert caught.value.error_class == "AUTO_CDC_NULL_KEY"
    assert target.name in str(caught.value)
    assert (target.rows(), target.commits) == (before, commits)


def test_the_newest_event_wins_whole_and_a_delete_is_remembered(table: MakeTable) -> None:
    """Rules 9, 10."""
    target = table(SOURCE, SCD1)
    target.apply((1, "a", 2, "u"), (2, "x", 5, "d"))
    target.apply((1, None, 3, "u"), (1, "old", 1, "u"), (2, "old", 4, "u"))
    assert target.rows() == [(1, None)]
    target.apply((1, None, 2, "d"), (2, "new", 6, "u"))
    assert target.rows() == [(1, None), (2, "new")]


def test_a_truncate_covers_what_arrives_later_but_is_older(table: MakeTable) -> None:
    """Rule 11."""
    target = table(SOURCE, SCD1.replace("sequence", "apply as truncate when op = 't' sequence"))
    target.apply((1, "a", 1, "u"), (2, "b", 9, "u"), (9, None, 5, "t"))
    target.apply((3, "c", 4, "u"), (4, "d", 6, "u"), (5, "e", 5, "u"))
    assert target.rows() == [(2, "b"), (4, "d")]
    target.apply((None, None, 3, "t"))
    assert target.rows() == [(2, "b"), (4, "d")]


def test_a_run_is_one_record_with_its_first_start_and_its_last_values(table: MakeTable) -> None:
    """Rules 12, 13, 16."""
    target = table(
        "id int, v string, w int, seq int",
        "keys (id) sequence by seq columns (id, v, w) stored as scd type 2 track history on v",
    )
    target.apply((1, None, 1, 1), (1, None, 2, 2), (1, "b", 3, 3))
    target.apply((1, "b", 4, 4))
    assert target.rows() == [(1, "b", 4, 3, None), (1, None, 2, 1, 3)]


def test_a_delete_leaves_a_gap_that_equal_values_do_not_close(table: MakeTable) -> None:
    """Rule 14."""
    target = table(SOURCE, SCD2)
    target.apply((1, "a", 1, "u"), (1, None, 2, "d"), (1, "a", 4, "u"))
    assert target.rows() == [(1, "a", 1, 2), (1, "a", 4, None)]


def test_a_late_event_splits_pulls_back_and_meets_a_recorded_delete(table: MakeTable) -> None:
    """Rule 15."""
    target = table(SOURCE, SCD2)
    target.apply((1, "a", 2, "u"), (1, "a", 6, "u"), (2, None, 5, "d"))
    assert target.rows() == [(1, "a", 2, None)]
    target.apply((1, "b", 4, "u"), (2, "x", 3, "u"))
    assert target.rows() == [(1, "a", 2, 4), (1, "a", 6, None), (1, "b", 4, 6), (2, "x", 3, 5)]
    target.apply((1, "b", 3, "u"), (1, "a", 5, "u"))
    assert target.rows() == [(1, "a", 2, 3), (1, "a", 5, None), (1, "b", 3, 5), (2, "x", 3, 5)]


def test_nothing_tracked_makes_one_record_between_deletes(table: MakeTable) -> None:
    """Rule 16."""
    target = table(SOURCE, f"{SCD2} track history on (id)")
    target.apply((1, "a", 1, "u"), (1, "b", 2, "u"), (1, None, 3, "d"), (1, "c", 4, "u"))
    assert target.rows() == [(1, "b", 1, 3), (1, "c", 4, None)]


def test_the_current_row_is_the_open_record(table: MakeTable) -> None:
    """Rule 17."""
    events = [(k, f"v{(k * s) % 3}", s, "d" if (k + s) % 4 == 0 else "u") for k in range(20) for s in range(6)]
    current, history = table(SOURCE, SCD1), table(SOURCE, SCD2)
    for part in (events[::2], events[1::2]):
        current.apply(*part)
        history.apply(*part)
    opened = [row[:2] for row in history.rows() if row[3] is None]
    assert current.rows() == sorted(opened, key=repr)


def test_a_null_is_inherited_leaf_by_leaf_up_to_a_delete(table: MakeTable) -> None:
    """Rules 18 to 21."""
    target = table(
        "id int, v string, s struct<x: int, y: int>, a array<int>, seq int, op string",
        "keys (id) ignore null updates on (v, s, a) apply as delete when op = 'd' sequence by seq "
        "columns * except (op, seq)",
    )
    target.apply((1, "a", Row(x=1, y=None), [1, None], 1, "u"), (1, None, Row(x=None, y=5), None, 3, "u"))
    assert target.rows() == [(1, "a", Row(x=1, y=5), [1, None])]
    target.apply((1, "late", None, None, 2, "u"))
    assert target.rows() == [(1, "late", Row(x=1, y=5), [1, None])]
    target.apply((1, None, None, None, 2, "d"))
    assert target.rows() == [(1, None, Row(x=None, y=5), None)]


def test_nothing_is_inherited_from_before_a_truncate(table: MakeTable) -> None:
    """Rule 20: whether the truncate arrives before or after what follows it."""
    target = table(
        SOURCE,
        "keys (id) ignore null updates apply as truncate when op = 't' sequence by seq columns (id, v)",
    )
    target.apply((1, "a", 1, "u"), (1, None, 5, "u"))
    assert target.rows() == [(1, "a")]
    target.apply((None, None, 3, "t"))
    assert target.rows() == [(1, None)]


def test_a_pure_null_update_opens_no_record(table: MakeTable) -> None:
    """Rule 22."""
    target = table(SOURCE, SCD2.replace("apply", "ignore null updates apply", 1))
    target.apply((1, "a", 1, "u"), (1, None, 2, "u"))
    assert target.rows() == [(1, "a", 1, None)]


@pytest.mark.parametrize("scd_type", [1, 2])
def test_columns_to_update_names_what_a_row_authors(table: MakeTable, scd_type: int) -> None:
    target = table(
        "id int, v string, w int, c array<string>, seq int",
        f"keys (id) sequence by seq columns (id, v, w) stored as scd type {scd_type} columns to update c",
    )
    target.apply((1, "a", 1, ["v", "w"], 1), (1, None, 9, ["V"], 3))
    target.apply((1, "z", 7, ["w"], 2))
    current = [row[:3] for row in target.rows() if scd_type == 1 or row[4] is None]
    assert current == [(1, None, 7)]


def test_a_new_column_is_null_in_older_rows_and_a_missing_one_stays(table: MakeTable) -> None:
    """Rule 25, SCD 1; a difference in case is none."""
    target = table("id int, v string, seq int", "keys (id) sequence by seq")
    target.apply((1, "a", 1), (2, "b", 1))
    target.change_source("ID int, seq int, w struct<x: int>", "keys (id) sequence by seq")
    target.apply((2, 2, Row(x=7)), (3, 1, None))
    assert target.rows("id, v, seq, w.x") == [(1, "a", 1, None), (2, "b", 2, 7), (3, None, 1, None)]
    target.change_source("id int, seq int, w struct<x: int, y: int>", "keys (id) sequence by seq")
    target.apply((2, 3, Row(x=8, y=9)))
    assert target.rows("id, w.x, w.y")[1] == (2, 8, 9)


def test_a_history_keeps_a_column_that_is_no_longer_delivered(table: MakeTable) -> None:
    """Rule 25, SCD 2: older records keep it, also when one of them is split later."""
    clauses = "keys (id) sequence by seq columns * except (seq) stored as scd type 2 track history on v"
    target = table("id int, v string, w int, seq int", clauses)
    target.apply((1, "a", 7, 1), (1, "a", 8, 5))
    target.change_source("id int, v string, seq int", clauses)
    target.apply((1, "b", 3), (1, "c", 9))
    assert target.rows() == [
        (1, "a", 7, 1, 3),
        (1, "a", 8, 5, 9),
        (1, "b", None, 3, 5),
        (1, "c", None, 9, None),
    ]


def test_a_changed_type_is_refused(table: MakeTable) -> None:
    """Rule 25."""
    target = table("id int, v int, seq int", "keys (id) sequence by seq")
    target.apply((1, 1, 1))
    target.change_source("id int, v string, seq int", "keys (id) sequence by seq")
    with pytest.raises(Error, match=r"CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE.* v "):
        target.apply((1, "x", 2))
    assert target.rows() == [(1, 1, 1)]


@pytest.mark.parametrize("scd_type", [1, 2])
def test_any_type_and_any_name_can_be_a_key_or_a_value(table: MakeTable, scd_type: int) -> None:
    source = (
        "`a.b` decimal(10, 2), `select` binary, `k k` struct<`x y`: date, z: string>, "
        "m map<string, int>, `v``v` array<map<string, int>>, `s.t` struct<`i,j`: map<int, int>>, "
        "ts timestamp, `order by` int"
    )
    target = table(
        source,
        f"keys (`a.b`, `select`, `k k`) sequence by `order by` columns * except (`order by`) "
        f"stored as scd type {scd_type}",
    )
    key = (
        Decimal("1.50"),
        bytearray(b"\x00\x01"),
        Row(**{"x y": datetime.date(2026, 1, 2), "z": None}),
    )
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001 (Spark hands out naive UTC)
    one = (*key, {"a": 1, "b": 2}, [{"x": 1}], Row(**{"i,j": {1: 1}}), moment)
    same = (*key, {"b": 2, "a": 1}, [{"x": 1}], Row(**{"i,j": {1: 1}}), moment)
    other = (*key, {"a": 3}, [{"x": 1}], None, moment)
    target.apply((*one, 1), (*same, 2))
    assert len(target.rows()) == 1
    target.apply((*other, 3))
    assert [row[3] for row in target.rows()] == ([{"a": 3}] if scd_type == 1 else [{"a": 1, "b": 2}, {"a": 3}])


def test_a_variant_is_compared_by_its_value(table: MakeTable) -> None:
    target = table(
        "id int, v variant, seq int",
        "keys (id) sequence by seq columns (id, v) stored as scd type 2",
    )
    frame = target.spark.sql(
        """select * from values (1, parse_json('{"a": 1, "b": 2}'), 1),
        (1, parse_json('{"b":2,"a":1}'), 2),
        (1, parse_json('{"a": 2}'), 3) as t(id, v, seq)"""
    )
    target.apply_frame(frame)
    assert target.rows("to_json(v), __START_AT, __END_AT") == [
        ('{"a":1,"b":2}', 1, 3),
        ('{"a":2}', 3, None),
    ]


@pytest.mark.parametrize("clauses", [SCD1, SCD2])
def test_a_batch_is_one_commit_and_a_replay_changes_nothing(table: MakeTable, clauses: str) -> None:
    """Rule 3."""
    target = table(SOURCE, clauses)
    rows: list[tuple[Any, ...]] = [(1, "a", 1, "u"), (2, "b", 1, "u"), (2, None, 2, "d")]
    before = target.commits
    target.apply(*rows)
    assert target.commits == before + 1
    shown = target.rows()
    for batch_id in (0, 1):
        counts = target.apply(*rows, batch_id=batch_id)
        assert (counts.inserted, counts.updated, counts.deleted) == (0, 0, 0)
    assert target.rows() == shown


@pytest.mark.parametrize("clauses", [SCD1, SCD2])
@pytest.mark.parametrize("step", ["evolve", "merge"])
def test_a_crash_between_two_commits_is_repaired_by_the_next_attempt(
    table: MakeTable, monkeypatch: pytest.MonkeyPatch, clauses: str, step: str
) -> None:
    """Rule 3."""
    target = table(SOURCE, clauses)
    target.apply((1, "a", 1, "u"), (2, "b", 1, "u"))
    before = target.rows()
    with monkeypatch.context() as patched:

        def stop(*_: object, **__: object) -> None:
            raise InterruptedError

        patched.setattr(engine, step, stop)
        with pytest.raises(InterruptedError):
            target.apply((1, "c", 2, "u"), (2, None, 2, "d"))
    assert target.rows() == before
    target.apply((1, "c", 2, "u"), (2, None, 2, "d"))
    straight = table(SOURCE, clauses)
    straight.apply((1, "a", 1, "u"), (2, "b", 1, "u"), (1, "c", 2, "u"), (2, None, 2, "d"))
    assert target.rows() == straight.rows()


def test_untouched_rows_are_not_written(table: MakeTable) -> None:
    target = table(SOURCE, SCD2)
    target.apply(*((k, "a", 1, "u") for k in range(100)))
    counts = target.apply((5, "b", 2, "u"), (6, "a", 2, "u"))
    assert (counts.inserted, counts.updated, counts.deleted) == (1, 1, 0)


def test_an_empty_batch_commits_nothing(table: MakeTable) -> None:
    target = table(SOURCE, SCD1)
    commits = target.commits
    assert target.apply().events == 0
    assert target.commits == commits


def test_an_expired_tombstone_no_longer_suppresses(table: MakeTable) -> None:
    """Databricks forgets tombstones after pipelines.cdc.tombstoneGCThresholdInSeconds."""
    target = table(SOURCE, SCD1)
    target.apply((1, None, 5, "d"))
    target.apply((1, "old", 4, "u"), tombstone_retention=timedelta(days=2))
    assert target.rows() == []
    target.apply((1, "old", 4, "u"), tombstone_retention=timedelta(0))
    assert target.rows() == [(1, "old")]


@pytest.mark.parametrize("clauses", [SCD1, SCD2])
def test_compaction_of_the_state_changes_no_result(table: MakeTable, clauses: str) -> None:
    target = table(SOURCE, clauses)
    target.apply((1, "a", 1, "u"), (2, "b", 1, "u"), (3, None, 9, "d"))
    target.apply((1, "c", 2, "u"), (2, None, 3, "d"))
    target.apply((1, "d", 4, "u"), (2, None, 5, "d"), batch_id=15)
    target.apply((1, "old", 3, "u"), (2, "old", 4, "u"), (3, "old", 8, "u"))
    assert target.rows() == (
        [(1, "d")]
        if clauses == SCD1
        else [
            (1, "a", 1, 2),
            (1, "c", 2, 3),
            (1, "d", 4, None),
            (1, "old", 3, 4),
            (2, "b", 1, 3),
            (2, "old", 4, 5),
            (3, "old", 8, 9),
        ]
    )
