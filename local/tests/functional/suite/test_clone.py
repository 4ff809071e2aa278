"""dbt.tests.adapter.dbt_clone on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.dbt_clone.test_dbt_clone import (
    BaseClonePossible,
    BaseCloneSameTargetAndState,
)


@pytest.mark.long
class TestClonePossible(BaseClonePossible):
    pass


@pytest.mark.long
class TestCloneSameTargetAndState(BaseCloneSameTargetAndState):
    pass
