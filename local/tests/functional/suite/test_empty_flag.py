"""dbt.tests.adapter.empty on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.empty import _models as fixtures
from dbt.tests.adapter.empty.test_empty import (
    BaseTestEmpty,
    BaseTestEmptyInlineSourceRef,
    MetadataWithEmptyFlag,
)

MODELS = [
    "control",
    "get_columns_in_relation",
    "alter_column_type",
    "alter_relation_comment",
    "alter_column_comment",
    "alter_relation_add_remove_columns",
    "truncate_relation",
]
_RENDERS_A_SUBQUERY = pytest.mark.xfail(
    strict=True,
    reason="alter_column_type of dbt-databricks 1.12.7 writes the relation with its limit: ALTER TABLE (SELECT …)",
)


@pytest.mark.long
class TestEmpty(BaseTestEmpty):
    pass


@pytest.mark.long
class TestEmptyInlineSourceRef(BaseTestEmptyInlineSourceRef):
    pass


@pytest.mark.long
class TestMetadataWithEmptyFlag(MetadataWithEmptyFlag):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """The models of the base class; a VARCHAR of Databricks has a length."""
        models = {name: getattr(fixtures, name.upper()) for name in MODELS}
        return {f"{name}.sql": model.replace('"varchar"', '"string"') for name, model in models.items()} | {
            "schema.yml": fixtures.SCHEMA
        }

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        # A column can be dropped only where names are mapped.
        return {"seeds": {"+tblproperties": {"delta.columnMapping.mode": "name"}}}

    @pytest.mark.parametrize(
        "model",
        [pytest.param(name, marks=_RENDERS_A_SUBQUERY if name == "alter_column_type" else ()) for name in MODELS],
    )
    def test_run(self, project: Any, model: str) -> None:
        super().test_run(project, model)
