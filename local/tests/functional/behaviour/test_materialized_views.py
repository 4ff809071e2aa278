"""Materialized views by dbt-databricks's own materialization: created, refreshed, altered, replaced."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.util import read_file, run_dbt, write_file

VIEW = """
{{ config(materialized='materialized_view', schedule={'cron': '0 0 * * * ? *', 'time_zone_value': 'Etc/UTC'},
          tblproperties={'team': 'crm'}, databricks_tags={'tier': 'gold'}) }}
select kind, count(*) as n from {{ ref('facts') }} group by kind
"""
SCHEMA = """
version: 2
models:
  - name: by_kind
    description: "Facts by kind: \\"it's\\" one row each"
    columns:
      - name: kind
        description: The kind
      - name: n
"""
SEED = "id,kind\n1,a\n2,a\n3,b\n"


def rows(project: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in project.run_sql("select * from by_kind", fetch="all"))


def described(project: Any) -> dict[str, str]:
    return {r.col_name: r.data_type for r in project.run_sql("describe extended by_kind", fetch="all") if r.col_name}


class TestMaterializedViews:
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        return {"facts.csv": SEED}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"by_kind.sql": VIEW, "schema.yml": SCHEMA}

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}

    def test_a_run_shows_the_data_of_its_time_and_the_next_one_refreshes(self, project: Any) -> None:
        run_dbt(["build"])
        assert rows(project) == [("a", 2), ("b", 1)]
        project.run_sql("insert into facts values (4, 'b')")
        assert rows(project) == [("a", 2), ("b", 1)]
        run_dbt(["run"])
        assert rows(project) == [("a", 2), ("b", 2)]
        tags = project.run_sql(
            "select tag_name, tag_value from information_schema.table_tags where schema_name = '{schema}'", fetch="all"
        )
        assert [tuple(t) for t in tags] == [("tier", "gold")]
        comment = project.run_sql(
            "select comment from information_schema.tables where table_schema = '{schema}' and table_name = 'by_kind'",
            fetch="one",
        )
        assert comment[0] == 'Facts by kind: "it\'s" one row each'

    def test_a_changed_schedule_is_altered_in_place(self, project: Any) -> None:
        write_file(
            read_file("models", "by_kind.sql").replace("0 0 * * * ? *", "0 5 * * * ? *"), "models", "by_kind.sql"
        )
        before = project.run_sql("describe history by_kind", fetch="all")[-1].timestamp
        run_dbt(["run"])
        assert "0 5 * * * ? *" in described(project)["Refresh Schedule"]
        assert project.run_sql("describe history by_kind", fetch="all")[-1].timestamp == before

    def test_a_changed_query_and_properties_replace_the_view(self, project: Any) -> None:
        text = read_file("models", "by_kind.sql")
        changed = text.replace("count(*) as n", "max(id) as latest").replace("'team': 'crm'", "'team': 'sales'")
        write_file(changed, "models", "by_kind.sql")
        run_dbt(["run"])
        assert rows(project) == [("a", 2), ("b", 4)]
        shown = {r.key: r.value for r in project.run_sql("show tblproperties by_kind", fetch="all")}
        assert shown["team"] == "sales"

    def test_a_replacement_that_fails_leaves_the_view_refreshable(self, project: Any) -> None:
        good = read_file("models", "by_kind.sql")
        write_file(good.replace("max(id)", "max(id / (id - id))"), "models", "by_kind.sql")
        run_dbt(["run"], expect_pass=False)
        assert rows(project) == [("a", 2), ("b", 4)]
        project.run_sql("insert into facts values (9, 'c')")
        project.run_sql("refresh materialized view by_kind")
        assert rows(project) == [("a", 2), ("b", 4), ("c", 9)]


class TestOtherRelationsOfTheName:
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        return {"facts.csv": SEED}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"by_kind.sql": VIEW}

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}

    def test_a_view_takes_the_place_of_a_materialized_one_and_back(self, project: Any) -> None:
        run_dbt(["build"])
        write_file("{{ config(materialized='view') }} select 1 as one", "models", "by_kind.sql")
        run_dbt(["run"])
        assert rows(project) == [(1,)]
        write_file(VIEW, "models", "by_kind.sql")
        run_dbt(["run"])
        assert rows(project) == [("a", 2), ("b", 1)]
