"""What Databricks refuses on streaming tables, materialized views and views, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from databricks_local.errors import NotSupportedError

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def relations(query: Query) -> None:
    """A source with a row, and over it a streaming table, a materialized view and a view."""
    query("create table source (id int, v string)")
    query("insert into source values (1, 'a')")
    query("create streaming table st as select id, v from stream source")
    query("create materialized view mv as select id, v from source")
    query("create view v as select id, v from source")


@pytest.mark.usefixtures("relations")
@pytest.mark.parametrize(
    "statement",
    [
        "alter table st add columns (x int)",
        "alter table st rename to other",
        "truncate table st",
        "restore table st to version as of 0",
        "analyze table st compute statistics",
        "copy into st from '/nowhere' fileformat = json",
        "create table copied clone st",
        "create or replace table copied shallow clone st",
    ],
)
def test_on_a_streaming_table(query: Query, statement: str) -> None:
    with pytest.raises(NotSupportedError, match="STREAMING_TABLE_OPERATION_NOT_ALLOWED") as error:
        query(statement)
    assert ".st, a streaming table" in str(error.value)
    assert query("select count(*) from st") == [(1,)]


@pytest.mark.usefixtures("relations")
@pytest.mark.parametrize(
    "statement",
    [
        "insert into mv values (2, 'b')",
        "insert overwrite mv select * from source",
        "update mv set v = 'x'",
        "delete from mv where id = 1",
        "merge into mv using source on mv.id = source.id when matched then delete",
        "truncate table mv",
        "optimize mv",
        "alter table mv set tblproperties ('a' = 'b')",
    ],
)
def test_on_a_materialized_view(query: Query, statement: str) -> None:
    with pytest.raises(NotSupportedError, match="MATERIALIZED_VIEW_OPERATION_NOT_ALLOWED"):
        query(statement)
    assert query("select * from mv") == [(1, "a")]


@pytest.mark.usefixtures("relations")
def test_rows_of_a_streaming_table_can_be_changed(query: Query) -> None:
    query("delete from st where id = 1")
    assert query("select count(*) from st") == [(0,)]


@pytest.mark.usefixtures("relations")
@pytest.mark.parametrize("verb", ["table", "view"])
def test_a_view_has_no_mask_and_no_filter(query: Query, verb: str) -> None:
    query("create function hide(v string) returns string return '*'")
    with pytest.raises(NotSupportedError, match="ROW_FILTER_OR_COLUMN_MASK_ON_VIEW"):
        query(f"alter {verb} v alter column v set mask hide")


@pytest.mark.usefixtures("relations")
def test_an_undocumented_change_of_a_streaming_table_is_refused(query: Query) -> None:
    with pytest.raises(NotSupportedError, match=r"ALTER STREAMING TABLE.*not documented"):
        query("alter streaming table st set tblproperties ('a' = 'b')")


_BODY = "$$\n# it's Python: don't read \"quotes\"\nreturn x + 1\n$$"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (f"create function f(x int) returns int language python as {_BODY}", "CREATE FUNCTION … LANGUAGE PYTHON"),
        (
            "create or replace function s.f(language int, y string default 'as') returns table (a int) "
            f"comment 'language sql' language Python handler 'H' as $body$ {_BODY} $body$",
            "CREATE FUNCTION … LANGUAGE PYTHON",
        ),
        (
            f"create temporary function if not exists f() returns int deterministic language python as {_BODY}",
            "CREATE FUNCTION … LANGUAGE PYTHON",
        ),
        (
            "create function f(x int) returns int language scala handler 'a.B' environment (java_dependencies = '[]')",
            "CREATE FUNCTION … LANGUAGE SCALA",
        ),
    ],
)
def test_functions_in_other_languages_than_sql_by_name(query: Query, statement: str, name: str) -> None:
    with pytest.raises(NotSupportedError, match=rf"{name} is .*LANGUAGE SQL") as error:
        query(statement)
    assert error.value.error_class == f"UNSUPPORTED_STATEMENT.CREATE_FUNCTION_LANGUAGE_{name.split()[-1]}"


def test_functions_in_sql_may_say_so(query: Query) -> None:
    query("create function f(language int) returns int language sql return language + 1 -- language python")
    assert query("select f(1)") == [(2,)]
