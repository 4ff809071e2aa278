"""dbt.tests.adapter.functions on the local executor: functions in SQL."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.functions.test_udfs import (
    DeterministicUDF,
    ErrorForUnsupportedType,
    NonDeterministicUDF,
    SqlUDFDefaultArgSupport,
    StableUDF,
    UDFsBasic,
)


class TestUDFsBasic(UDFsBasic):
    pass


@pytest.mark.long
class TestDeterministicUDF(DeterministicUDF):
    pass


@pytest.mark.long
class TestStableUDF(StableUDF):
    pass


@pytest.mark.long
class TestNonDeterministicUDF(NonDeterministicUDF):
    pass


@pytest.mark.long
class TestErrorForUnsupportedType(ErrorForUnsupportedType):
    pass


@pytest.mark.long
class TestSqlUDFDefaultArgSupport(SqlUDFDefaultArgSupport):
    pass
