"""The grammar of ALTER, GRANT, COMMENT ON and of statements that name what they change."""

from __future__ import annotations

import pytest

from databricks_local.errors import NotSupportedError, ProgrammingError
from databricks_local.sql.governance import (
    AddKey,
    Alter,
    Change,
    ClusterByAuto,
    CommentOn,
    DropColumns,
    DropKey,
    Grant,
    OtherChange,
    RenameColumn,
    Securable,
    SetColumnComment,
    SetMask,
    SetOwner,
    SetRowFilter,
    SetSchedule,
    SetTags,
    Target,
    UnsetTags,
    find_target,
    parse_alter,
    parse_comment_on,
    parse_grant,
)
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.streaming_table import ColumnMask, KeyConstraint, RowFilter, Schedule

T = Name(("t",))


@pytest.mark.parametrize(
    ("sql", "kind", "column", "change"),
    [
        ("alter table t set tags ('a' = 'b', c)", "TABLE", None, SetTags({"a": "b", "c": ""})),
        ("alter view t alter column `x y` unset tags ('a')", "VIEW", "x y", UnsetTags(("a",))),
        (
            "alter streaming table t alter column c set mask s.f using columns (d, 'x')",
            "STREAMING TABLE",
            "c",
            SetMask(ColumnMask(Name(("s", "f")), ("d", "'x'"))),
        ),
        ("alter table t set row filter f on (a)", "TABLE", None, SetRowFilter(RowFilter(Name(("f",)), ("a",)))),
        (
            "alter materialized view t add schedule refresh every 1 hour",
            "MATERIALIZED VIEW",
            None,
            SetSchedule(Schedule("EVERY 1 HOUR", every="1 HOUR")),
        ),
        ("alter streaming table t drop schedule", "STREAMING TABLE", None, SetSchedule(None)),
        (
            "alter table t add constraint k primary key (a timeseries, b) norely",
            "TABLE",
            None,
            AddKey(KeyConstraint("k", "PRIMARY KEY", ("a", "b"))),
        ),
        ("alter table t drop primary key if exists cascade", "TABLE", None, DropKey(None, True, (), True, True)),
        ("alter table t drop constraint if exists k restrict;", "TABLE", None, DropKey("k", if_exists=True)),
        ("alter table t set owner to `a@b.example`", "TABLE", None, SetOwner("a@b.example")),
        ("alter table t change column c comment 'x'", "TABLE", "c", SetColumnComment("x")),
        ("alter table t rename column a to b", "TABLE", None, RenameColumn("a", "b")),
        ("alter table t drop columns (a, `b c`)", "TABLE", None, DropColumns(("a", "b c"))),
        ("alter table t cluster by auto", "TABLE", None, ClusterByAuto()),
        ("alter table t add constraint c check (a > 0)", "TABLE", None, OtherChange()),
        ("alter table t alter column s.f comment 'nested'", "TABLE", None, OtherChange()),
        ("alter table t alter column a set not null", "TABLE", "a", OtherChange()),
        ("alter table t set tblproperties ('a' = 'b')", "TABLE", None, OtherChange()),
        ("alter table t rename to u", "TABLE", None, OtherChange()),
        ("alter database t set tags (x)", "SCHEMA", None, SetTags({"x": ""})),
    ],
)  # fmt: skip
def test_alter(sql: str, kind: str, column: str | None, change: Change) -> None:
    assert parse_alter(Reader(sql)) == Alter(kind, T, column, change)


def test_grant_takes_privileges_of_several_words_and_several_principals() -> None:
    parsed = parse_grant(Reader("grant use schema, select on schema c.s to `a@b.example`, g"))
    assert parsed == Grant(("USE SCHEMA", "SELECT"), Securable("SCHEMA", ("c", "s")), ("a@b.example", "g"))


def test_a_table_may_be_called_like_a_kind_of_securable() -> None:
    assert parse_grant(Reader("grant select on view to g")).securable == Securable("TABLE", ("view",))
    assert parse_comment_on(Reader("comment on table schema is null")) == CommentOn(
        Securable("TABLE", ("schema",)), None
    )


def test_a_securable_that_does_not_exist_here_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="VOLUME is a securable of an account"):
        parse_grant(Reader("grant read volume on volume v to g"))


def test_a_syntax_error_names_the_place() -> None:
    with pytest.raises(ProgrammingError, match=r"unexpected text at the end, near 'more' on line 2"):
        parse_alter(Reader("alter table t drop row filter\nmore"))


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("insert into table t values (1)", Target("INSERT", T)),
        ("insert overwrite t select 1", Target("INSERT", T)),
        ("merge with schema evolution into t using s on true", Target("MERGE", T)),
        ("delete from t", Target("DELETE", T)),
        ("create or replace table x shallow clone t version as of 1", Target("CLONE", T)),
        ("create table clone as select 1", None),
        ("select * from t", None),
    ],
)
def test_what_a_statement_changes(sql: str, target: Target | None) -> None:
    reader = Reader(sql)
    assert find_target(reader) == target
    assert reader.position == 0
