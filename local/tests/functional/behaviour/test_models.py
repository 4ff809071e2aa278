"""Python models, unit tests, documentation, the catalog, and freshness, in one project each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.util import read_file, run_dbt, write_file

PYTHON_TABLE = """
def model(dbt, spark):
    dbt.config(materialized="table")
    numbers = dbt.ref("numbers")
    return numbers.withColumn("double", numbers.n * 2)
"""
PYTHON_INCREMENTAL = """
def model(dbt, spark):
    dbt.config(materialized="incremental", unique_key="n")
    numbers = dbt.ref("numbers")
    if dbt.is_incremental:
        last = spark.sql(f"select max(n) from {dbt.this}").first()[0]
        return numbers.filter(numbers.n >= last).selectExpr("n", "'later' as seen")
    return numbers.filter("n <= 2").selectExpr("n", "'first' as seen")
"""
PANDAS = """
import pandas as pd

def model(dbt, spark):
    dbt.config(materialized="table")
    return pd.DataFrame({"n": [1, 2], "text": ["a", None]})
"""
BROKEN = """
def model(dbt, spark):
    numbers = dbt.ref("numbers")
    raise ValueError("no such luck")
    return numbers
"""


LEAVING = """
import sys

def model(dbt, session):
    numbers = dbt.ref("numbers")
    sys.exit(3)
    return numbers
"""


class PythonModels:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "numbers.sql": "select * from values (1), (2), (3) as t(n)",
            "doubled.py": PYTHON_TABLE,
            "seen.py": PYTHON_INCREMENTAL,
            "frame.py": PANDAS,
        }

    def test_a_python_model_is_a_table_and_an_incremental_one_grows(self, project: Any) -> None:
        run_dbt(["run"])
        run_dbt(["run"])
        assert [tuple(r) for r in project.run_sql("select * from doubled order by n", fetch="all")] == [
            (1, 2), (2, 4), (3, 6),
        ]  # fmt: skip
        assert [tuple(r) for r in project.run_sql("select * from seen order by n", fetch="all")] == [
            (1, "first"), (2, "later"), (3, "later"),
        ]  # fmt: skip
        assert [tuple(r) for r in project.run_sql("select * from frame order by n", fetch="all")] == [
            (1, "a"),
            (2, None),
        ]

    def test_a_model_that_raises_fails_by_its_own_message(self, project: Any) -> None:
        write_file(BROKEN, "models", "doubled.py")
        results = run_dbt(["run", "--select", "doubled"], expect_pass=False)
        assert "no such luck" in results.results[0].message
        assert project.run_sql("select count(*) from doubled", fetch="one")[0] == 3

    def test_a_model_that_exits_fails_and_the_run_ends(self, project: Any) -> None:
        write_file(LEAVING, "models", "doubled.py")
        results = run_dbt(["run", "--select", "doubled"], expect_pass=False)
        assert "Python model doubled called sys.exit(3)" in results.results[0].message


class TestPythonModels(PythonModels):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


@pytest.mark.long
class TestPythonModelsOfTheFirstMaterialization(PythonModels):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": False}}


COMMENT = 'It\'s a "quoted" `text`, 100% sure; drop table x; -- no comment\nand a second line'
DOCUMENTED = {
    "t": "{{ config(materialized='table') }} select 1 as id, 'x' as `odd name`",
    "v": "{{ config(materialized='view') }} select 1 as id, 'x' as plain",
    "i": "{{ config(materialized='incremental') }} select 1 as id, 'x' as plain",
    "mv": "{{ config(materialized='materialized_view') }} select id, plain from {{ ref('i') }}",
    "st": "{{ config(materialized='streaming_table') }} select id, plain from stream {{ source('raw', 'src') }}",
}
ODD = {"t": "odd name"}


def documented() -> str:
    models = [
        {
            "name": name,
            "description": f"{name}: {COMMENT}",
            "columns": [
                {"name": "id", "description": f"{name}.id: {COMMENT}"},
                {"name": ODD.get(name, "plain"), "quote": name in ODD},
            ],
        }
        for name in DOCUMENTED
    ]
    sources = [{"name": "raw", "schema": "{{ target.schema }}", "tables": [{"name": "src"}]}]
    return json.dumps({"version": 2, "models": models, "sources": sources})


class TestDocumentation:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {**{f"{name}.sql": text for name, text in DOCUMENTED.items()}, "schema.yml": documented()}

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        mapping = {"delta.columnMapping.mode": "name"}
        return {
            "models": {
                "test": {"+persist_docs": {"relation": True, "columns": True}, "t": {"+tblproperties": mapping}}
            },
            "flags": {"use_materialization_v2": True},
        }

    def test_comments_arrive_as_they_were_written(self, project: Any) -> None:
        project.run_sql("create table src as select 1 as id, 'x' as plain")
        run_dbt(["run"])
        run_dbt(["run"])
        tables = dict(project.run_sql(
            "select table_name, comment from information_schema.tables where table_schema = '{schema}'", fetch="all"
        ))  # fmt: skip
        columns = {(r[0], r[1]): r[2] for r in project.run_sql(
            "select table_name, column_name, comment from information_schema.columns where table_schema = '{schema}'",
            fetch="all")}  # fmt: skip
        for name in DOCUMENTED:
            assert tables[name] == f"{name}: {COMMENT}", name
            assert columns[name, "id"] == f"{name}.id: {COMMENT}", name

    def test_the_catalog_holds_every_column_of_every_relation(self, project: Any) -> None:
        run_dbt(["docs", "generate"])
        catalog = json.loads(Path("target", "catalog.json").read_text())
        for name in DOCUMENTED:
            node = catalog["nodes"][f"model.test.{name}"]
            assert list(node["columns"]) == ["id", ODD.get(name, "plain")], name
            assert node["columns"]["id"]["type"] == "integer"
            # dbt-databricks reads on behind a comment of several lines.
            assert node["metadata"]["comment"].startswith(f"{name}: {COMMENT}")
            # dbt-databricks knows two types here: what is no view is a table.
            assert node["metadata"]["type"] == ("view" if name == "v" else "table")
        assert list(catalog["sources"]["source.test.raw.src"]["columns"]) == ["id", "plain"]


FRESHNESS = """
version: 2
sources:
  - name: raw
    schema: "{{ target.schema }}"
    freshness: {error_after: {count: 1, period: day}}
    tables:
      - name: stale
        config: {loaded_at_field: loaded_at}
      - name: recent
        config: {loaded_at_field: loaded_at}
      - name: by_metadata
