"""Tags of tables, views, columns and schemas: what information_schema then shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import ProgrammingError

Query = Callable[..., list[tuple[Any, ...]]]


def test_a_table_has_the_tags_that_were_set_and_not_those_unset(query: Query, schema: str) -> None:
    query("create table t (id int)")
    query("alter table t set tags ('domain' = 'retail', 'pii', `quoted` = 'it''s')")
    query("alter table t set tags ('domain' = 'private')")
    query("alter table t unset tags ('pii')")
    rows = query(
        "select tag_name, tag_value from system.information_schema.table_tags "
        f"where schema_name = '{schema}' and table_name = 't' order by 1"
    )
    assert rows == [("domain", "private"), ("quoted", "it's")]


def test_a_column_tag_is_found_by_the_name_in_any_case_and_shown_as_the_column_is_written(
    query: Query, schema: str
) -> None:
    query("create table t (`Customer Id` int) tblproperties ('delta.columnMapping.mode' = 'name')")
    query("ALTER TABLE t ALTER COLUMN `customer id` SET TAGS ('pii' = 'id')")
    rows = query(
        f"select column_name, tag_name, tag_value from information_schema.column_tags where schema_name = '{schema}'"
    )
    assert rows == [("Customer Id", "pii", "id")]


def test_alter_table_tags_a_column_of_a_view_as_dbt_databricks_does(query: Query, schema: str) -> None:
    query("create view v as select 1 as id")
    query("alter table v alter column `id` set tags ('k' = 'v')")
    query("alter view v set tags ('layer' = 'gold')")
    assert query(f"select tag_name from information_schema.column_tags where schema_name = '{schema}'") == [("k",)]
    assert query(f"select tag_name from information_schema.table_tags where schema_name = '{schema}'") == [("layer",)]


def test_schema_tags_and_set_tag_on(query: Query, schema: str) -> None:
    query(f"alter schema {schema} set tags ('owner' = 'crm')")
    query(f"set tag on schema {schema} cost_center = '42'")
    rows = query(
        f"select tag_name, tag_value from information_schema.schema_tags where schema_name = '{schema}' order by 1"
    )
    assert rows == [("cost_center", "42"), ("owner", "crm")]
    query(f"unset tag on schema {schema} owner")
    rows = query(f"select tag_name from information_schema.schema_tags where schema_name = '{schema}'")
    assert rows == [("cost_center",)]


def test_tags_follow_a_renamed_column_and_go_with_a_dropped_one(query: Query, schema: str) -> None:
    query("create table t (a int, b int) tblproperties ('delta.columnMapping.mode' = 'name')")
    query("alter table t alter column a set tags ('k' = 'a')")
    query("alter table t alter column b set tags ('k' = 'b')")
    query("alter table t rename column a to c")
    query("alter table t drop columns (b)")
    rows = query(f"select column_name, tag_value from information_schema.column_tags where schema_name = '{schema}'")
    assert rows == [("c", "a")]


def test_a_dropped_table_takes_its_tags_along(query: Query, schema: str) -> None:
    query("create table t (id int)")
    query("alter table t set tags ('k' = 'v')")
    query("drop table t")
    query("create table t (id int)")
    assert query(f"select * from information_schema.table_tags where schema_name = '{schema}'") == []


def test_a_column_that_is_not_there_cannot_be_tagged(query: Query) -> None:
    query("create table t (id int)")
    with pytest.raises(ProgrammingError, match=r"UNRESOLVED_COLUMN.*no column ix; it has id"):
        query("alter table t alter column ix set tags ('k' = 'v')")


def test_the_fifty_first_tag_is_refused(query: Query, schema: str) -> None:
    query("create table t (id int)")
    fifty = ", ".join(f"'k{number}' = 'v'" for number in range(50))
    query(f"alter table t set tags ({fifty})")
    with pytest.raises(ProgrammingError, match="TOO_MANY_TAGS"):
        query("alter table t set tags ('one_more' = 'v')")
    found = query(f"select count(*) from information_schema.table_tags where schema_name = '{schema}'")
    assert found == [(50,)]
