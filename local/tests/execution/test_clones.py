"""CREATE OR REPLACE TABLE … CLONE: what a clone may take the place of."""

from __future__ import annotations

import pytest
from querying import Query

from databricks_local.errors import DatabaseError, NotSupportedError


@pytest.fixture
def clone(query: Query) -> None:
    """A shallow clone `c` of `t`, which has two rows; another table `u` has one."""
    query("create table t as select * from values (1, 'a'), (2, 'b') as t(id, name)")
    query("create table u as select 3 as key")
    query("create table c shallow clone t")


@pytest.mark.usefixtures("clone")
def test_a_clone_replaces_a_clone_and_keeps_its_history(query: Query) -> None:
    query("delete from c where id = 1")
    query("create or replace table c shallow clone t")
    assert query("select * from c order by id") == [(1, "a"), (2, "b")]
    query("create or replace table c shallow clone u")
    assert query("select * from c") == [(3,)]
    assert query("select id from c version as of 1") == [(2,)]
    assert query("select count(*) from t") == [(2,)]


@pytest.mark.usefixtures("clone")
def test_a_clone_that_cannot_be_replaced_keeps_its_rows(query: Query) -> None:
    with pytest.raises(DatabaseError, match="nowhere"):
        query("create or replace table c shallow clone nowhere")
    assert query("select * from c order by id") == [(1, "a"), (2, "b")]
    with pytest.raises(DatabaseError, match="DELTA_UNSUPPORTED_NON_EMPTY_CLONE"):
        query("create or replace table c shallow clone c")
    assert query("select count(*) from c") == [(2,)]


@pytest.mark.usefixtures("clone")
def test_a_replacement_makes_no_clone_of_a_table_and_no_table_of_a_clone(query: Query) -> None:
    with pytest.raises(NotSupportedError, match=r"UPDATE_TABLE_TYPE\] .*\.u is a table of its own.* drop it first"):
        query("create or replace table u shallow clone t")
    with pytest.raises(NotSupportedError, match=r"UPDATE_TABLE_TYPE\] .*\.c is a shallow clone.* drop it first"):
        query("create or replace table c as select 1 as id")
    with pytest.raises(NotSupportedError, match="UPDATE_TABLE_TYPE"):
        query("create or replace table c deep clone u")
    query("drop table c")
    query("create or replace table c as select 1 as id")
    assert query("select * from c") == [(1,)]
