"""dbt.tests.adapter.functions on the local executor: functions in SQL."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.functions.test_udfs import (
    ErrorForUnsupportedType,
    SqlUDFDefaultArgSupport,
    UDFsBasic,
)


class TestUDFsBasic(UDFsBasic):
    pass


@pytest.mark.long
class TestErrorForUnsupportedType(ErrorForUnsupportedType):
    pass


@pytest.mark.long
class TestSqlUDFDefaultArgSupport(SqlUDFDefaultArgSupport):
    pass
