"""DESCRIBE and SHOW, by what dbt-databricks's own parsers make of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import agate
import pytest
from dbt.adapters.databricks.column import DatabricksColumn
from dbt.adapters.databricks.impl import DatabricksDescribeJsonMetadata
from dbt.adapters.databricks.relation_configs.comment import CommentProcessor
from dbt.adapters.databricks.relation_configs.liquid_clustering import LiquidClusteringProcessor
from dbt.adapters.databricks.relation_configs.partitioning import PartitionedByProcessor
from dbt.adapters.databricks.relation_configs.query import DescribeQueryProcessor
from dbt.adapters.databricks.relation_configs.refresh import RefreshProcessor

Query = Callable[..., list[tuple[Any, ...]]]


def _described(query: Query, name: str) -> dict[str, Any]:
    names = ["col_name", "data_type", "comment"]
    text = agate.Text(cast_nulls=False)
    rows = query(f"describe extended {name}")
    return {
        "describe_extended": agate.Table(rows, names, [text] * 3),
        "show_tblproperties": agate.Table(query(f"show tblproperties {name}"), ["key", "value"], [text] * 2),
    }


def test_a_partitioned_table(query: Query) -> None:
    query("create table t (id int not null comment 'key', p varchar(3)) partitioned by (p) comment 'about t'")
    results = _described(query, "t")
    assert PartitionedByProcessor.from_relation_results(results).partition_by == ["p"]
    assert CommentProcessor.from_relation_results(results).comment == "about t"
    rows = query("describe t")
    assert rows[:2] == [("id", "int", "key"), ("p", "varchar(3)", None)]
    assert ("# Partition Information", "", "") in rows


def test_a_clustered_table(query: Query) -> None:
    query("create table t (id int, p string, s struct<a: int>) cluster by (id, p)")
    results = _described(query, "t")
    assert LiquidClusteringProcessor.from_relation_results(results).cluster_by == ["id", "p"]
    rows = query("describe table extended t")
    title = rows.index(("# Clustering Information", "", ""))
    assert [row[0] for row in rows[title + 2 : title + 4]] == ["id", "p"]


@pytest.mark.parametrize(
    ("schedule", "shown", "expected"),
    [
        ("", "MANUAL", {}),
        ("schedule every 2 hours", "EVERY 2 HOURS", {"every": "2 HOURS"}),
        (
            "schedule cron '0 0 4 * * ?'",
            "CRON '0 0 4 * * ?' AT TIME ZONE 'Etc/UTC'",
            {"cron": "0 0 4 * * ?", "time_zone_value": "Etc/UTC"},
        ),
        (
            "trigger on update at most every interval 15 minutes",
            "TRIGGER ON UPDATE AT MOST EVERY INTERVAL 900 SECOND",
            {"on_update": True, "at_most_every": "900 SECOND"},
        ),
    ],
)
def test_the_refresh_schedule_of_a_streaming_table(
    query: Query, schedule: str, shown: str, expected: dict[str, Any]
) -> None:
    query("create table source (id int)")
    query(f"create streaming table t {schedule} as select id from stream source")
    results = _described(query, "t")
    assert ("Refresh Schedule", shown, "") in [tuple(row) for row in results["describe_extended"].rows]
    found = RefreshProcessor.from_relation_results(results)
    assert {key: getattr(found, key) for key in expected} == expected
    assert DescribeQueryProcessor.from_relation_results(results).query == "select id from stream source"
    assert ("Type", "STREAMING_TABLE", "") in [tuple(row) for row in results["describe_extended"].rows]


def test_a_schedule_is_added_altered_and_dropped(query: Query) -> None:
    query("create table source (id int)")
    query("create materialized view m as select id from source")
    shown = []
    for change in (
        "add schedule every 1 day",
        "alter schedule refresh every 3 days",
        "drop schedule",
    ):
        query(f"alter materialized view m {change}")
        shown += [row[1] for row in query("describe extended m") if row[0] == "Refresh Schedule"]
    assert shown == ["EVERY 1 DAY", "EVERY 3 DAYS", "MANUAL"]


def test_as_json_gives_dbt_databricks_columns_keys_masks_and_filter(query: Query, schema: str) -> None:
    query("create function hide(v string) returns string return '***'")
    query("create function keep(i bigint) returns boolean return i > 0")
    query("create table parent (id bigint not null)")
    query("alter table parent add constraint parent_pk primary key (id)")
    query("create table t (id bigint not null, v varchar(9) comment 'text', d decimal(9,1), "
          "s struct<a: array<map<string, timestamp>>>)")  # fmt: skip
    query("alter table t add constraint t_pk primary key (id)")
    query("alter table t add constraint t_fk foreign key (id) references parent")
    query("alter table t alter column v set mask hide using columns (id)")
    query("alter table t set row filter keep on (id)")
    ((text,),) = query("describe table extended t as json")
    columns = DatabricksColumn.from_json_metadata(text)
    assert [(c.name, c.dtype, c.comment) for c in columns] == [
        ("id", "bigint", None),
        ("v", "varchar(9)", "text"),
        ("d", "decimal(9, 1)", None),
        ("s", "struct<a:array<map<string,timestamp>>>", None),
    ]
    found = DatabricksDescribeJsonMetadata.from_json_metadata(json.loads(text))

    def rows(table: agate.Table) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in table.rows]

    assert rows(found.non_null_constraints) == [("id",)]
    assert rows(found.primary_key_constraints) == [("t_pk", "id")]
    assert rows(found.foreign_key_constraints) == [("t_fk", "id", "spark_catalog", schema, "parent", "id")]
    assert rows(found.column_masks) == [("v", f"spark_catalog.{schema}.hide", "id")]
    assert rows(found.row_filters) == [("spark_catalog", schema, "t", f"spark_catalog.{schema}.keep", "id")]


def test_as_json_of_a_view_has_its_query(query: Query) -> None:
    query("create view v as select 1 as id")
    ((text,),) = query("describe table extended v as json")
    assert json.loads(text)["view_text"] == "select 1 as id"


def test_show_table_extended_has_the_columns_of_the_delta_log(query: Query, schema: str) -> None:
    from dbt.adapters.databricks.impl import DatabricksAdapter

    query("create table one (id int) comment 'first'")
    query("alter table one add columns (v string)")
    query("create view two as select id from one")
    rows = query(f"show table extended in `spark_catalog`.`{schema}` like 'one|tw*'")
    assert [row[1] for row in rows] == ["one", "two"]
    information = rows[0][3]
    found = DatabricksAdapter.INFORMATION_COLUMNS_REGEX.findall(information)
    assert [(name, kind) for name, kind, _ in found] == [("id", "integer"), ("v", "string")]
    assert "Provider: delta" in information
    assert "Type: VIEW" in rows[1][3]


def test_show_create_table_makes_the_same_table_again(query: Query) -> None:
    query("create table t (id int not null comment 'it''s', p string) partitioned by (p) "
          "comment 'c' tblproperties ('k' = 'v')")  # fmt: skip
    before = query("describe t")
    ((text,),) = query("show create table t")
    query("drop table t")
    query(text)
    assert query("describe t") == before
    assert ("k", "v") in query("show tblproperties t")


def test_show_create_table_of_a_streaming_table_is_its_statement(query: Query) -> None:
    query("create table source (id int)")
    query("create streaming table t as select id from stream source")
    assert query("show create table t") == [("create streaming table t as select id from stream source",)]


def test_a_temporary_view_is_described_by_spark(query: Query) -> None:
    query("create temporary view tv as select 1 as a")
    assert query("describe tv") == [("a", "int", None)]


def test_a_missing_table_is_named_with_databricks_error_class(query: Query) -> None:
    from databricks_local.errors import ProgrammingError

    with pytest.raises(ProgrammingError, match="nothing_here") as error:
        query("describe extended nothing_here")
    assert error.value.error_class == "TABLE_OR_VIEW_NOT_FOUND"


@pytest.mark.parametrize("kind", ["table", "view", "materialized view", "streaming table"])
def test_comments_on_a_relation_and_its_column(query: Query, kind: str, schema: str) -> None:
    query("create table source (id int)")
    query(
        "create table o (id int)" if kind == "table"
        else f"create {kind} o as select id from {'stream ' if 'streaming' in kind else ''}source"
    )  # fmt: skip
    query(f"comment on {kind} `spark_catalog`.`{schema}`.`o` is 'it\\'s new'")
    query(f"COMMENT ON COLUMN `spark_catalog`.`{schema}`.`o`.`id` IS 'the key'")
    rows = query("describe extended o")
    assert rows[0] == ("id", "int", "the key")
    assert ("Comment", "it's new", "") in rows
