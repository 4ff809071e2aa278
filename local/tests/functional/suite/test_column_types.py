"""dbt.tests.adapter.column_types on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.column_types.test_column_types import BaseColumnTypes

MODEL = """
select 1S as small, 1 as plain, 1L as big, 1.5D as real, cast(1 as decimal(9, 2)) as exact, 'x' as text
"""
SCHEMA = """
version: 2
models:
  - name: model
    data_tests:
      - is_type:
          column_map:
            small: [integer, number]
            plain: [integer, number]
            big: [integer, number]
            real: [float, number]
            exact: [numeric, number]
            text: [string, not number]
"""


class TestColumnTypes(BaseColumnTypes):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"model.sql": MODEL, "schema.yml": SCHEMA}

    def test_run_and_test(self, project: Any) -> None:
        self.run_and_test()
