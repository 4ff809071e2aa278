"""A way to run flows over plain DataFrames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from .harness import Table


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Callable[..., Table]:
    """Make a target with its flow: `table(source_ddl, clauses)`."""
    made: list[Table] = []

    def make(source: str, clauses: str, columns: str = "") -> Table:
        made.append(Table(spark, tmp_path / f"table{len(made)}", source, clauses, columns))
        return made[-1]

    return make
