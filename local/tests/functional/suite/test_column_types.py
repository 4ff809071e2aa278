"""dbt.tests.adapter.column_types on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.column_types.test_column_types import BaseColumnTypes

MODEL = """
select 1S as small, 1 as plain, 1L as big, 1.5D as real, cast(1 as decimal(9, 2)) as exact, 'x' as text
"""
# dbt's Column knows a type by the names that Postgres gives it; dbt-databricks adds nothing to them, so that INT,
# DECIMAL(9,2) and STRING are of no kind.
SCHEMA = """
version: 2
models:
  - name: model
    data_tests:
      - is_type:
          column_map:
            small: [integer, number]
            plain: [not integer, not number]
            big: [integer, number]
            real: [float, number]
            exact: [not numeric, not number]
            text: [not string, not number]
"""


class TestColumnTypes(BaseColumnTypes):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"model.sql": MODEL, "schema.yml": SCHEMA}

    def test_run_and_test(self, project: Any) -> None:
        self.run_and_test()
