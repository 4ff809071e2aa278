"""Running the compiled code of a Python model in this process."""

from __future__ import annotations

import sys
from typing import Any

from dbt_common.exceptions import DbtRuntimeError
from pyspark.sql import SparkSession


def run_python_model(parsed_model: dict[str, Any], compiled_code: str, spark: SparkSession) -> None:
    """Run a Python model with `spark` in scope, as on a cluster.

    Args:
        parsed_model: dbt's node, for its name and path.
        compiled_code: what dbt made of the model.
        spark: the session.

    Raises:
        DbtRuntimeError: the model raised or exited; names it and keeps the cause.
    """
    name = parsed_model.get("name", "model")
    namespace: dict[str, Any] = {"__name__": "__dbt_python_model__", "spark": spark}
    _give_main_module_a_file()
    try:
        exec(compile(compiled_code, parsed_model.get("original_file_path", name), "exec"), namespace)
    except SystemExit as error:
        # dbt would wait for ever for a thread that ends this way.
        raise DbtRuntimeError(f"Python model {name} called sys.exit({error.code})") from error
    except Exception as error:
        raise DbtRuntimeError(f"Python model {name} failed: {error}") from error


def _give_main_module_a_file() -> None:
    """PySpark takes a process whose main module has no file (`python -c`, a test worker) for its own doctests.

    It exits then when `pyspark.sql.connect` is imported, which dbt-databricks's Python models try. The file is one that
    a process spawned from this one may import as its main module without harm.
    """
    vars(sys.modules["__main__"]).setdefault("__file__", __file__)
