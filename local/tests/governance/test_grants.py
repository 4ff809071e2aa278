"""GRANT, REVOKE and SHOW GRANTS, as dbt's grants config uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import NotSupportedError, ProgrammingError

Query = Callable[..., list[tuple[Any, ...]]]


def test_show_grants_lists_what_was_granted_and_not_revoked(query: Query, schema: str) -> None:
    query("create table t (id int)")
    query(f"grant select on `spark_catalog`.`{schema}`.`t` to `ann@bank.example`, analysts")
    query("grant select, modify on table t to `bob@bank.example`")
    query("revoke select on t from analysts")
    key = f"spark_catalog.{schema}.t"
    assert query(f"show grants on `spark_catalog`.`{schema}`.`t`") == [
        ("ann@bank.example", "SELECT", "TABLE", key),
        ("bob@bank.example", "MODIFY", "TABLE", key),
        ("bob@bank.example", "SELECT", "TABLE", key),
    ]
    assert query("show grants `ann@bank.example` on table t") == [("ann@bank.example", "SELECT", "TABLE", key)]


def test_a_grant_on_the_schema_is_shown_on_its_tables_as_inherited(query: Query, schema: str) -> None:
    query("create view v as select 1 as id")
    query(f"grant use schema, select on schema {schema} to analysts")
    assert ("analysts", "SELECT", "SCHEMA", f"spark_catalog.{schema}") in query("show grants on v")
    rows = query(
        "select grantee, privilege_type from information_schema.schema_privileges "
        f"where schema_name = '{schema}' order by 2"
    )
    assert rows == [("analysts", "SELECT"), ("analysts", "USE SCHEMA")]


def test_the_columns_are_those_that_dbt_databricks_standardizes(query: Query, connection: Any) -> None:
    query("create table t (id int)")
    with connection.cursor() as cursor:
        cursor.execute("show grants on t")
        names = [column[0] for column in cursor.description]
    assert names == ["Principal", "ActionType", "ObjectType", "ObjectKey"]


def test_a_word_that_is_no_privilege_is_named(query: Query) -> None:
    query("create table t (id int)")
    with pytest.raises(ProgrammingError, match=r"INVALID_PRIVILEGE\] SELCT is no privilege"):
        query("grant selct on t to ann")


def test_a_grant_on_a_missing_table_fails(query: Query) -> None:
    with pytest.raises(ProgrammingError, match="TABLE_OR_VIEW_NOT_FOUND"):
        query("grant select on nothing_here to ann")


def test_a_securable_of_the_account_is_refused_by_name(query: Query) -> None:
    with pytest.raises(NotSupportedError, match="EXTERNAL is a securable of an account"):
        query("grant read volume on external location landing to ann")


def test_an_owner_is_shown_by_information_schema_and_describe(query: Query, schema: str) -> None:
    query("create table t (id int)")
    query("alter table t owner to `team@bank.example`")
    rows = query(
        f"select table_owner from information_schema.tables where table_schema = '{schema}' and table_name = 't'"
    )
    assert rows == [("team@bank.example",)]
    assert ("Owner", "team@bank.example", "") in query("describe extended t")
