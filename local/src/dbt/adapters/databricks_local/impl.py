"""The adapter: dbt-databricks's, with Python models run in this process."""

from __future__ import annotations

import sys
from typing import Any

from dbt.adapters.__about__ import version as adapters_version
from dbt.adapters.base.relation import AdapterTrackingRelationInfo
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.contracts.relation import RelationConfig
from dbt.adapters.databricks.impl import DatabricksAdapter
from dbt.adapters.databricks_local.connections import DatabricksLocalConnectionManager
from dbt_common.exceptions import DbtRuntimeError

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
            DbtRuntimeError: the model raised; names it and keeps the cause.
        """
        connection = self.connections.get_thread_connection()
        spark = self.connections.spark_of(connection)
        namespace: dict[str, Any] = {"__name__": "__dbt_python_model__", "spark": spark}
        path = parsed_model.get("original_file_path", parsed_model.get("name", "model"))
        _give_main_module_a_file()
        try:
            exec(compile(compiled_code, path, "exec"), namespace)
        except SystemExit as error:
            # dbt would wait for ever for a thread that ends this way.
            raise DbtRuntimeError(f"Python model {parsed_model.get('name')} called sys.exit({error.code})") from error
        except Exception as error:
            raise DbtRuntimeError(f"Python model {parsed_model.get('name')} failed: {error}") from error
        return AdapterResponse(_message="OK", code="OK")


def _give_main_module_a_file() -> None:
    """PySpark takes a process whose main module has no file (`python -c`, a test worker) for its own doctests.

    It exits then when `pyspark.sql.connect` is imported, which dbt-databricks's Python models try. The file is one that
    a process spawned from this one may import as its main module without harm.
    """
    vars(sys.modules["__main__"]).setdefault("__file__", __file__)
