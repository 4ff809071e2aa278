"""Tags, column tags, masks and row filters that change between two runs, and grants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.util import run_dbt, write_file

import databricks_local

PEOPLE = """
{{ config(materialized='incremental', unique_key='id') }}
select * from values (1, 'ann@x.org', 'north'), (2, 'bo@x.org', 'south') as t(id, email, region)
"""
SCHEMA = """
version: 2
models:
  - name: people
    config:
      databricks_tags: {tags}
      {row_filter}
      grants: {{select: {readers}}}
    columns:
      - name: id
      - name: email
        {mask}
        databricks_tags: {column_tags}
      - name: region
"""


def schema(tags: str, column_tags: str, mask: str, row_filter: str, readers: str) -> str:
    return SCHEMA.format(
        tags=tags,
        column_tags=column_tags,
        readers=readers,
        mask=f"column_mask: {{function: {mask}}}" if mask else "",
        row_filter=f"row_filter: {{function: {row_filter}, columns: [region]}}" if row_filter else "",
    )


Reader = Callable[[str], list[tuple[Any, ...]]]


class Governance:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "people.sql": PEOPLE,
            "schema.yml": schema("{a: b, c: d}", "{pii: email}", "hide", "northern", "['analysts']"),
        }

    @pytest.fixture(scope="class", autouse=True)
    def functions_of_the_schema(self, project: Any) -> None:
        project.run_sql("create function hide(value string) returns string return '***'")
        project.run_sql("create function initial(value string) returns string return left(value, 1)")
        project.run_sql("create function northern(region string) returns boolean return region = 'north'")
        project.run_sql("create function southern(region string) returns boolean return region = 'south'")

    @pytest.fixture
    def as_analyst(self, project: Any, warehouse: Path) -> Reader:
        def read(columns: str) -> list[tuple[Any, ...]]:
            with (
                databricks_local.connect(
                    warehouse, master="local[2]", schema=project.test_schema, principal="analyst@x.org"
                ) as connection,
                connection.cursor() as cursor,
            ):
                cursor.execute(f"select {columns} from people order by id")
                return [tuple(row) for row in cursor.fetchall()]

        return read

    def listed(self, project: Any, view: str, columns: str) -> list[tuple[Any, ...]]:
        found = project.run_sql(
            f"select {columns} from information_schema.{view} where schema_name = '{{schema}}'", fetch="all"
        )
        return sorted(tuple(row) for row in found)

    def grantees(self, project: Any) -> list[str]:
        found = project.run_sql("show grants on table people", fetch="all")
        return sorted(row[0] for row in found if row[1] == "SELECT" and row[2] == "TABLE")

    def test_what_the_model_declares_is_listed_and_applied(self, project: Any, as_analyst: Reader) -> None:
        run_dbt(["run"])
        assert self.listed(project, "table_tags", "tag_name, tag_value") == [("a", "b"), ("c", "d")]
        assert self.listed(project, "column_tags", "column_name, tag_name, tag_value") == [("email", "pii", "email")]
        assert as_analyst("id, email, region") == [(1, "***", "north")]
        assert len(project.run_sql("select * from people", fetch="all")) == 2
        assert self.grantees(project) == ["analysts"]

    def test_what_changes_in_the_model_changes_in_the_table(self, project: Any, as_analyst: Reader) -> None:
        write_file(
            schema("{c: e, f: g}", "{pii: address}", "initial", "southern", "['stewards']"), "models", "schema.yml"
        )
        run_dbt(["run"])
        tags = self.listed(project, "table_tags", "tag_name, tag_value")
        # dbt-databricks sets tags and never unsets one.
        assert tags == [("a", "b"), ("c", "e"), ("f", "g")]
        assert self.listed(project, "column_tags", "column_name, tag_name, tag_value") == [("email", "pii", "address")]
        assert as_analyst("id, email, region") == [(2, "b", "south")]
        assert self.grantees(project) == ["stewards"]

    def test_what_is_taken_from_the_model_is_taken_from_the_table(self, project: Any, as_analyst: Reader) -> None:
        write_file(schema("{c: e}", "{pii: address}", "", "", "[]"), "models", "schema.yml")
        run_dbt(["run"])
        assert as_analyst("id, email") == [(1, "ann@x.org"), (2, "bo@x.org")]
        assert self.grantees(project) == []


class TestGovernance(Governance):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


KINDS = """
version: 2
models:
  - name: {name}
    config: {{databricks_tags: {{layer: gold}}, row_filter: {{function: northern, columns: [region]}}}}
    columns:
      - name: region
        databricks_tags: {{pii: place}}
"""


@pytest.mark.long
class TestGovernanceOfEveryKind:
    """A row filter on a streaming table and a materialized view, tags on both and on a view."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        query = "select id, region from {}"
        return {
            "st.sql": "{{ config(materialized='streaming_table') }} "
            + query.format("stream {{ source('raw', 'src') }}"),
            "mv.sql": "{{ config(materialized='materialized_view') }} " + query.format("{{ source('raw', 'src') }}"),
            "plain.sql": "{{ config(materialized='view', databricks_tags={'layer': 'gold'}) }} "
            + query.format("{{ source('raw', 'src') }}"),
            "st.yml": KINDS.format(name="st"),
            "mv.yml": KINDS.format(name="mv"),
            "sources.yml": "version: 2\nsources: [{name: raw, schema: '{{ target.schema }}', tables: [{name: src}]}]\n",
        }

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}

    def test_filters_and_tags_hold_on_every_kind(self, project: Any, warehouse: Path) -> None:
        project.run_sql("create table src as select * from values (1, 'north'), (2, 'south') as t(id, region)")
        project.run_sql("create function northern(region string) returns boolean return region = 'north'")
        run_dbt(["run"])
        run_dbt(["run"])
        tagged = project.run_sql(
            "select table_name from information_schema.table_tags where schema_name = '{schema}'", fetch="all"
        )
        assert sorted(row[0] for row in tagged) == ["mv", "plain", "st"]
        with (
            databricks_local.connect(
                warehouse, master="local[2]", schema=project.test_schema, principal="analyst@x.org"
            ) as connection,
            connection.cursor() as cursor,
        ):
            for name, seen in (("st", [1]), ("mv", [1]), ("plain", [1, 2])):
                assert [row[0] for row in cursor.execute(f"select id from {name} order by id")] == seen, name
