"""dbt.tests.adapter.utils on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.utils.data_types.test_type_bigint import BaseTypeBigInt
from dbt.tests.adapter.utils.data_types.test_type_boolean import BaseTypeBoolean
from dbt.tests.adapter.utils.data_types.test_type_float import BaseTypeFloat
from dbt.tests.adapter.utils.data_types.test_type_int import BaseTypeInt
from dbt.tests.adapter.utils.data_types.test_type_numeric import BaseTypeNumeric
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.adapter.utils.data_types.test_type_timestamp import BaseTypeTimestamp


@pytest.mark.long
class TestTypeBigInt(BaseTypeBigInt):
    pass


@pytest.mark.long
class TestTypeBoolean(BaseTypeBoolean):
    pass


@pytest.mark.long
class TestTypeFloat(BaseTypeFloat):
    pass


@pytest.mark.long
class TestTypeInt(BaseTypeInt):
    pass


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
