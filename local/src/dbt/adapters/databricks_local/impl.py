"""The adapter: dbt-databricks's, with Python models run in this process."""

from __future__ import annotations

from typing import Any

from dbt.adapters.__about__ import version as adapters_version
from dbt.adapters.base.relation import AdapterTrackingRelationInfo
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.contracts.relation import RelationConfig
from dbt.adapters.databricks.impl import DatabricksAdapter
from dbt.adapters.databricks_local.connections import DatabricksLocalConnectionManager
from dbt.adapters.databricks_local.python_model import run_python_model

from databricks_local import __version__


class DatabricksLocalAdapter(DatabricksAdapter):
    """dbt-databricks on one machine."""

    ConnectionManager = DatabricksLocalConnectionManager

    connections: DatabricksLocalConnectionManager

    @classmethod
    def type(cls) -> str:
        """The name that profiles use."""
        return "databricks_local"

    @classmethod
    def get_adapter_run_info(cls, config: RelationConfig) -> AdapterTrackingRelationInfo:
        """What dbt reports about the adapter; it would look for the version in a module named without underscore."""
        return AdapterTrackingRelationInfo(  # type: ignore[abstract]
            adapter_name=cls.type(),
            base_adapter_version=adapters_version,
            adapter_version=__version__,
            model_adapter_details=cls._get_adapter_specific_run_info(config),
        )

    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        """Run a Python model here, with `spark` in scope as on a cluster.

        Raises:
            DbtRuntimeError: the model raised or exited; names it and keeps the cause.
        """
        spark = self.connections.spark_of(self.connections.get_thread_connection())
        run_python_model(parsed_model, compiled_code, spark)
        return AdapterResponse(_message="OK", code="OK")
