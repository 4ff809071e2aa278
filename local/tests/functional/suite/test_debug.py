"""dbt.tests.adapter.dbt_debug on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.dbt_debug.test_dbt_debug import (
    BaseDebugInvalidProjectPostgres,
    BaseDebugPostgres,
)


class TestDebugPostgres(BaseDebugPostgres):
    pass


@pytest.mark.long
class TestDebugInvalidProjectPostgres(BaseDebugInvalidProjectPostgres):
    pass
