"""A way to run flows over plain DataFrames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import databricks_local
from databricks_local.runtime.session import activate

from .harness import Table


@pytest.fixture(scope="session")
def spark(keeper: databricks_local.Connection) -> SparkSession:
    """A session for many small plans: compiling each to bytecode would cost more than running it."""
    session = keeper.spark.newSession()
    activate(session)
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    return session


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Callable[..., Table]:
    """Make a target with its flow: `table(source_ddl, clauses)`."""
    made: list[Table] = []

    def make(source: str, clauses: str, columns: str = "") -> Table:
        made.append(Table(spark, tmp_path / f"table{len(made)}", source, clauses, columns))
        return made[-1]

    return make
