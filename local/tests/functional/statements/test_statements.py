"""Statements that dbt-databricks renders and Spark with open Delta does not know: what a query shows afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import DatabaseError, NotSupportedError
from databricks_local.sql.insert import parse_selective_insert
from databricks_local.sql.reader import Reader

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def commits(query: Query) -> Callable[[], int]:
    return lambda: len(query("describe history t"))


@pytest.fixture(autouse=True)
def table(query: Query) -> None:
    query("create table t (id bigint, msg string)")
    query("insert into t values (1, 'one'), (2, 'two'), (2, 'zwei'), (null, 'none')")


def rows(query: Query) -> list[tuple[Any, ...]]:
    return sorted(query("select * from t"), key=str)


KEPT = [(1, "one"), (None, "none")]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("insert into t replace using (id) values (2L, 'a'), (2L, 'b'), (3L, 'c')",
         [(1, "one"), (2, "a"), (2, "b"), (3, "c"), (None, "none")]),
        ("insert into t replace using (id) values (cast(null as bigint), 'a')",
         [(1, "one"), (2, "two"), (2, "zwei"), (None, "a"), (None, "none")]),
        ("insert into t as x replace on (x.id <=> s.id) (select null as id, 'a' as msg) as s",
         [(1, "one"), (2, "two"), (2, "zwei"), (None, "a")]),
        ("insert into t by name replace using (id) select 'a' as msg, 2L as id",
         [(1, "one"), (2, "a"), (None, "none")]),
        ("insert into t by name replace where id >= 2 select 'a' as msg, 3L as id",
         [(1, "one"), (3, "a"), (None, "none")]),
        ("insert into t replace where id = 2 select * from t where false", KEPT),
        ("insert into t replace using (id) select * from t where false",
         [(1, "one"), (2, "two"), (2, "zwei"), (None, "none")]),
    ],
)  # fmt: skip
def test_a_selective_insert_replaces_what_it_matches(
    query: Query, commits: Callable[[], int], statement: str, expected: list[tuple[Any, ...]]
) -> None:
    before = commits()
    query(statement)
    assert rows(query) == sorted(expected, key=str)
    assert commits() - before <= 1


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("insert into t replace using (id) select 1L", "INSERT_COLUMN_ARITY_MISMATCH"),
        ("insert into t replace using (nope) select 1L, 'a'", "nope"),
        ("insert into t by name replace using (id) select 1L as id, 'a' as other", "EXTRA_COLUMNS"),
        ("insert into t replace where id >= 2 select 1L, 'outside'", "DELTA_REPLACE_WHERE_MISMATCH"),
        ("insert into nowhere replace using (id) select 1L, 'a'", "TABLE_OR_VIEW_NOT_FOUND"),
    ],
)
def test_a_selective_insert_that_fails_changes_nothing(query: Query, statement: str, says: str) -> None:
    before = rows(query)
    with pytest.raises(DatabaseError, match=says):
        query(statement)
    assert rows(query) == before


def test_strings_and_comments_are_no_clauses() -> None:
    text = "insert into t select 'replace using (id)' /* replace on */ -- replace where"
    assert parse_selective_insert(Reader(text)) is None


def test_a_condition_ends_where_its_query_begins() -> None:
    text = "insert into t as x replace on x.id in (select 1) and f(x.a) (select a from (select 1 as a)) s"
    statement = parse_selective_insert(Reader(text))
    assert statement is not None
    assert statement.on == "x.id in (select 1) and f(x.a)"
    assert (statement.query, statement.source_alias) == ("select a from (select 1 as a)", "s")


def test_merge_with_schema_evolution_adds_the_column(query: Query) -> None:
    query(
        "merge with schema evolution into t using (select 1L as id, 'uno' as msg, 7 as v) s on t.id = s.id "
        "when matched then update set * when not matched then insert *"
    )
    assert query("select id, msg, v from t where id = 1") == [(1, "uno", 7)]


def test_a_column_becomes_not_null_once_its_rows_are(query: Query) -> None:
    with pytest.raises(DatabaseError, match="DELTA_NEW_NOT_NULL_VIOLATION"):
        query("alter table t alter column id set not null")
    query("delete from t where id is null")
    query("alter table t change column id set not null")
    nullable = "select is_nullable from information_schema.columns where table_name = 't' and column_name = 'id'"
    assert query(f"{nullable} and table_schema = current_schema()") == [("NO",)]
    with pytest.raises(DatabaseError, match="NOT NULL constraint violated"):
        query("insert into t values (null, 'x')")
    query("alter table t alter column id drop not null")
    query("insert into t values (null, 'x')")


def test_optimize_reports_its_metrics(query: Query) -> None:
    query("insert into t values (3, 'three')")
    assert "/" in query("optimize t")[0][0]


def test_a_materialized_view_survives_a_replacement_that_fails(query: Query) -> None:
    query("create materialized view v as select count(*) as n from t")
    with pytest.raises(DatabaseError):
        query("create or replace materialized view v as select raise_error('no') as n")
    query("insert into t values (5, 'five')")
    query("refresh materialized view v")
    assert query("select n from v") == [(5,)]


def test_nothing_writes_into_a_materialized_view(query: Query) -> None:
    query("create materialized view v as select count(*) as n from t")
    for statement in ("insert into v values (1)", "delete from v", "insert into v replace using (n) values (1L)"):
        with pytest.raises(NotSupportedError, match="MATERIALIZED_VIEW"):
            query(statement)


def test_a_rename_takes_names_of_one_to_three_parts(query: Query) -> None:
    schema = query("select current_schema()")[0][0]
    query("create view v as select id from t")
    for old, new in (("t", "`t2`"), ("`t2`", f"{schema}.t3"), ("t3", f"spark_catalog.{schema}.t"), ("v", "w")):
        query(f"alter {'view' if old == 'v' else 'table'} {old} rename to {new}")
    assert len(query("select * from t")) == 4
    assert len(query("select * from w")) == 4
    names = query("select table_name from information_schema.tables where table_schema = current_schema() order by 1")
    assert names == [("t",), ("w",)]
