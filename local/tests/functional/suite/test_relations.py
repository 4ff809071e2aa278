"""dbt.tests.adapter.relations on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.relations.test_changing_relation_type import BaseChangeRelationTypeValidator
from dbt.tests.adapter.relations.test_dropping_schema_named import BaseDropSchemaNamed


class TestChangeRelationTypeValidator(BaseChangeRelationTypeValidator):
    pass


@pytest.mark.long
class TestDropSchemaNamed(BaseDropSchemaNamed):
    pass
