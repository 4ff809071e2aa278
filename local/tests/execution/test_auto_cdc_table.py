"""FLOW AUTO CDC by statements: what a query shows after each refresh."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal

import pytest
from querying import Query

from databricks_local.errors import Error

FLOW = "flow auto cdc from stream(changes) keys (id) apply as delete when op = 'd' sequence by seq"


@pytest.fixture
def changes(query: Query) -> None:
    """A staging table."""
    query("create table changes (id int, v string, seq int, op string)")


def make(query: Query, clauses: str = "columns * except (op, seq)", flow: str = FLOW, before: str = "") -> None:
    query(f"create or refresh streaming table t {before} {flow} {clauses}")


@pytest.mark.usefixtures("changes")
def test_each_refresh_folds_what_is_new_whatever_its_order(query: Query) -> None:
    query("insert into changes values (1, 'b', 2, 'u'), (2, 'x', 1, 'u')")
    make(query)
    query("insert into changes values (1, 'a', 1, 'u'), (2, null, 5, 'd'), (3, 'n', 1, 'u')")
    query("refresh streaming table t")
    query("insert into changes values (2, 'late', 4, 'u')")
    query("refresh streaming table t")
    assert query("select * from t order by id") == [(1, "b"), (3, "n")]
    reads = query("select details from event_log(table(t)) order by id")
    assert [json.loads(details)["flow_progress"]["num_input_rows"] for (details,) in reads] == [2, 3, 1]


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize("row", ["(null, 'x', 9, 'u')", "(1, 'x', null, 'u')"])
def test_a_batch_without_a_key_or_a_sequence_fails_whole_and_is_retried_whole(query: Query, row: str) -> None:
    query("insert into changes values (1, 'a', 1, 'u')")
    make(query)
    query(f"insert into changes values (1, 'b', 2, 'u'), {row}")
    for _ in range(2):
        with pytest.raises(Error, match=r"AUTO_CDC_NULL_(KEY|SEQUENCE)\].*batch 1 for .*`t`.*nothing of the batch"):
            query("refresh streaming table t")
        assert query("select * from t") == [(1, "a")]


@pytest.mark.usefixtures("changes")
def test_a_tombstone_is_forgotten_after_the_retention_of_the_table(query: Query) -> None:
    """As on Databricks: a straggler that is older than the retention brings its key back."""
    query("insert into changes values (1, null, 5, 'd')")
    make(query, before="tblproperties ('pipelines.cdc.tombstoneGCThresholdInSeconds' = '0')")
    query("insert into changes values (1, 'old', 4, 'u')")
    query("refresh streaming table t")
    assert query("select * from t") == [(1, "old")]


@pytest.mark.usefixtures("changes")
def test_a_retention_that_is_no_number_is_named(query: Query) -> None:
    with pytest.raises(Error, match=r"tombstoneGCThresholdInSeconds is 'two days'; expected a number of seconds"):
        make(query, before="tblproperties ('pipelines.cdc.tombstoneGCThresholdInSeconds' = 'two days')")


def test_columns_come_and_go_between_refreshes(query: Query) -> None:
    """Rule 25: a new column is NULL in older rows; the values of one that is gone stay."""
    query("create table changes (id int, v string, seq int) tblproperties ('delta.columnMapping.mode' = 'name')")
    query("insert into changes values (1, 'a', 1), (2, 'b', 1)")
    flow = "flow auto cdc from stream(changes) keys (id) sequence by seq"
    make(query, flow=flow, clauses="columns * except (seq)")
    query("alter table changes add columns (w int)")
    query("insert into changes values (2, 'c', 2, 7)")
    query("refresh streaming table t")
    assert query("select * from t order by id") == [(1, "a", None), (2, "c", 7)]


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize(
    ("changed", "condition"),
    [
        ("flow auto cdc from stream(changes) keys (id, v) sequence by seq stored as scd type 2", "KEY_DRIFT"),
        ("flow auto cdc from stream(changes) keys (id) sequence by v stored as scd type 2", "SEQUENCE_TYPE_DRIFT"),
        ("flow auto cdc from stream(changes) keys (id) sequence by seq stored as scd type 1", "STORAGE_DRIFT"),
        (
            "flow auto cdc from stream(changes) keys (id) sequence by seq stored as scd type 2 track history on op",
            "TRACK_HISTORY_DRIFT",
        ),
    ],
)
def test_what_may_not_change_is_refused_until_a_full_refresh(query: Query, changed: str, condition: str) -> None:
    """Rule 24."""
    query("insert into changes values (1, 'a', 1, 'u')")
    make(query, flow="flow auto cdc from stream(changes) keys (id) sequence by seq stored as scd type 2", clauses="")
    shown = query("select * from t")
    with pytest.raises(Error, match=condition):
        make(query, flow=changed, clauses="")
    assert query("select * from t") == shown


@pytest.mark.usefixtures("changes")
def test_a_full_refresh_forgets_what_was_recorded(query: Query) -> None:
    """Rule 26."""
    query("insert into changes values (1, 'a', 5, 'u')")
    make(query)
    query("truncate table changes")
    query("insert into changes values (1, 'old', 1, 'u')")
    query("refresh streaming table t full")
    assert query("select * from t") == [(1, "old")]


@pytest.mark.usefixtures("changes")
def test_the_change_feed_of_a_target_can_be_streamed_from(query: Query) -> None:
    query("insert into changes values (1, 'a', 1, 'u'), (2, 'b', 1, 'u')")
    make(query, before="tblproperties ('delta.enableChangeDataFeed' = 'true')")
    query(
        "create or refresh streaming table feed as select id, v, _change_type from stream t "
        "with (readChangeFeed = true) where _change_type <> 'update_preimage'"
    )
    query("insert into changes values (1, 'c', 2, 'u'), (2, null, 2, 'd')")
    query("refresh streaming table t")
    query("refresh streaming table feed")
    assert query("select * from feed order by id, v") == [
        (1, "a", "insert"),
        (1, "c", "update_postimage"),
        (2, "b", "insert"),
        (2, "b", "delete"),
    ] or query("select * from feed order by id, v, _change_type") == [
        (1, "a", "insert"),
        (1, "c", "update_postimage"),
        (2, "b", "delete"),
        (2, "b", "insert"),
    ]


def test_any_type_and_any_name_is_kept(query: Query) -> None:
    query(
        "create table `select` (`order by` int, `s.t` struct<`a b`: int, c: array<string>>, `from` decimal(9, 3), "
        "ts timestamp, d date, b binary, v variant, m map<string, int>, `the seq` bigint) "
        "tblproperties ('delta.columnMapping.mode' = 'name')"
    )
    query(
        "insert into `select` select 1, named_struct('a b', 1, 'c', array('x')), 1.5, "
        "timestamp '2026-01-02 03:04:05.678901', date '2026-01-02', X'00ff', parse_json('{\"k\": [1]}'), map('k', 1), 1"
    )
    query(
        "create or refresh streaming table `table` flow auto cdc from stream(`select`) keys (`order by`) "
        "sequence by `the seq` columns * except (`the seq`) stored as scd type 2"
    )
    query(
        "insert into `select` select 1, named_struct('a b', 2, 'c', array('x')), 1.5, null, null, null, null, null, 2"
    )
    query("refresh streaming table `table`")
    utc = datetime.UTC
    assert query("select * from `table` order by __START_AT") == [
        (
            1,
            {"a b": 1, "c": ["x"]},
            Decimal("1.500"),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=utc),
            datetime.date(2026, 1, 2),
            b"\x00\xff",
            '{"k":[1]}',
            [("k", 1)],
            1,
            2,
        ),
        (1, {"a b": 2, "c": ["x"]}, Decimal("1.500"), None, None, None, None, None, 2, None),
    ]
