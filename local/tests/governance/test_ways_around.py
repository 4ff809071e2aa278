"""Ways around a mask: what a principal is refused, by name, as Databricks refuses it.

https://docs.databricks.com/aws/en/data-governance/unity-catalog/filters-and-masks/#limitations
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from databricks_local.errors import NotSupportedError, ProgrammingError

from .customers import ANN, BOB, CLEAR, MASKED

Query = Callable[..., list[tuple[Any, ...]]]
QueryAs = Callable[[str, str], list[tuple[Any, ...]]]

pytestmark = pytest.mark.usefixtures("customers")


@pytest.fixture
def directory(warehouse: Path, schema: str) -> str:
    """Where the fixture's table is."""
    return f"{warehouse}/{schema}.db/customers"


def test_the_past_and_the_copies_of_a_masked_table_are_refused_to_a_principal(query: Query, query_as: QueryAs) -> None:
    for statement, condition in (
        ("select * from customers version as of 0", "TIME_TRAVEL"),
        ("select * from customers timestamp as of '2020-01-01'", "TIME_TRAVEL"),
        ("select * from customers@v0", "TIME_TRAVEL"),
        ("create table copied as select * from customers for version as of 0", "TIME_TRAVEL"),
        ("create materialized view copied as select * from customers version as of 0", "TIME_TRAVEL"),
        ("describe history customers", "DESCRIBE_HISTORY"),
        ("desc history `customers` limit 1", "DESCRIBE_HISTORY"),
        ("select * from table_changes('customers', 0)", "CHANGE_FEED"),
        ("select * from `table_changes`('`customers`', 0)", "CHANGE_FEED"),
        ("create table copied shallow clone customers", "CLONE"),
        ("create table copied deep clone customers", "CLONE"),
        ("create or replace table copied clone customers version as of 0", "CLONE"),
    ):
        with pytest.raises(NotSupportedError, match=r"customers has a column mask or a row filter") as error:
            query_as(BOB, statement)
        assert error.value.error_class == f"ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED.{condition}"
    assert query("show tables like 'copied'") == []


def test_what_has_no_mask_keeps_its_history_and_is_cloned(query: Query, query_as: QueryAs) -> None:
    query("create table plain (id int) tblproperties ('delta.enableChangeDataFeed' = 'true')")
    query("insert into plain values (1)")
    assert len(query_as(ANN, "describe history plain")) == 2
    assert query_as(ANN, "select count(*) from plain version as of 0") == [(0,)]
    assert query_as(ANN, "select id from table_changes('plain', 1)") == [(1,)]
    query_as(ANN, "create table copied deep clone plain")
    assert query("select * from copied") == [(1,)]


def test_a_name_that_is_hidden_from_the_reader_is_refused(query_as: QueryAs) -> None:
    for statement in (
        "select * from identifier('customers')",
        "select * from table_changes('cust' || 'omers', 0)",
        "select * from table_changes('cust' 'omers', 0)",
        "execute immediate 'select * from customers'",
        "begin execute immediate 'select * from customers'; end",
    ):
        with pytest.raises(NotSupportedError, match="must name it"):
            query_as(ANN, statement)


def test_a_variable_holds_what_the_principal_may_read(query_as: QueryAs) -> None:
    query_as(ANN, "declare variable found string")
    query_as(ANN, "set variable found = (select max(email) from customers)")
    assert query_as(ANN, "select found") == [("hidden",)]


def test_a_function_of_a_principal_reads_what_the_principal_may_read(query: Query, query_as: QueryAs) -> None:
    text = "returns string return (select max(c.email) from customers c)"
    query_as(ANN, f"create function anns() {text}")
    query(f"create function ours() {text}")
    assert query_as(ANN, "select anns(), ours()") == [("hidden", "bob@x.example")]
    assert query_as(BOB, "select anns()") == [("bob@x.example",)]
    query_as(ANN, "create materialized view mv as select anns() as found")
    assert query("select * from mv") == [("hidden",)]


