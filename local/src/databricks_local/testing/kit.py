"""What the fixture `cdc_kit` gives: a scratch warehouse, the named histories, and the models of a dbt project."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pyspark import SparkContext

import databricks_local
from databricks_local.testing.convergence import Report, converges
from databricks_local.testing.dbt_models import DbtModels
from databricks_local.testing.fixtures import BUILT_IN, Fixture, read_fixtures
from databricks_local.testing.model import CdcModel

# Small tables: more tasks at a time cost more than they bring.
DEFAULT_MASTER = "local[2]"
SCHEMA = "cdc_kit"
# And interpreting the few rows of each costs less than compiling Java for each expression.
_CONF = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


class CdcKit:
    """Puts AUTO CDC tables to the test, in a warehouse of its own.

    Args:
        scratch: an empty directory.
        project: the dbt project that `dbt_model` takes models from; None where there is none.
        histories: directories of named histories, besides the built-in one.
        master: a Spark master; by default the one that this process runs on already.
    """

    def __init__(
        self,
        scratch: Path,
        *,
        project: Path | None = None,
        histories: Sequence[Path] = (),
        master: str | None = None,
    ) -> None:
        self._scratch = scratch
        self._project = project
        self._histories = histories
        self._master = master
        self._projects: dict[Path, DbtModels] = {}

    @cached_property
    def connection(self) -> databricks_local.Connection:
        """A connection to the scratch warehouse, opened when it is first asked for."""
        running = SparkContext._active_spark_context
        master = self._master or (running and running.master) or DEFAULT_MASTER
        return databricks_local.connect(self._scratch / "warehouse", master=master, schema=SCHEMA, conf=_CONF)

    @cached_property
    def fixtures(self) -> list[Fixture]:
        """The named histories, which are replayed first."""
        return read_fixtures(BUILT_IN, *self._histories)

    def converges(self, model: CdcModel, **options: Any) -> Report:
        """The same as the function `converges`."""
        return converges(model, self, **options)

    def dbt_model(
        self, name: str, *, project: Path | None = None, source: str | Path | None = None, **parts: Any
    ) -> CdcModel:
        """A model of a dbt project, with the statement that its materialization renders.

        Args:
            name: of a model that is materialized as `auto_cdc`.
            project: a dbt project; by default that of the ini option `cdc_project_dir`.
            source: the columns of its staging table, where not every one has a `data_type` in YAML: DDL, or the path of
                a Delta table that has them.
            parts: what `CdcModel` is given besides.

        Raises:
            ValueError: there is no such model, or its staging columns are not known.
            RuntimeError: dbt failed; the message is dbt's.
        """
        return self.dbt_models(project).model(name, source=source, **parts)

    def dbt_models(self, project: Path | None = None) -> DbtModels:
        """The AUTO CDC models of a dbt project.

        Raises:
            ValueError: no project is known.
        """
        directory = project or self._project
        if directory is None:
            raise ValueError(
                "which dbt project? Run pytest where dbt_project.yml is, set the ini option cdc_project_dir, "
                "or give project="
            )
        directory = directory.resolve()
        if directory not in self._projects:
            scratch = self._scratch / f"dbt{len(self._projects)}"
            self._projects[directory] = DbtModels(directory, scratch, self.connection)
        return self._projects[directory]

    def close(self) -> None:
        """Give the warehouse back."""
        if "connection" in self.__dict__:
            self.connection.close()