"""


class TestFreshness:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"sources.yml": FRESHNESS}

    def test_age_comes_from_the_column_or_from_the_last_commit(self, project: Any) -> None:
        project.run_sql("create table stale as select current_timestamp() - interval 3 days as loaded_at")
        project.run_sql("create table recent as select current_timestamp() as loaded_at")
        project.run_sql("create table by_metadata as select 1 as id")
        results = run_dbt(["source", "freshness"], expect_pass=False)
        assert {r.node.name: str(r.status) for r in results} == {
            "stale": "error", "recent": "pass", "by_metadata": "pass",
        }  # fmt: skip


STREAM_OR_TABLE = """
{%- macro read_stream(relation) %} stream {{ relation }} {% endmacro -%}
"""
COUNTED = """
{{ config(materialized='streaming_table') }}
select id, upper(name) as name from {{ read_stream(ref('raw_names')) }}
"""
UNIT_TESTS = """
unit_tests:
  - name: names_are_upper_case
    model: names
    overrides: {macros: {read_stream: names_in}}
    given:
      - input: ref('raw_names')
        rows: [{id: 1, name: "it's"}, {id: 2}]
    expect:
      rows: [{id: 1, name: "IT'S"}, {id: 2, name: null}]
  - name: types_of_every_kind
    model: typed
    given:
      - input: ref('raw_typed')
        rows:
          - {d: 2026-01-02, t: "2026-01-02 03:04:05", a: "array(1, 2)", m: 'map("k", 1)', n: 1.50, b: true}
    expect:
      rows:
          - {d: 2026-01-02, t: "2026-01-02 03:04:05", a: "array(1, 2)", m: 'map("k", 1)', n: 1.50, b: true}
"""
TYPED = (
    "select date'2026-01-01' as d, timestamp'2026-01-01 00:00:00' as t, array(1) as a, map('k', 1) as m, "
    "cast(1 as decimal(9, 2)) as n, true as b"
)


class TestUnitTests:
    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, str]:
        return {"read.sql": STREAM_OR_TABLE}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "raw_names.sql": "{{ config(materialized='table') }} select 1 as id, 'a' as name",
            "names.sql": COUNTED,
            "raw_typed.sql": "{{ config(materialized='table') }} " + TYPED,
            "typed.sql": "select d, t, a, m, n, b from {{ ref('raw_typed') }}",
            "unit.yml": UNIT_TESTS.replace("names_in", "__dbt__cte__raw_names"),
        }

    def test_models_are_tested_on_given_rows(self, project: Any) -> None:
        run_dbt(["run", "--select", "raw_names", "raw_typed"])
        results = run_dbt(["test"])
        assert {r.node.name: str(r.status) for r in results} == {
            "names_are_upper_case": "pass", "types_of_every_kind": "pass",
        }  # fmt: skip
        write_file(read_file("models", "names.sql").replace("upper", "lower"), "models", "names.sql")
        run_dbt(["test", "--select", "names"], expect_pass=False)
