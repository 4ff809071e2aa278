"""What dbt's own test fixtures need to run on the local executor: one warehouse and one JVM for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.factory import reset_adapters
from dbt.tests.fixtures.project import (
    adapter,
    analyses,
    clean_up_logging,
    dbt_profile_data,
    dbt_project_yml,
    dependencies,
    dependencies_yml,
    environment,
    functions,
    initialization,
    macros,
    models,
    packages,
    packages_yml,
    prefix,
    profiles_config_update,
    profiles_root,
    profiles_yml,
    project,
    project_config_update,
    project_files,
    project_root,
    project_setup,
    properties,
    seeds,
    selectors,
    selectors_yml,
    shared_data_dir,
    snapshots,
    test_config,
    test_data_dir,
    tests,
    unique_schema,
)

import databricks_local

__all__ = [
    "adapter", "analyses", "clean_up_logging", "dbt_profile_data", "dbt_project_yml", "dependencies",
    "dependencies_yml", "environment", "functions", "initialization", "macros", "models", "packages", "packages_yml",
    "prefix", "profiles_config_update", "profiles_root", "profiles_yml", "project", "project_config_update",
    "project_files", "project_root", "project_setup", "properties", "seeds", "selectors", "selectors_yml",
    "shared_data_dir", "snapshots", "test_config", "test_data_dir", "tests", "unique_schema",
]  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def quiet_dbt() -> Iterator[None]:
    """Tests that set `flags` would lose the setting of dbt's fixture: nothing is reported home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield


@pytest.fixture(scope="class")
def dbt_profile_target(warehouse: Path, keeper: databricks_local.Connection) -> dict[str, Any]:
    """The run's warehouse, which `keeper` holds open between dbt commands."""
    # dbt keeps the adapter of the project that a test before ran in this process, and would use it here.
    reset_adapters()
    return {"type": "databricks_local", "warehouse": str(warehouse), "master": "local[2]", "threads": 4}


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Beside the project, where dbt's own fixture would write below the repository."""
    directory = tmp_path_factory.mktemp("logs")
    os.environ["DBT_LOG_PATH"] = str(directory)
    yield str(directory)
    del os.environ["DBT_LOG_PATH"]
