"""Informational keys: recorded, listed, never enforced; CHECK and NOT NULL are Delta's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import DatabaseError, ProgrammingError

from .dbt_macros import Relation, render

Query = Callable[..., list[tuple[Any, ...]]]
_CONSTRAINTS = "relations/components/constraints.sql"


@pytest.fixture
def family(query: Query) -> None:
    """A parent with a key of two columns, and a child that refers to it."""
    query("create table parent (a int not null, b string not null, v int)")
    query("create table child (id int not null, pa int, pb string)")
    query("alter table parent add constraint parent_pk primary key (a, b)")
    query("alter table child add constraint child_fk foreign key (pa, pb) references parent (a, b)")


@pytest.mark.usefixtures("family")
def test_dbt_databricks_reads_the_keys_back(query: Query, schema: str) -> None:
    parent = render(_CONSTRAINTS, "fetch_primary_key_constraints_sql", Relation(schema, "parent"))
    assert query(parent) == [("parent_pk", "a"), ("parent_pk", "b")]
    child = render(_CONSTRAINTS, "fetch_foreign_key_constraints_sql", Relation(schema, "child"))
    assert query(child) == [
        ("child_fk", "pa", "spark_catalog", schema, "parent", "a"),
        ("child_fk", "pb", "spark_catalog", schema, "parent", "b"),
    ]


@pytest.mark.usefixtures("family")
def test_a_key_is_not_enforced(query: Query) -> None:
    query("insert into parent values (1, 'x', 1), (1, 'x', 2)")
    query("insert into child values (1, 7, 'nobody')")
    assert query("select count(*) from parent") == [(2,)]


@pytest.mark.usefixtures("family")
def test_a_primary_key_in_use_needs_cascade_and_takes_the_foreign_key_along(query: Query, schema: str) -> None:
    with pytest.raises(ProgrammingError, match=r"PRIMARY_KEY_IN_USE.*child_fk"):
        query("alter table parent drop constraint parent_pk")
    query("alter table parent drop constraint parent_pk cascade")
    assert (
        query(
            "select * from information_schema.table_constraints "
            f"where table_schema = '{schema}' and constraint_type <> 'CHECK'"
        )
        == []
    )


def test_not_null_columns_are_those_that_dbt_databricks_asks_for(query: Query, schema: str) -> None:
    query("create table t (a int not null, b int)")
    query("alter table t alter column b set not null")
    query("alter table t alter column a drop not null")
    statement = render(_CONSTRAINTS, "fetch_non_null_constraint_columns_sql", Relation(schema, "t"))
    assert query(statement) == [("b",)]


def test_a_nullable_column_cannot_be_a_primary_key(query: Query) -> None:
    query("create table t (a int)")
    with pytest.raises(ProgrammingError, match=r"PRIMARY_KEY_COLUMN_NULLABLE.*SET NOT NULL"):
        query("alter table t add constraint pk primary key (a)")


@pytest.mark.parametrize(
    "columns",
    [
        "a int primary key, b string",
        "a int comment 'the key', b string, primary key (A)",
        "primary key (a), a int, b string",
        "a int default 7 constraint pk primary key, b string",
    ],
)
def test_a_table_made_with_a_primary_key_takes_no_null_in_it(query: Query, columns: str) -> None:
    query(f"create table t ({columns}) tblproperties ('delta.feature.allowColumnDefaults' = 'supported')")
    with pytest.raises(DatabaseError, match="NOT_NULL_CONSTRAINT_VIOLATED"):
        query("insert into t values (null, 'x')")
    query("insert into t values (1, null)")
    assert query("select * from t") == [(1, None)]


def test_a_foreign_key_needs_the_parents_primary_key(query: Query) -> None:
    query("create table parent (a int not null)")
    query("create table child (a int)")
    with pytest.raises(ProgrammingError, match="FOREIGN_KEY_WITHOUT_PRIMARY_KEY"):
        query("alter table child add constraint fk foreign key (a) references parent (a)")


def test_a_second_primary_key_is_refused(query: Query) -> None:
    query("create table t (a int not null, b int not null)")
    query("alter table t add constraint pk primary key (a)")
    with pytest.raises(ProgrammingError, match="PRIMARY_KEY_ALREADY_EXISTS"):
        query("alter table t add constraint pk2 primary key (b)")


def test_a_check_constraint_is_enforced_listed_and_dropped(query: Query, schema: str) -> None:
    query("create table t (a int)")
    query("alter table t add constraint positive check (a > 0)")
    with pytest.raises(DatabaseError, match="CHECK constraint positive"):
        query("insert into t values (-1)")
    listed = (
        "select constraint_name, check_clause from information_schema.check_constraints "
        f"where constraint_schema = '{schema}'"
    )
    assert query(listed) == [("positive", "a > 0")]
    query("alter table t drop constraint if exists positive")
    query("insert into t values (-1)")
    assert query(listed) == []


def test_a_column_of_a_key_cannot_be_dropped(query: Query) -> None:
    query("create table t (a int not null, b int) tblproperties ('delta.columnMapping.mode' = 'name')")
    query("alter table t add primary key (a)")
    with pytest.raises(ProgrammingError, match=r"COLUMN_IN_USE.*key t_pk"):
        query("alter table t drop column a")