_READS = [
    "select * from delta.`{}`",
    "select * from delta.`file:{}`",
    "select * from `parquet`.`{}`",
    "select * from binaryFile.`{}/*.parquet`",
    "select * from read_files('{}', format => 'parquet')",
    "select * from read_files('file://{}/*.parquet')",
    "select * from read_files(path => '{}/../customers/')",
    "create streaming table st as select * from stream read_files('{}', format => 'parquet')",
    "create materialized view mv as select * from parquet.`{}`",
    "create temporary view seen using parquet options (path '{}')",
    "create temporary view seen as select * from read_files('{}', format => 'parquet')",
    "create table made using delta location '{}'",
    "create table copied shallow clone delta.`{}`",
    "copy into target from '{}' fileformat = parquet",
    "copy into target from '/tmp' fileformat = parquet files = ('{}/part.parquet')",
    "describe history delta.`{}`",
    "describe history '{}'",
    "select * from table_changes_by_path('{}', 0)",
]


def test_no_path_stands_for_a_masked_table(query: Query, query_as: QueryAs, directory: str) -> None:
    query("create table target (id int, region string, email string)")
    for statement in _READS:
        with pytest.raises(NotSupportedError, match=r"PATH_OF_GOVERNED_TABLE.*customers"):
            query_as(ANN, statement.format(directory))
    assert query("select count(*) from target") == [(0,)]


def test_no_path_stands_for_a_table_without_a_mask_either(query: Query, query_as: QueryAs, warehouse: Path) -> None:
    query("create table plain (id int)")
    path = query("describe detail plain")[0][4].removeprefix("file:")
    assert path.startswith(str(warehouse))
    with pytest.raises(NotSupportedError, match="PATH_OF_GOVERNED_TABLE"):
        query_as(ANN, f"select * from delta.`{path}`")
    assert query(f"select * from delta.`{path}`") == []


def test_no_glob_link_or_parent_leads_to_a_table(
    query_as: QueryAs, warehouse: Path, directory: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(warehouse)
    below = os.path.relpath(directory, warehouse)
    for path in (
        f"{warehouse.parent}/*/{below}",
        f"{warehouse.parent}/{{x,{warehouse.name}}}/{below}",
        f"{tmp_path}/link/{below}",
        f"{os.path.relpath(directory)}",
        f"{warehouse.parent}",
    ):
        with pytest.raises(NotSupportedError, match="PATH_OF_GOVERNED_TABLE"):
            query_as(ANN, f"select * from read_files('{path}', format => 'parquet')")


def test_no_path_stands_for_a_masked_table_outside_of_the_warehouse(
    query: Query, query_as: QueryAs, tmp_path: Path
) -> None:
    query(f"create table outside using delta location '{tmp_path}/outside' as select * from customers")
    path = f"select * from delta.`{tmp_path}/outside`"
    assert sorted(query_as(ANN, path)) == CLEAR
    query("alter table outside alter column email set mask mask_email")
    with pytest.raises(NotSupportedError, match="PATH_OF_GOVERNED_TABLE"):
        query_as(ANN, path)
    assert sorted(query_as(ANN, "select * from outside")) == MASKED


def test_a_principal_reads_files_that_no_table_governs(query: Query, query_as: QueryAs, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "one.json").write_text('{"id": 1}')
    assert query_as(ANN, f"select id from read_files('{tmp_path}/landing', format => 'json')") == [(1,)]
    assert query_as(ANN, f"select id from json.`{tmp_path}/landing`") == [(1,)]
    query("create table target (id bigint)")
    query_as(ANN, f"copy into target from '{tmp_path}/landing' fileformat = json")
    assert query("select * from target") == [(1,)]


def test_a_schema_called_after_a_format_is_a_schema(query: Query, query_as: QueryAs) -> None:
    query("create schema json")
    try:
        query("create table json.docs as select 1 as id")
        assert query_as(ANN, "select * from json.docs") == [(1,)]
    finally:
        query("drop schema json cascade")


def test_a_missing_table_is_still_called_missing(query_as: QueryAs) -> None:
    with pytest.raises(ProgrammingError, match="TABLE_OR_VIEW_NOT_FOUND"):
        query_as(ANN, "select * from nowhere.customers")
