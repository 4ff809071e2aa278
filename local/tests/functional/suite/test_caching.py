"""dbt.tests.adapter.caching on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.caching.test_caching import (
    BaseCachingLowercaseModel,
    BaseCachingSelectedSchemaOnly,
    BaseCachingUppercaseModel,
    BaseNoPopulateCache,
)


class TestCachingLowercaseModel(BaseCachingLowercaseModel):
    pass


@pytest.mark.long
class TestCachingSelectedSchemaOnly(BaseCachingSelectedSchemaOnly):
    pass


@pytest.mark.long
class TestCachingUppercaseModel(BaseCachingUppercaseModel):
    pass


@pytest.mark.long
class TestNoPopulateCache(BaseNoPopulateCache):
    pass
