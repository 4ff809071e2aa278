"""Streaming tables by dbt-databricks's own materialization: created, refreshed, changed, made anew."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.util import read_file, run_dbt, run_dbt_and_capture, write_file

STREAMING_TABLE = """
{{ config(materialized='streaming_table', tblproperties={'team': 'crm'}) }}
select id, name from stream {{ source('raw', 'events') }}
"""
SOURCES = """
version: 2
sources:
  - name: raw
    schema: "{{ target.schema }}"
    tables:
      - name: events
models:
  - name: arrivals
    description: What arrived
    columns:
      - name: id
        description: The event's number
      - name: name
"""
CLUSTERED = """
{{ config(materialized='streaming_table', liquid_clustered_by='id', schedule={'every': '1 DAY'}) }}
select id, name from stream {{ source('raw', 'events') }}
"""


def rows(project: Any, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in project.run_sql(f"select * from {table}", fetch="all"))


def properties(project: Any, table: str) -> dict[str, str]:
    return {row.key: row.value for row in project.run_sql(f"show tblproperties {table}", fetch="all")}


def table_type(project: Any, table: str) -> str:
    found = project.run_sql(
        f"select table_type from information_schema.tables where table_schema = '{{schema}}' "
        f"and table_name = '{table}'",
        fetch="one",
    )
    return str(found[0])


class StreamingTables:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"arrivals.sql": STREAMING_TABLE, "clustered.sql": CLUSTERED, "schema.yml": SOURCES}

    @pytest.fixture(scope="class", autouse=True)
    def events(self, project: Any) -> None:
        project.run_sql("create table events (id int, name string, extra string)")
        project.run_sql("insert into events values (1, 'a', 'x'), (2, 'b', 'y')")

    def test_a_run_creates_and_the_next_one_reads_only_what_is_new(self, project: Any) -> None:
        run_dbt(["run"])
        assert rows(project, "arrivals") == [(1, "a"), (2, "b")]
        assert rows(project, "clustered") == [(1, "a"), (2, "b")]
        assert table_type(project, "arrivals") == "STREAMING_TABLE"
        # Would be written a second time if the next run did not go on where this one stopped.
        project.run_sql("delete from arrivals where id = 1")
        project.run_sql("insert into events values (3, 'c', 'z')")
        run_dbt(["run"])
        assert rows(project, "arrivals") == [(2, "b"), (3, "c")]
        # dbt leaves a table that has a schedule to its schedule; locally that is whoever asks for a refresh.
        assert rows(project, "clustered") == [(1, "a"), (2, "b")]
        project.run_sql("refresh streaming table clustered")
        assert rows(project, "clustered") == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.long
class TestStreamingTablesOfTheFirstMaterialization(StreamingTables):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": False}}


class TestStreamingTables(StreamingTables):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}

    def test_changed_properties_are_set_and_the_data_stays(self, project: Any) -> None:
        text = read_file("models", "arrivals.sql")
        write_file(text.replace("'team': 'crm'", "'team': 'sales', 'tier': '1'"), "models", "arrivals.sql")
        before = rows(project, "arrivals")
        run_dbt(["run", "--select", "arrivals"])
        shown = properties(project, "arrivals")
        assert (shown["team"], shown["tier"]) == ("sales", "1")
        assert rows(project, "arrivals") == before

    def test_a_changed_query_counts_from_the_next_row_on(self, project: Any) -> None:
        text = read_file("models", "arrivals.sql")
        write_file(text.replace("select id, name", "select id, upper(name) as name"), "models", "arrivals.sql")
        project.run_sql("insert into events values (4, 'd', 'w')")
        run_dbt(["run", "--select", "arrivals"])
        assert rows(project, "arrivals")[-2:] == [(3, "c"), (4, "D")]

    def test_a_full_refresh_reads_everything_with_the_query_of_today(self, project: Any) -> None:
        run_dbt(["run", "--select", "arrivals", "--full-refresh"])
        assert rows(project, "arrivals") == [(1, "A"), (2, "B"), (3, "C"), (4, "D")]
        comments = {r.column_name: r.comment for r in project.run_sql(
            "select column_name, comment from information_schema.columns "
            "where table_schema = '{schema}' and table_name = 'arrivals'", fetch="all")}  # fmt: skip
        assert comments["id"] == "The event's number"


ON_CHANGE = STREAMING_TABLE.replace("tblproperties", "on_configuration_change='{}', tblproperties")


@pytest.mark.long
class TestStreamingTableChangesHeldBack:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "continues.sql": ON_CHANGE.replace("{}", "continue", 1),
            "fails.sql": ON_CHANGE.replace("{}", "fail", 1),
            "schema.yml": SOURCES.partition("models:")[0],
        }

    def test_a_change_is_reported_or_refused_and_nothing_is_altered(self, project: Any) -> None:
        project.run_sql("create table events (id int, name string)")
        run_dbt(["run"])
        for name in ("continues", "fails"):
            text = read_file("models", f"{name}.sql")
            write_file(text.replace("'team': 'crm'", "'team': 'sales'"), "models", f"{name}.sql")
        _, log = run_dbt_and_capture(["run", "--select", "continues"])
        assert "was set to `continue`" in log
        _, log = run_dbt_and_capture(["run", "--select", "fails"], expect_pass=False)
        assert "was set to `fail`" in log
        assert properties(project, "continues")["team"] == properties(project, "fails")["team"] == "crm"


@pytest.mark.long
class TestOtherRelationsOfTheName:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"arrivals.sql": STREAMING_TABLE, "schema.yml": SOURCES}

    def test_a_streaming_table_takes_the_place_of_a_table_and_back(self, project: Any) -> None:
        project.run_sql("create table events (id int, name string)")
        project.run_sql("insert into events values (1, 'a')")
        project.run_sql("create table arrivals as select 0 as id, 'old' as name")
        run_dbt(["run"])
        assert table_type(project, "arrivals") == "STREAMING_TABLE"
        assert rows(project, "arrivals") == [(1, "a")]
        write_file("{{ config(materialized='table') }} select 9 as id, 'new' as name", "models", "arrivals.sql")
        run_dbt(["run"])
        assert table_type(project, "arrivals") == "MANAGED"
        assert rows(project, "arrivals") == [(9, "new")]
