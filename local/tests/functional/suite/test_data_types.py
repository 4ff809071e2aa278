"""dbt.tests.adapter.utils on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.utils.data_types.test_type_bigint import BaseTypeBigInt
from dbt.tests.adapter.utils.data_types.test_type_boolean import BaseTypeBoolean
from dbt.tests.adapter.utils.data_types.test_type_float import BaseTypeFloat
from dbt.tests.adapter.utils.data_types.test_type_float import seeds__expected_csv as float_csv
from dbt.tests.adapter.utils.data_types.test_type_int import BaseTypeInt
from dbt.tests.adapter.utils.data_types.test_type_int import seeds__expected_csv as int_csv
from dbt.tests.adapter.utils.data_types.test_type_numeric import BaseTypeNumeric
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.adapter.utils.data_types.test_type_timestamp import BaseTypeTimestamp


def seed_of_type(column: str, data_type: str) -> str:
    """The properties of the seed `expected`, whose column has a type other than the one a seed gives it."""
    return f"""
version: 2
seeds:
  - name: expected
    config: {{column_types: {{{column}: {data_type}}}}}
"""


@pytest.mark.long
class TestTypeBigInt(BaseTypeBigInt):
    pass


@pytest.mark.long
class TestTypeBoolean(BaseTypeBoolean):
    pass


@pytest.mark.long
class TestTypeFloat(BaseTypeFloat):
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        # A seed's number with a point is a DOUBLE, which EXCEPT tells from a FLOAT of the same digits.
        return {"expected.csv": float_csv, "expected.yml": seed_of_type("float_col", "float")}


@pytest.mark.long
class TestTypeInt(BaseTypeInt):
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        # A seed's whole number is a BIGINT, and the columns of the two relations are compared with their types.
        return {"expected.csv": int_csv, "expected.yml": seed_of_type("int_col", "int")}


@pytest.mark.long
class TestTypeNumeric(BaseTypeNumeric):
    def numeric_fixture_type(self) -> str:
        return "decimal(28,6)"


@pytest.mark.long
class TestTypeString(BaseTypeString):
    pass


@pytest.mark.long
class TestTypeTimestamp(BaseTypeTimestamp):
    pass
