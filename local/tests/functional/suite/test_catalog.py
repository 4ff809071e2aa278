"""dbt.tests.adapter.catalog on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.catalog.relation_types import CatalogRelationTypes


@pytest.mark.long
class TestCatalogRelationTypes(CatalogRelationTypes):
    # dbt-databricks knows two types here: what is no view is a table.
    @pytest.mark.parametrize(
        ("node_name", "relation_type"),
        [
            ("seed.test.my_seed", "table"),
            ("model.test.my_table", "table"),
            ("model.test.my_view", "view"),
            ("model.test.my_materialized_view", "table"),
        ],
    )
    def test_relation_types_populate_correctly(self, docs: Any, node_name: str, relation_type: str) -> None:
        super().test_relation_types_populate_correctly(docs, node_name, relation_type)
