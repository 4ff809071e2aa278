"""Masks, row filters and identity for a connection opened with `principal=`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from databricks_local import groups

from .customers import ANN, BOB, CLEAR, MASKED

Query = Callable[..., list[tuple[Any, ...]]]
QueryAs = Callable[[str, str], list[tuple[Any, ...]]]


@pytest.mark.usefixtures("customers")
def test_a_mask_hides_from_a_principal_what_group_members_and_the_owner_see(query: Query, query_as: QueryAs) -> None:
    statement = "select * from customers order by id"
    assert query_as(ANN, statement) == MASKED
    assert query_as(BOB, statement) == CLEAR
    assert query(statement) == CLEAR


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize(
    "statement",
    [
        "select c.* from customers c order by id",
        "select customers.id, customers.region, customers.email from customers order by 1",
        "with customers as (select * from customers) select * from customers order by id",
        "select * from (select * from customers) order by id",
        "select a.* from customers a, customers b where a.id = b.id order by a.id",
        "select a.* from (values (1), (2)) as v(i) join customers as a on a.id = v.i order by id",
        "select * from customers where id in (select id from customers) order by id",
        "select * from seen order by id",
        "select * from seen_twice order by id",
        "select * from `customers` /* from nothing */ order by id",
        "table customers",
        "select id, region, email from customers union select * from customers order by id",
    ],
)
def test_no_shape_of_a_query_gets_around_a_mask(query: Query, query_as: QueryAs, statement: str) -> None:
    query("create view seen as select * from customers")
    query("create view seen_twice as with s as (select * from seen) select * from s")
    assert sorted(query_as(ANN, statement)) == MASKED


@pytest.mark.usefixtures("customers")
def test_a_temporary_view_of_the_principal_is_masked_too(query_as: QueryAs) -> None:
    query_as(ANN, "create temporary view mine as select * from customers")
    assert query_as(ANN, "select * from mine order by id") == MASKED


@pytest.mark.usefixtures("customers")
def test_a_copy_made_by_a_principal_holds_masked_values(query: Query, query_as: QueryAs) -> None:
    query("create table target (id int, region string, email string)")
    query_as(ANN, "insert into target select * from customers")
    assert query("select * from target order by id") == MASKED
    query_as(ANN, "create table made as select * from customers")
    assert query("select * from made order by id") == MASKED


@pytest.mark.usefixtures("customers")
def test_a_row_filter_keeps_the_rows_of_the_principals_region(query: Query, query_as: QueryAs) -> None:
    query("create function in_region(region string) returns boolean return is_member(region)")
    query("alter table customers set row filter in_region on (region)")
    assert query_as(ANN, "select id from customers") == [(1,)]
    assert query_as(BOB, "select count(*) from customers") == [(0,)]
    assert query("select count(*) from customers") == [(2,)]
    query("alter table customers drop row filter")
    assert query_as(ANN, "select count(*) from customers") == [(2,)]


@pytest.mark.usefixtures("customers")
def test_a_mask_may_look_into_a_table_and_at_another_column(query: Query, query_as: QueryAs) -> None:
    query("create table allowed (who string, region string)")
    query(f"insert into allowed values ('{ANN}', 'north')")
    query(
        "create or replace function mask_email(email string, area string) returns string return "
        "case when exists (select 1 from allowed a "
        "where a.who = session_user() and a.region = area) "
        "then email else 'hidden' end"
    )
    query("alter table customers alter column email set mask mask_email using columns (region)")
    assert query_as(ANN, "select email from customers order by id") == [
        ("ann@x.example",),
        ("hidden",),
    ]
    assert query_as(BOB, "select distinct email from customers") == [("hidden",)]


@pytest.mark.usefixtures("customers")
def test_a_function_that_calls_one_that_asks_is_answered_for_the_principal(query: Query, query_as: QueryAs) -> None:
    query("create function supports() returns boolean return is_member('support')")
    query("create or replace function mask_email(email string) returns string return if(supports(), email, 'hidden')")
    assert query_as(BOB, "select email from customers where id = 1") == [("ann@x.example",)]
    assert query_as(ANN, "select email from customers where id = 1") == [("hidden",)]
    assert query_as(BOB, "select supports()") == [(True,)]


@pytest.mark.usefixtures("customers")
def test_a_dynamic_view_answers_for_who_reads_it(query: Query, query_as: QueryAs, schema: str) -> None:
    text = "select id, if(is_account_group_member('support'), region, '-') as region from customers"
    query(f"create view dynamic as {text}")
    assert query_as(ANN, "select * from dynamic order by id") == [(1, "-"), (2, "-")]
    assert query_as(BOB, "select * from dynamic order by id") == [(1, "north"), (2, "south")]
    shown = query(f"select view_definition from information_schema.views where table_schema = '{schema}'")
    assert shown == [(text,)]


def test_identity_functions_answer_with_the_principal(query_as: QueryAs, warehouse: Path) -> None:
    groups.set_groups(warehouse, {"g": [ANN.upper()]})
    rows = query_as(
        ANN,
        "select current_user(), session_user(), current_user, is_member('g'), "
        "is_account_group_member('h'), 'current_user()', 1 as current_user",
    )
    assert rows == [(ANN, ANN, ANN, True, False, "current_user()", 1)]


@pytest.mark.usefixtures("customers")
def test_masks_and_filters_are_listed_as_dbt_databricks_reads_them(query: Query, schema: str) -> None:
    from .dbt_macros import Relation, render

    relation = Relation(schema, "customers")
    masks = render("relations/components/column_mask.sql", "fetch_column_masks_sql", relation)
    assert query(masks) == [("email", f"spark_catalog.{schema}.mask_email", None)]
    query("create function in_region(region string) returns boolean return true")
    query("alter table customers set row filter in_region on (region)")
    filters = render("relations/components/row_filter.sql", "fetch_row_filters_sql", relation)
    assert query(filters) == [("spark_catalog", schema, "customers", f"spark_catalog.{schema}.in_region", "region")]
    query("alter table customers alter column `email` drop mask")
    assert query(masks) == []


def test_a_streaming_table_refreshes_as_its_owner_and_stores_clear_values(query: Query, query_as: QueryAs) -> None:
    query("create table source (id int, v string)")
    query("insert into source values (1, 'secret')")
    query("create function hide(v string) returns string return 'hidden'")
    query("alter table source alter column v set mask hide")
    query("create streaming table st (id int, v string mask hide) as select id, v from stream source")
    assert query("select v from st") == [("secret",)]
    assert query_as(ANN, "select v from st") == [("hidden",)]
