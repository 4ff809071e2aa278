"""Streaming tables: each row once, one checkpoint per table identity, Databricks' errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from querying import Query

import databricks_local


@pytest.fixture
def source(query: Query) -> str:
    query("create table source (id int, name string)")
    query("insert into source values (1, 'a'), (2, 'b')")
    return "source"


def refreshes(query: Query, table: str) -> list[dict[str, Any]]:
    rows = query(f"select details from event_log(table({table})) order by id")
    return [json.loads(details)["flow_progress"] for (details,) in rows]


def test_a_refresh_reads_only_what_is_new(query: Query, source: str) -> None:
    query("create or refresh streaming table t as select * from stream source")
    query("insert into source values (3, 'c')")
    query("refresh streaming table t")
    query("refresh streaming table t")

    assert query("select id from t order by id") == [(1,), (2,), (3,)]
    assert [r["num_input_rows"] for r in refreshes(query, "t")] == [2, 1, 0]


def test_create_or_refresh_refreshes_an_existing_table(query: Query, source: str) -> None:
    statement = "create or refresh streaming table t as select id from stream(source)"
    query(statement)
    query("insert into source values (3, 'c')")
    query(statement)

    assert query("select count(*) from t") == [(3,)]


def test_create_without_or_refresh_refuses_an_existing_table(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    with pytest.raises(databricks_local.ProgrammingError, match="TABLE_OR_VIEW_ALREADY_EXISTS"):
        query("create streaming table t as select id from stream source")
    query("create streaming table if not exists t as select id from stream source")

    assert query("select count(*) from t") == [(2,)]


def test_a_name_taken_by_an_ordinary_table_is_refused(query: Query, source: str) -> None:
    with pytest.raises(databricks_local.ProgrammingError, match="is not a streaming table"):
        query("create or refresh streaming table source as select 1 as x from stream source")

    assert query("select count(*) from source") == [(2,)]


def test_a_table_dropped_and_made_again_starts_over(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    query("drop table t")
    query("create streaming table t as select id from stream source")

    assert query("select id from t order by id") == [(1,), (2,)]


def test_a_full_refresh_starts_over_with_the_current_query(query: Query, source: str) -> None:
    query("create streaming table t as select id, id * 10 as value from stream source")
    query("create or refresh streaming table t as select id, id * 100 as value from stream source")
    query("insert into source values (3, 'c')")
    query("refresh streaming table t")
    assert query("select value from t order by id") == [(10,), (20,), (300,)]

    query("refresh streaming table t full")
    assert query("select value from t order by id") == [(100,), (200,), (300,)]


def test_a_changed_query_governs_only_new_rows_and_adds_its_columns(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    query("create or refresh streaming table t as select id, upper(name) as name from stream source")
    query("insert into source values (3, 'c')")
    query("refresh streaming table t")

    assert query("select id, name from t order by id") == [(1, None), (2, None), (3, "C")]


def test_a_changed_type_is_refused_and_named(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    with pytest.raises(databricks_local.ProgrammingError, match="column id is int") as caught:
        query("create or refresh streaming table t as select name as id from stream source")

    assert caught.value.error_class == "STREAMING_TABLE_COLUMN_TYPE_CHANGED"
    assert query("select id from t order by id") == [(1,), (2,)]


def test_another_source_needs_a_full_refresh(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    query("create table other as select 9 as id")
    with pytest.raises(databricks_local.ProgrammingError, match="full-refresh"):
        query("create or refresh streaming table t as select id from stream other")


def test_unions_read_each_source_once(query: Query, source: str) -> None:
    query("create table other as select 9 as id, 'z' as name")
    query("create streaming table t as select * from stream source union all select * from stream other")
    query("insert into other values (10, 'y')")
    query("refresh streaming table t")

    assert query("select id from t order by id") == [(1,), (2,), (9,), (10,)]


def test_a_stream_joins_a_table_as_it_is_at_the_refresh(query: Query, source: str) -> None:
    query("create table colours as select 1 as id, 'red' as colour")
    query(
        "create streaming table t as select s.id, colour from stream source as s left join colours as c on s.id = c.id"
    )
    query("insert into colours values (2, 'blue')")
    query("refresh streaming table t")

    assert query("select id, colour from t order by id") == [(1, "red"), (2, None)]


def test_a_rewritten_source_fails_as_on_databricks(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    query("update source set name = 'x' where id = 1")
    with pytest.raises(databricks_local.Error) as caught:
        query("refresh streaming table t")

    assert caught.value.error_class == "DELTA_SOURCE_TABLE_IGNORE_CHANGES"
    assert query("select id from t order by id") == [(1,), (2,)]


def test_skip_change_commits_goes_on_after_a_rewrite(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source with (skipchangecommits)")
    query("update source set name = 'x' where id = 1")
    query("insert into source values (3, 'c')")
    query("refresh streaming table t")

    assert query("select id from t order by id") == [(1,), (2,), (3,)]


def test_a_source_dropped_and_made_again_is_not_read_silently(query: Query, source: str) -> None:
    query("create streaming table t as select id from stream source")
    query("drop table source")
    query("create table source as select 7 as id, 'q' as name")
    with pytest.raises(databricks_local.Error) as caught:
        query("refresh streaming table t")

    assert caught.value.error_class == "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE"


def test_starting_version_is_honoured(query: Query, source: str) -> None:
    query("insert into source values (3, 'c')")
    query("create streaming table t as select id from stream source with (startingversion = 2)")

    assert query("select id from t") == [(3,)]


def test_an_unknown_stream_option_is_named(query: Query, source: str) -> None:
    with pytest.raises(databricks_local.ProgrammingError, match="startingVersoin"):
        query("create streaming table t as select id from stream source with (startingVersoin = 2)")


def test_a_query_without_stream_is_refused(query: Query, source: str) -> None:
    with pytest.raises(databricks_local.ProgrammingError, match="reads nothing with STREAM"):
        query("create streaming table t as select id from source")

    assert query("show tables like 't'") == []


def test_the_word_stream_in_strings_comments_and_columns_is_left_alone(query: Query) -> None:
    query("create table events as select 'STREAM events' as stream, 1 as id")
    query(
        "create streaming table t as select stream, 'from STREAM x' as text "
        "/* STREAM y */ from STREAM events -- STREAM z"
    )

    assert query("select * from t") == [("STREAM events", "from STREAM x")]


def test_expectations_warn_drop_and_are_counted(query: Query, source: str) -> None:
    query("insert into source values (null, 'n')")
    query(
        "create streaming table t (id int, name string, "
        "constraint known expect (id is not null) on violation drop row, "
        "constraint small expect (id < 2)) as select * from stream source"
    )

    assert query("select id from t order by id") == [(1,), (2,)]
    (refresh,) = refreshes(query, "t")
    assert refresh["expectations"] == [
        {"name": "known", "dataset": "t", "passed_records": 2, "failed_records": 1},
        {"name": "small", "dataset": "t", "passed_records": 1, "failed_records": 2},
    ]
    assert refresh["dropped_records"] == 1


def test_fail_update_applies_nothing_and_names_the_expectation(query: Query, source: str) -> None:
    statement = (
        "create or refresh streaming table t (id int, name string, "
        "constraint small expect (id < 3) on violation fail update) as select * from stream source"
    )
    query(statement)
    query("insert into source values (3, 'c'), (1, 'again')")
    with pytest.raises(databricks_local.Error, match="expectation small is broken"):
        query(statement)

    assert query("select count(*) from t") == [(2,)]


def test_columns_comments_and_properties_are_what_the_last_statement_says(query: Query, source: str) -> None:
    query(
        "create or refresh streaming table t (id int comment 'the key', name string) comment 'first' "
        "tblproperties ('team' = 'crm', 'old' = '1') as select * from stream source"
    )
    query(
        "create or refresh streaming table t (id int, name string comment 'who') "
        "tblproperties ('team' = 'growth') as select * from stream source"
    )

    columns = {name: comment for name, _, comment in query("describe table t")}
    assert (columns["id"] or "", columns["name"]) == ("", "who")
    properties = dict(query("show tblproperties t"))
    assert properties["team"] == "growth"
    assert "old" not in properties


def test_a_column_list_must_cover_the_query(query: Query, source: str) -> None:
    with pytest.raises(databricks_local.ProgrammingError, match="not in the list: name"):
        query("create streaming table t (id int) as select * from stream source")


def test_declared_types_cast_what_the_query_gives(query: Query, source: str) -> None:
    query("create streaming table t (id bigint, name string) as select * from stream source")

    assert query("select typeof(id) from t limit 1") == [("bigint",)]


def test_a_declared_not_null_refuses_nulls(query: Query, source: str) -> None:
    query("insert into source values (null, 'n')")
    with pytest.raises(databricks_local.Error, match="NOT NULL"):
        query("create streaming table t (id int not null, name string) as select * from stream source")


def test_odd_names_are_kept(query: Query) -> None:
    query(
        "create table odd (`a b` int, `select` string, `x.y` int) tblproperties ('delta.columnMapping.mode' = 'name')"
    )
    query("insert into odd values (1, 'q', 2)")
    query("create streaming table t as select * from stream odd")

    assert query("select `a b`, `select`, `x.y` from t") == [(1, "q", 2)]


def test_a_materialized_view_cannot_be_streamed(query: Query, source: str) -> None:
    query("create materialized view m as select * from source")
    with pytest.raises(databricks_local.NotSupportedError, match="materialized view"):
        query("create streaming table t as select * from stream m")


def test_an_auto_cdc_target_cannot_be_streamed(query: Query, source: str) -> None:
    query("create streaming table c flow auto cdc from stream(source) keys (id) sequence by id")
    with pytest.raises(databricks_local.NotSupportedError, match="AUTO CDC"):
        query("create streaming table t as select * from stream c")


def test_schedules_are_checked(query: Query, source: str) -> None:
    query("create streaming table t schedule every 2 hours as select id from stream source")
    with pytest.raises(databricks_local.ProgrammingError, match="1 to 72 HOURS"):
        query("create streaming table u schedule every 100 hours as select id from stream source")
