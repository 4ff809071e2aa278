"""One warehouse and one JVM for the whole run; a schema of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from querying import Query

import databricks_local

_schemas = itertools.count()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the run's warehouse."""
    return tmp_path_factory.mktemp("warehouse")


@pytest.fixture(scope="session")
def keeper(warehouse: Path) -> Iterator[databricks_local.Connection]:
    """A connection that stays open, so that no test pays for opening the warehouse again."""
    with databricks_local.connect(warehouse, master="local[2]") as connection:
        yield connection


@pytest.fixture
def connection(keeper: databricks_local.Connection, warehouse: Path) -> Iterator[databricks_local.Connection]:
    """A connection whose current schema nobody else uses."""
    schema = f"test_{next(_schemas)}"
    with databricks_local.connect(warehouse, master="local[2]", schema=schema) as opened:
        yield opened
        opened.cursor().execute(f"drop schema if exists {schema} cascade")


@pytest.fixture
def query(connection: databricks_local.Connection) -> Query:
    """Runs a statement and gives its rows as plain tuples."""

    def run(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return [tuple(row) for row in cursor.fetchall()]

    return run


@pytest.fixture(scope="session")
def spark(keeper: databricks_local.Connection) -> SparkSession:
    """The session of the run, for what is tested below the level of statements."""
    return keeper.spark
