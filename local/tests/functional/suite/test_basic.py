"""dbt.tests.adapter.basic on the local executor."""

from __future__ import annotations

import getpass
from typing import Any

import pytest
from dbt.tests.adapter.basic.expected_catalog import base_expected_catalog, expected_references_catalog, no_stats
from dbt.tests.adapter.basic.test_adapter_methods import BaseAdapterMethod
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_docs_generate import BaseDocsGenerate, BaseDocsGenReferences
from dbt.tests.adapter.basic.test_empty import BaseEmpty
from dbt.tests.adapter.basic.test_ephemeral import BaseEphemeral
from dbt.tests.adapter.basic.test_generic_tests import BaseGenericTests
from dbt.tests.adapter.basic.test_incremental import (
    BaseIncremental,
    BaseIncrementalBadStrategy,
    BaseIncrementalNotSchemaChange,
)
from dbt.tests.adapter.basic.test_singular_tests import BaseSingularTests
from dbt.tests.adapter.basic.test_singular_tests_ephemeral import BaseSingularTestsEphemeral
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.basic.test_table_materialization import BaseTableMaterialization
from dbt.tests.adapter.basic.test_validate_connection import BaseValidateConnection


def databricks_catalog() -> dict[str, Any]:
    """What dbt-databricks writes into catalog.json; the owner of a relation is who created it."""
    return {
        "role": getpass.getuser(),
        "id_type": "bigint",
        "text_type": "string",
        "time_type": "timestamp",
        "view_type": "view",
        "table_type": "table",
        "model_stats": no_stats(),
    }


class TestSimpleMaterializations(BaseSimpleMaterializations):
    pass


@pytest.mark.long
class TestAdapterMethod(BaseAdapterMethod):
    pass


@pytest.mark.long
class TestDocsGenerate(BaseDocsGenerate):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any) -> dict[str, Any]:
        return base_expected_catalog(project, **databricks_catalog())


@pytest.mark.long
class TestDocsGenReferences(BaseDocsGenReferences):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any) -> dict[str, Any]:
        expected: dict[str, Any] = expected_references_catalog(project, bigint_type="bigint", **databricks_catalog())
        # dbt-databricks counts columns from 0.
        for node in (*expected["nodes"].values(), *expected["sources"].values()):
            columns = node["columns"].items()
            node["columns"] = {name: {**column, "index": column["index"] - 1} for name, column in columns}
        return expected


@pytest.mark.long
class TestEmpty(BaseEmpty):
    pass


@pytest.mark.long
class TestEphemeral(BaseEphemeral):
    pass


class TestGenericTests(BaseGenericTests):
    pass


@pytest.mark.long
class TestIncremental(BaseIncremental):
    pass


@pytest.mark.long
class TestIncrementalBadStrategy(BaseIncrementalBadStrategy):
    @pytest.fixture(autouse=True)
    def table_to_add_to(self, project: Any) -> None:
        # dbt-databricks looks for the strategy's macro when there is a table to add to, not at the first run.
        project.run_sql("create table {schema}.incremental (id int)")


@pytest.mark.long
class TestIncrementalNotSchemaChange(BaseIncrementalNotSchemaChange):
    pass


class TestSingularTests(BaseSingularTests):
    pass


@pytest.mark.long
class TestSingularTestsEphemeral(BaseSingularTestsEphemeral):
    pass


@pytest.mark.long
class TestSnapshotCheckCols(BaseSnapshotCheckCols):
    pass


@pytest.mark.long
class TestSnapshotTimestamp(BaseSnapshotTimestamp):
    pass


@pytest.mark.long
class TestTableMaterialization(BaseTableMaterialization):
    pass


@pytest.mark.long
class TestValidateConnection(BaseValidateConnection):
    pass
