"""dbt's other commands over one project: show, retry, --empty, --defer, clone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.util import run_dbt, run_dbt_and_capture, write_file

BASE = "{{ config(materialized='table') }} select * from values (1, 'a'), (2, 'b') as t(id, name)"
VIEW = "select id, name from {{ ref('base') }}"
TOP = (
    "{{ config(materialized='incremental', unique_key='id') }} select id, upper(name) as name from {{ ref('middle') }}"
)


class TestCommands:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"base.sql": BASE, "middle.sql": VIEW, "top.sql": TOP}

    @pytest.fixture(scope="class")
    def other_schema(self, unique_schema: str) -> str:
        return f"{unique_schema}_other"

    @pytest.fixture(scope="class")
    def dbt_profile_data(
        self, dbt_profile_target: dict[str, Any], unique_schema: str, other_schema: str
    ) -> dict[str, Any]:
        outputs = {
            "default": {**dbt_profile_target, "schema": unique_schema},
            "other": {**dbt_profile_target, "schema": other_schema},
        }
        return {"test": {"outputs": outputs, "target": "default"}}

    @pytest.fixture(autouse=True)
    def nothing_of_the_other_target(self, project: Any, other_schema: str) -> None:
        project.created_schemas = list({*project.created_schemas, other_schema})
        project.run_sql(f"drop schema if exists {other_schema} cascade")

    def state(self) -> str:
        shutil.rmtree("state", ignore_errors=True)
        shutil.copytree("target", "state")
        return "state"

    def names(self, project: Any, schema: str) -> list[str]:
        found = project.run_sql(
            f"select table_name from information_schema.tables where table_schema = '{schema}'", fetch="all"
        )
        return sorted(row[0] for row in found)

    def test_empty_builds_every_relation_without_reading_a_row(self, project: Any) -> None:
        run_dbt(["run", "--empty"])
        counts = [project.run_sql(f"select count(*) from {t}", fetch="one")[0] for t in ("middle", "top")]
        assert counts == [0, 0]

    def test_show_prints_rows_of_a_model_and_of_a_query(self, project: Any) -> None:
        run_dbt(["run"])
        _, shown = run_dbt_and_capture(
            ["show", "--select", "top", "--limit", "1", "--output", "json", "--log-level", "warn"]
        )
        assert json.loads(shown[shown.index("{") : shown.rindex("}") + 1])["show"] == [{"id": 1, "name": "A"}]
        _, shown = run_dbt_and_capture(["show", "--inline", "select max(id) as m from {{ ref('base') }}"])
        assert "| m |" in shown

    def test_a_project_may_name_the_catalog_of_its_target(self, project: Any) -> None:
        run_dbt(["run", "--select", "base"])
        query = "select max(id) as m, '{{ target.catalog }}' as c from {{ target.database }}.{{ target.schema }}.base"
        results = run_dbt(["show", "--inline", query])
        assert [tuple(row) for row in results.results[0].agate_table.rows] == [(2, "spark_catalog")]

    def test_retry_runs_what_failed_and_what_was_skipped(self, project: Any) -> None:
        write_file(VIEW.replace("name from", "nam from"), "models", "middle.sql")
        results = run_dbt(["run"], expect_pass=False)
        assert [str(r.status) for r in results] == ["success", "error", "skipped"]
        write_file(VIEW, "models", "middle.sql")
        results = run_dbt(["retry"])
        assert [(r.node.name, str(r.status)) for r in results] == [("middle", "success"), ("top", "success")]

    def test_defer_reads_what_is_not_built_from_the_other_target(self, project: Any, other_schema: str) -> None:
        run_dbt(["run"])
        state = self.state()
        run_dbt(["run", "--select", "top", "--defer", "--state", state, "--target", "other"])
        assert self.names(project, other_schema) == ["top"]
        assert project.run_sql(f"select count(*) from {other_schema}.top", fetch="one")[0] == 2

    def test_clone_makes_shallow_clones_that_change_alone(self, project: Any, other_schema: str) -> None:
        run_dbt(["run"])
        state = self.state()
        run_dbt(["clone", "--state", state, "--target", "other"])
        assert self.names(project, other_schema) == ["base", "middle", "top"]
        project.run_sql(f"delete from {other_schema}.base where id = 1")
        assert project.run_sql(f"select count(*) from {project.test_schema}.base", fetch="one")[0] == 2
        assert project.run_sql(f"select count(*) from {other_schema}.base", fetch="one")[0] == 1
        assert not Path("warehouse").exists()
