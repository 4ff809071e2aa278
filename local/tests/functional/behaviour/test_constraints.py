"""Contracts and constraints: what is enforced, what is recorded, what a broken one leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dbt.tests.util import read_file, run_dbt, run_dbt_and_capture, write_file

import databricks_local

PARENT = "{{ config(materialized='table') }} select 1 as id, 'a' as name"
CHILD = "{{ config(materialized='incremental') }} select 10 as id, 1 as parent_id, 5 as amount"
SCHEMA = """
version: 2
models:
  - name: parent
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}]}
      - {name: name, data_type: string, description: "it's a \\"name\\""}
    constraints:
      - {type: primary_key, name: parent_key, columns: [id]}
  - name: child
    config: {contract: {enforced: true}, on_schema_change: append_new_columns}
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}]}
      - {name: parent_id, data_type: int}
      - {name: amount, data_type: int}
    constraints:
      - {type: foreign_key, name: child_parent, columns: [parent_id], to: ref('parent'), to_columns: [id]}
      - {type: check, name: positive, expression: amount > 0}
"""


class Constraints:
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"parent.sql": PARENT, "child.sql": CHILD, "schema.yml": SCHEMA}

    def test_keys_are_recorded(self, project: Any) -> None:
        run_dbt(["run"])
        found = project.run_sql(
            "select table_name, constraint_name, constraint_type from information_schema.table_constraints "
            "where table_schema = '{schema}'",
            fetch="all",
        )
        keys = {tuple(row) for row in found}
        assert {("parent", "parent_key", "PRIMARY KEY"), ("child", "child_parent", "FOREIGN KEY")} <= keys

    @pytest.mark.parametrize(
        ("name", "row", "says"),
        [
            ("parent", "(null, 'b')", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
            ("child", "(11, 1, -5)", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
        ],
    )
    def test_a_row_that_breaks_a_constraint_is_refused(
        self, project: Any, warehouse: Path, name: str, row: str, says: str
    ) -> None:
        before = project.run_sql(f"select count(*) from {name}", fetch="one")[0]
        with (
            databricks_local.connect(warehouse, master="local[2]", schema=project.test_schema) as connection,
            connection.cursor() as cursor,
            pytest.raises(databricks_local.DatabaseError, match=says),
        ):
            cursor.execute(f"insert into {name} values {row}")
        assert project.run_sql(f"select count(*) from {name}", fetch="one")[0] == before

    def test_a_model_that_breaks_a_constraint_fails_and_keeps_the_table(self, project: Any) -> None:
        write_file(read_file("models", "child.sql").replace("5 as amount", "-5 as amount"), "models", "child.sql")
        _, log = run_dbt_and_capture(["run", "--select", "child"], expect_pass=False)
        assert "positive" in log
        assert [tuple(r) for r in project.run_sql("select * from child", fetch="all")] == [(10, 1, 5)]

    def test_a_model_that_breaks_its_contract_fails_before_it_is_built(self, project: Any) -> None:
        write_file("{{ config(materialized='table') }} select '1' as id, 'a' as name", "models", "parent.sql")
        _, log = run_dbt_and_capture(["run", "--select", "parent"], expect_pass=False)
        assert "This model has an enforced contract that failed" in log


class TestConstraints(Constraints):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


@pytest.mark.long
class TestConstraintsOfTheFirstMaterialization(Constraints):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": False}}
