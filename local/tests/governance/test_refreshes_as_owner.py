"""Materialized views and streaming tables of a principal: their refreshes read what their owner may read."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import NotSupportedError

from .customers import ANN, BOB, CLEAR, MASKED

Query = Callable[..., list[tuple[Any, ...]]]
QueryAs = Callable[[str, str], list[tuple[Any, ...]]]

pytestmark = pytest.mark.usefixtures("customers")


def test_a_materialized_view_of_a_principal_stores_what_the_principal_may_read(query: Query, query_as: QueryAs) -> None:
    statement = "materialized view {} as select *, session_user() as who from customers"
    query_as(ANN, f"create {statement.format('anns')}")
    query_as(BOB, f"create {statement.format('bobs')}")
    assert query("select * from anns order by id") == [(*row, ANN) for row in MASKED]
    assert query("select * from bobs order by id") == [(*row, BOB) for row in CLEAR]
    assert ("Owner", ANN, "") in query("describe extended anns")


@pytest.mark.parametrize("kind", ["materialized view", "streaming table"])
def test_only_its_owner_changes_what_a_refresh_reads(query: Query, query_as: QueryAs, kind: str) -> None:
    create = f"create or {'replace' if kind == 'materialized view' else 'refresh'} {kind}"
    source = "customers" if kind == "materialized view" else "stream customers"
    query(f"{create} ours as select id from {source}")
    query_as(BOB, f"{create} bobs as select id from {source}")
    for name, owner in (("ours", getpass.getuser()), ("bobs", BOB)):
        with pytest.raises(NotSupportedError, match=rf"PERMISSION_DENIED.*{ANN} .*{name}, which {owner} owns"):
            query_as(ANN, f"{create} {name} as select id, email from {source}")
    query_as(BOB, f"{create} bobs as select id, 'by bob' as v from {source}")
    query_as(ANN, f"create {kind} if not exists ours as select id, email from {source}")
    assert query("select * from ours order by id") == [(1,), (2,)]


def test_whoever_refreshes_a_materialized_view_it_is_refreshed_as_its_owner(query: Query, query_as: QueryAs) -> None:
    query("create materialized view ours as select id, email, is_member('support') as supports from customers")
    query_as(ANN, "create materialized view anns as select id, email from customers")
    query("insert into customers values (3, 'north', 'eve@x.example')")
    query_as(ANN, "refresh materialized view ours")
    query("refresh materialized view anns")
    assert query("select * from ours where id = 3") == [(3, "eve@x.example", False)]
    assert query("select * from anns where id = 3") == [(3, "hidden")]
    query(f"alter materialized view anns set owner to `{BOB}`")
    query("refresh materialized view anns")
    assert query("select * from anns where id = 3") == [(3, "eve@x.example")]


def test_a_materialized_view_of_a_principal_has_only_the_rows_of_its_owner(query: Query, query_as: QueryAs) -> None:
    query("create function in_region(region string) returns boolean return is_member(region)")
    query("alter table customers set row filter in_region on (region)")
    query_as(ANN, "create materialized view anns as select c.id from customers c join customers on true")
    assert query("select * from anns") == [(1,)]


def test_a_streaming_table_of_a_principal_stores_what_the_principal_may_read(query: Query, query_as: QueryAs) -> None:
    query("create function in_region(region string) returns boolean return is_member(region)")
    query("alter table customers set row filter in_region on (region)")
    query_as(ANN, "create streaming table anns as select id, email, session_user() as who from stream customers c")
    assert query("select * from anns") == [(1, "hidden", ANN)]
    query("insert into customers values (3, 'north', 'eve@x.example'), (4, 'south', 'joe@x.example')")
    query("refresh streaming table anns")
    assert query("select * from anns order by id") == [(1, "hidden", ANN), (3, "hidden", ANN)]


def test_a_mask_that_looks_into_a_table_applies_to_a_stream(query: Query, query_as: QueryAs) -> None:
    query("create table allowed (who string, region string)")
    query(f"insert into allowed values ('{ANN}', 'north')")
    query(
        "create or replace function mask_email(email string, area string) returns string return case when exists "
        "(select 1 from allowed a where a.who = session_user() and a.region = area) then email else 'hidden' end"
    )
    query("alter table customers alter column email set mask mask_email using columns (region)")
    query_as(ANN, "create streaming table anns as select id, email from stream(customers)")
    assert query("select * from anns order by id") == [(1, "ann@x.example"), (2, "hidden")]


def test_a_streaming_table_stays_its_owners_whoever_changes_it(query: Query, query_as: QueryAs) -> None:
    statement = "create or refresh streaming table st as select id, email from stream customers"
    query_as(ANN, statement)
    query("insert into customers values (3, 'north', 'eve@x.example')")
    query(statement)
    query("insert into customers values (4, 'north', 'joe@x.example')")
    query(f"{statement} where id > 0")
    assert query("select distinct email from st") == [("hidden",)]
    query(f"alter streaming table st set owner to `{getpass.getuser()}`")
    query_as(ANN, "refresh streaming table st full")
    assert query("select count(*) from st where email <> 'hidden'") == [(4,)]


def test_an_auto_cdc_table_of_a_principal_stores_what_the_principal_may_read(query: Query, query_as: QueryAs) -> None:
    query_as(
        ANN,
        "create streaming table latest flow auto cdc from stream(customers) keys (id) sequence by id "
        "columns * except (region) stored as scd type 1",
    )
    assert query("select * from latest order by id") == [(1, "hidden"), (2, "hidden")]


def test_the_change_feed_of_a_masked_table_is_not_streamed_to_a_principal(query: Query, query_as: QueryAs) -> None:
    query("alter table customers set tblproperties ('delta.enableChangeDataFeed' = 'true')")
    statement = "create streaming table st as select * from stream customers with (readChangeFeed = true)"
    with pytest.raises(NotSupportedError, match=r"CHANGE_FEED.*customers has a column mask"):
        query_as(ANN, statement)
    assert query("show tables like 'st'") == []
