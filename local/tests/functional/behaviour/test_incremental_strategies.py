"""Every incremental strategy of dbt-databricks: what the table holds after a first and a second run."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.util import run_dbt

FIRST = """
select * from values (1L, 'hello', 'blue'), (2L, 'goodbye', 'red') as t(id, msg, color)
"""
SECOND = """
select * from values (2L, 'yo', 'green'), (3L, 'anyway', 'purple') as t(id, msg, color)
"""


def model(config: str, first: str = FIRST, second: str = SECOND) -> str:
    return (
        f"{{{{ config(materialized='incremental', {config}) }}}}\n"
        f"{{% if is_incremental() %}} {second} {{% else %}} {first} {{% endif %}}"
    )


VERSIONED_FIRST = """
select * from values (1, 'Ann', 'Moss', 1), (2, 'Paul', 'Fell', 0), (3, 'Dora', 'Lund', 1) as t(id, first, second, v)
"""
VERSIONED_SECOND = """
select * from values (1, 'Jess', 'Moss', 2), (2, 'Paul', 'Other', 0), (3, 'Dora', 'Lund', 2), (4, 'Bo', 'Holt', 1),
  (5, 'Ray', '', 0) as t(id, first, second, v)
"""
FEWER = "select * from values (3, 'Dora', 'Lund', 2), (4, 'Bo', 'Holt', 1) as t(id, first, second, v)"

HELLO, GOODBYE, YO, ANYWAY = (1, "hello", "blue"), (2, "goodbye", "red"), (2, "yo", "green"), (3, "anyway", "purple")

# name: (model, rows after the second run)
CASES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "append": (model("incremental_strategy='append'"), [HELLO, GOODBYE, YO, ANYWAY]),
    "merge_key": (model("unique_key='id'"), [HELLO, YO, ANYWAY]),
    "merge_no_key": (model("incremental_strategy='merge'"), [HELLO, GOODBYE, YO, ANYWAY]),
    "merge_two_keys": (model("unique_key=['id', 'msg']"), [HELLO, GOODBYE, YO, ANYWAY]),
    "merge_update_columns": (
        model("unique_key='id', merge_update_columns=['msg']"),
        [HELLO, (2, "yo", "red"), ANYWAY],
    ),
    "merge_exclude_columns": (
        model("unique_key='id', merge_exclude_columns=['msg']"),
        [HELLO, (2, "goodbye", "green"), ANYWAY],
    ),
    "merge_skip_matched": (model("unique_key='id', skip_matched_step=true"), [HELLO, GOODBYE, ANYWAY]),
    "merge_skip_not_matched": (model("unique_key='id', skip_not_matched_step=true"), [HELLO, YO]),
    "merge_predicates": (
        model("unique_key='id', incremental_predicates=['DBT_INTERNAL_DEST.id != 2']"),
        [HELLO, GOODBYE, YO, ANYWAY],
    ),
    "merge_conditions": (
        model(
            "unique_key='id', source_alias='src', target_alias='t', not_matched_condition='src.v > 0', "
            "matched_condition='src.v > t.v and hash(src.first, src.second) <> hash(t.first, t.second)'",
            VERSIONED_FIRST,
            VERSIONED_SECOND,
        ),
        [(1, "Jess", "Moss", 2), (2, "Paul", "Fell", 0), (3, "Dora", "Lund", 1), (4, "Bo", "Holt", 1)],
    ),
    "merge_not_by_source_delete": (
        model(
            "unique_key='id', target_alias='t', source_alias='s', skip_matched_step=true, "
            "not_matched_by_source_condition='t.v > 0', not_matched_by_source_action='delete'",
            VERSIONED_FIRST,
            FEWER,
        ),
        [(2, "Paul", "Fell", 0), (3, "Dora", "Lund", 1), (4, "Bo", "Holt", 1)],
    ),
    "merge_not_by_source_update": (
        model(
            "unique_key='id', target_alias='t', source_alias='s', skip_matched_step=true, "
            "not_matched_by_source_condition='t.v > 0', "
            "not_matched_by_source_action='update set t.v = -1'",
            VERSIONED_FIRST,
            FEWER,
        ),
        [(1, "Ann", "Moss", -1), (2, "Paul", "Fell", 0), (3, "Dora", "Lund", 1), (4, "Bo", "Holt", 1)],
    ),
    "merge_schema_evolution": (
        model(
            "unique_key='id', merge_with_schema_evolution=true",
            "select * from values (1, 'a'), (2, 'b') as t(id, name)",
            "select * from values (1, 'c', 7) as t(id, name, v)",
        ),
        [(1, "c", 7), (2, "b", None)],
    ),
    "insert_overwrite": (model("incremental_strategy='insert_overwrite'"), [YO, ANYWAY]),
    "insert_overwrite_partitions": (
        model("incremental_strategy='insert_overwrite', partition_by='id'"),
        [HELLO, YO, ANYWAY],
    ),
    "insert_overwrite_clusters": (
        model("incremental_strategy='insert_overwrite', liquid_clustered_by='id'"),
        [HELLO, YO, ANYWAY],
    ),
    "replace_where": (
        model("incremental_strategy='replace_where', incremental_predicates='id >= 2'"),
        [HELLO, YO, ANYWAY],
    ),
    "replace_where_other_order": (
        model(
            "incremental_strategy='replace_where', incremental_predicates=['id >= 2', 'id < 9']",
            FIRST,
            "select 'purple' as color, 3L as id, 'anyway' as msg",
        ),
        [HELLO, ANYWAY],
    ),
    "delete_insert": (
        model(
            "incremental_strategy='delete+insert', unique_key='id'",
            FIRST,
            SECOND + " union all select 2L, 'hey', 'gold'",
        ),
        [HELLO, YO, (2, "hey", "gold"), ANYWAY],
    ),
    "delete_insert_null_key": (
        model(
            "incremental_strategy='delete+insert', unique_key=['id', 'msg']",
            "select * from values (1L, cast(null as string), 'blue'), (2L, 'x', 'red') as t(id, msg, color)",
            "select * from values (1L, cast(null as string), 'green') as t(id, msg, color)",
        ),
        [(1, None, "green"), (2, "x", "red")],
    ),
}


# One for each way of writing; all of them run in the long tests.
CORE = (
    "append", "merge_key", "merge_schema_evolution", "insert_overwrite", "insert_overwrite_clusters",
    "replace_where_other_order", "delete_insert",
)  # fmt: skip
ONE_COMMIT = ("merge_key", "merge_schema_evolution", "insert_overwrite", "replace_where_other_order", "delete_insert")


class IncrementalStrategies:
    cases: tuple[str, ...] = tuple(CASES)

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {f"{name}.sql": CASES[name][0] for name in self.cases}

    def operations(self, project: Any, name: str) -> list[str]:
        """What changed the table's data, newest first."""
        history = project.run_sql(f"describe history {name}", fetch="all")
        return [row.operation for row in history if row.operation in ("WRITE", "MERGE", "DELETE", "UPDATE")]

    def test_the_second_run_leaves_what_the_strategy_promises_by_one_commit(self, project: Any) -> None:
        run_dbt(["run"])
        before = {name: len(self.operations(project, name)) for name in ONE_COMMIT}
        run_dbt(["run"])
        for name in self.cases:
            found = [tuple(row) for row in project.run_sql(f"select * from {name}", fetch="all")]
            assert sorted(found, key=str) == sorted(CASES[name][1], key=str), name
        for name in ONE_COMMIT:
            operations = self.operations(project, name)
            assert len(operations) == before[name] + 1, (name, operations)


