"""dbt.tests.adapter.empty on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.empty.test_empty import (
    BaseTestEmpty,
    BaseTestEmptyInlineSourceRef,
    MetadataWithEmptyFlag,
)


@pytest.mark.long
class TestEmpty(BaseTestEmpty):
    pass


@pytest.mark.long
class TestEmptyInlineSourceRef(BaseTestEmptyInlineSourceRef):
    pass


@pytest.mark.long
class TestMetadataWithEmptyFlag(MetadataWithEmptyFlag):
    pass
