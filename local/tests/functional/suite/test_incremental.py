"""dbt.tests.adapter.incremental on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import (
    BaseMergeExcludeColumns,
)
from dbt.tests.adapter.incremental.test_incremental_microbatch import BaseMicrobatch
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import (
    BaseIncrementalOnSchemaChange,
)
from dbt.tests.adapter.incremental.test_incremental_predicates import BaseIncrementalPredicates
from dbt.tests.adapter.incremental.test_incremental_unique_id import BaseIncrementalUniqueKey


@pytest.mark.long
class TestMergeExcludeColumns(BaseMergeExcludeColumns):
    pass


@pytest.mark.long
class TestMicrobatch(BaseMicrobatch):
    pass


@pytest.mark.long
class TestIncrementalOnSchemaChange(BaseIncrementalOnSchemaChange):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        # A column can be dropped only where names are mapped.
        return {"models": {"+tblproperties": {"delta.columnMapping.mode": "name"}}}


@pytest.mark.long
class TestIncrementalPredicates(BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        # The base class's `id` would be a column of both sides of the MERGE.
        return {"models": {"+incremental_predicates": ["dbt_internal_dest.id != 2"]}}


@pytest.mark.long
class TestIncrementalUniqueKey(BaseIncrementalUniqueKey):
    pass
