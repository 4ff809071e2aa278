"""The views of information_schema against tables that were really made."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from databricks_local.errors import ProgrammingError

from .dbt_macros import Relation, render

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def objects(query: Query) -> None:
    """One relation of each kind."""
    query("create table plain (id bigint not null comment 'key', d decimal(10,2), p string) "
          "partitioned by (p) comment 'a table'")  # fmt: skip
    query("create view seen comment 'a view' as select id, d from plain")
    query("create streaming table streamed as select id, p from stream plain")
    query("create materialized view kept as select id, count(*) as n from plain group by id")
    query("create table shallow shallow clone plain")


@pytest.mark.usefixtures("objects")
def test_dbt_databricks_finds_every_relation_with_its_type(query: Query, schema: str) -> None:
    rows = query(render("adapters/metadata.sql", "get_uc_tables_sql", Relation(schema, "")))
    found = {name: (kind, file_format, detail) for name, kind, file_format, _, detail in rows}
    assert found == {
        "plain": ("table", "delta", "managed"),
        "seen": ("view", None, None),
        "streamed": ("streaming_table", "delta", None),
        "kept": ("materialized_view", "delta", None),
        "shallow": ("table", "delta", "managed_shallow_clone"),
    }


@pytest.mark.usefixtures("objects")
def test_columns_are_those_of_the_delta_log(query: Query, schema: str) -> None:
    rows = query(
        "select column_name, ordinal_position, is_nullable, full_data_type, data_type, "
        "numeric_scale, "
        "partition_index, comment from information_schema.columns "
        f"where table_schema = '{schema}' and table_name = 'plain' order by 2"
    )
    assert rows == [
        ("id", 1, "NO", "bigint", "BIGINT", 0, None, "key"),
        ("d", 2, "YES", "decimal(10,2)", "DECIMAL", 2, None, None),
        ("p", 3, "YES", "string", "STRING", None, 0, None),
    ]


@pytest.mark.usefixtures("objects")
def test_a_column_added_later_is_there(query: Query, schema: str) -> None:
    counted = (
        f"select count(*) from information_schema.columns where table_schema = '{schema}' and table_name = 'plain'"
    )
    assert query(counted) == [(3,)]
    query("alter table plain add columns (v varchar(7))")
    assert query(counted) == [(4,)]
    query("create or replace table plain (only_one int)")
    assert query(counted) == [(1,)]
    query("drop table plain")
    assert query(counted) == [(0,)]
    query("create table plain (a int, b int)")
    assert query(counted) == [(2,)]


@pytest.mark.usefixtures("objects")
def test_a_view_and_a_materialized_view_show_the_query_as_written(query: Query, schema: str) -> None:
    definitions = {}
    for name in ("seen", "kept"):
        statement = render("adapters/metadata.sql", "get_view_description_sql", Relation(schema, name))
        ((_, _, _, definition, *_),) = query(statement)
        definitions[name] = definition
    assert definitions == {
        "seen": "select id, d from plain",
        "kept": "select id, count(*) as n from plain group by id",
    }


@pytest.mark.usefixtures("objects")
def test_dbt_docs_gets_tables_with_columns_and_comments(query: Query, schema: str) -> None:
    tables = render("adapters/catalog.sql", "databricks__get_catalog_tables_sql", None)
    columns = render("adapters/catalog.sql", "databricks__get_catalog_columns_sql", None)
    where = render("adapters/catalog.sql", "databricks__get_catalog_schemas_where_clause_sql",
                   "spark_catalog", [("spark_catalog", schema)])  # fmt: skip
    results = render("adapters/catalog.sql", "databricks__get_catalog_results_sql")
    rows = query(f"with tables as ({tables} {where}), columns as ({columns} {where}) {results}")
    assert {(row[2], row[4]) for row in rows} >= {("plain", "a table"), ("seen", "a view")}
    assert sum(row[2] == "plain" for row in rows) == 3


@pytest.mark.usefixtures("objects")
def test_last_altered_is_the_last_commit_of_the_table(query: Query, schema: str) -> None:
    statement = render("adapters/metadata.sql", "get_relation_last_modified_sql",
                       Relation("information_schema", ""), [Relation(schema, "plain")])  # fmt: skip
    ((_, _, before, _),) = query(statement)
    query("insert into plain values (1, 1, 'x')")
    ((_, _, after, now),) = query(statement)
    assert before < after <= now
    assert datetime.now(UTC) - after.astimezone(UTC) < timedelta(minutes=1)


def test_quoted_and_unquoted_names_in_any_case_are_the_same_view(query: Query, schema: str) -> None:
    query("create table t (id int)")
    where = f"where table_schema = '{schema}'"
    for name in (
        "`system`.`information_schema`.`tables`",
        "SPARK_CATALOG.INFORMATION_SCHEMA.TABLES",
        "information_schema.tables",
    ):
        assert query(f"select table_name from {name} {where}") == [("t",)]


def test_a_column_of_that_name_is_left_alone(query: Query) -> None:
    rows = query(
        "select information_schema.tables, 'from information_schema.tables' from "
        "(select named_struct('tables', 1) as information_schema)"
    )
    assert rows == [(1, "from information_schema.tables")]


def test_an_unknown_view_is_named(query: Query) -> None:
    with pytest.raises(ProgrammingError, match=r"TABLE_OR_VIEW_NOT_FOUND.*information_schema.tabels"):
        query("select * from information_schema.tabels")


def test_every_view_can_be_read(query: Query) -> None:
    from databricks_local.execution.information_schema import _VIEWS

    for name in _VIEWS:
        query(f"select * from system.information_schema.{name}")


def test_forty_tables_are_listed_in_a_fraction_of_a_second(query: Query, schema: str) -> None:
    for number in range(40):
        query(f"create table t{number} (id int, v string)")
    statement = render("adapters/metadata.sql", "get_uc_tables_sql", Relation(schema, ""))
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        assert len(query(statement)) == 40
        seconds.append(time.perf_counter() - started)
    print("information_schema.tables of 40:", [round(s, 3) for s in seconds])
    assert min(seconds) < 1