class TestIncrementalStrategies(IncrementalStrategies):
    cases = CORE

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


@pytest.mark.long
class TestAllIncrementalStrategies(IncrementalStrategies):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


@pytest.mark.long
class TestIncrementalStrategiesOfTheFirstMaterialization(IncrementalStrategies):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": False}}


SOURCE_OF_SCHEMA_CHANGE = """
{{ config(materialized='incremental', unique_key='id', on_schema_change='%s',
          tblproperties={'delta.columnMapping.mode': 'name'}) }}
{%% if is_incremental() %%} select 2 as id, 'new' as added {%% else %%} select 1 as id, 'old' as gone {%% endif %%}
"""


class TestOnSchemaChange:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {f"on_{c}.sql": SOURCE_OF_SCHEMA_CHANGE % c for c in ("append_new_columns", "sync_all_columns", "fail")}

    def test_columns_are_added_synchronized_or_refused(self, project: Any) -> None:
        run_dbt(["run"])
        results = run_dbt(["run"], expect_pass=False)
        assert {r.node.name: str(r.status) for r in results} == {
            "on_append_new_columns": "success",
            "on_sync_all_columns": "success",
            "on_fail": "error",
        }
        appended = project.run_sql("select id, gone, added from on_append_new_columns order by id", fetch="all")
        assert [tuple(r) for r in appended] == [(1, "old", None), (2, None, "new")]
        synchronized = project.run_sql("select * from on_sync_all_columns order by id", fetch="all")
        assert [tuple(r) for r in synchronized] == [(1, None), (2, "new")]
        assert project.run_sql("select * from on_fail", fetch="all")[0].asDict() == {"id": 1, "gone": "old"}


MICROBATCH_INPUT = """
{{ config(materialized='table', event_time='at') }}
select * from values (1, timestamp'2026-01-01 01:00:00'), (2, timestamp'2026-01-02 02:00:00'),
  (3, timestamp'2026-01-03 03:00:00') as t(id, at)
"""
MICROBATCH = """
{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',
          begin='2026-01-01', lookback=1) }}
select * from {{ ref('input') }}
"""


class TestMicrobatch:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"input.sql": MICROBATCH_INPUT, "by_day.sql": MICROBATCH}

    def test_only_the_asked_batches_are_replaced(self, project: Any) -> None:
        arguments = ["--event-time-start", "2026-01-01", "--event-time-end", "2026-01-04"]
        run_dbt(["run", *arguments])
        assert [r[0] for r in project.run_sql("select id from by_day order by id", fetch="all")] == [1, 2, 3]
        project.run_sql("update input set id = id * 10")
        run_dbt(["run", "--select", "by_day", "--event-time-start", "2026-01-02", "--event-time-end", "2026-01-03"])
        assert [r[0] for r in project.run_sql("select id from by_day order by id", fetch="all")] == [1, 3, 20]
