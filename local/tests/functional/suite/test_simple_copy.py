"""dbt.tests.adapter.simple_copy on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.simple_copy.test_simple_copy import EmptyModelsArentRunBase, SimpleCopyBase


@pytest.mark.long
class TestSimpleCopy(SimpleCopyBase):
    pass


@pytest.mark.long
class TestEmptyModelsArentRun(EmptyModelsArentRunBase):
    pass
