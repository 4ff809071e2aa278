"""ANALYZE: what it checks, and what it leaves to Delta's own statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import NotSupportedError, ProgrammingError

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def table(query: Query) -> None:
    """A Delta table with a row."""
    query("create table t (id int, `my name` string) tblproperties ('delta.columnMapping.mode' = 'name')")
    query("insert into t values (1, 'a')")


def test_a_delta_table_is_analyzed(query: Query, schema: str) -> None:
    before = len(query("describe history t"))
    for statement in (
        "analyze table t compute statistics",
        f"analyze table {schema}.t compute statistics noscan",
        f"analyze table `spark_catalog`.{schema}.`t` compute statistics for all columns;",
        "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS ID, `my name`",
        "analyze table t compute delta statistics",
        "analyze table t compute delta statistics for columns id",
        "analyze tables compute statistics",
        f"analyze tables in {schema} compute statistics noscan",
        f"analyze tables from spark_catalog.{schema} compute statistics",
    ):
        assert query(statement) == []
    assert len(query("describe history t")) == before


def test_what_is_not_there_is_named(query: Query) -> None:
    for statement, condition, named in (
        ("analyze table nope compute statistics", "TABLE_OR_VIEW_NOT_FOUND", "nope"),
        ("analyze table t compute statistics for columns id, nope", "UNRESOLVED_COLUMN", "nope"),
        ("analyze tables in nope compute statistics", "SCHEMA_NOT_FOUND", "nope"),
        ("analyze table t compute statistics of something", "PARSE_SYNTAX_ERROR", "of"),
        ("analyze table t compute statistics for id", "PARSE_SYNTAX_ERROR", "id"),
        ("analyze table t", "PARSE_SYNTAX_ERROR", "COMPUTE"),
    ):
        with pytest.raises(ProgrammingError, match=named) as error:
            query(statement)
        assert error.value.error_class == condition


def test_what_cannot_be_analyzed_is_refused(query: Query) -> None:
    query("create view v as select id from t")
    query("create materialized view mv as select id from t")
    query("create streaming table st as select id from stream t")
    for statement, condition in (
        ("analyze table v compute statistics", "UNSUPPORTED_FEATURE.ANALYZE_VIEW"),
        ("analyze table mv compute statistics", "MATERIALIZED_VIEW_OPERATION_NOT_ALLOWED"),
        ("analyze table st compute statistics noscan", "STREAMING_TABLE_OPERATION_NOT_ALLOWED"),
        ("analyze table t partition (id = 1) compute statistics", "UNSUPPORTED_FEATURE.ANALYZE_PARTITION"),
        ("analyze table t compute storage metrics", "UNSUPPORTED_STATEMENT.ANALYZE_TABLE_COMPUTE_STORAGE_METRICS"),
    ):
        with pytest.raises(NotSupportedError) as error:
            query(statement)
        assert error.value.error_class == condition


def test_a_table_of_another_format_is_analyzed_by_spark(query: Query) -> None:
    query("create table p using parquet as select 1 as id")
    query("analyze table p compute statistics")
    with pytest.raises(ProgrammingError, match="p is no Delta table"):
        query("analyze table p compute delta statistics")
