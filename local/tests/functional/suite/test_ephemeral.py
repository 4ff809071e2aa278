"""dbt.tests.adapter.ephemeral on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.ephemeral.test_ephemeral import (
    BaseEphemeralErrorHandling,
    BaseEphemeralMulti,
    BaseEphemeralNested,
)


class TestEphemeralMulti(BaseEphemeralMulti):
    pass


@pytest.mark.long
class TestEphemeralNested(BaseEphemeralNested):
    pass


@pytest.mark.long
class TestEphemeralErrorHandling(BaseEphemeralErrorHandling):
    pass
