"""Connections of a principal beside that of the owner, and dbt-databricks's own statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import databricks_local

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def schema(query: Query) -> str:
    """The schema of the test's own connection."""
    return str(query("select current_schema()")[0][0])


@pytest.fixture
def query_as(
    warehouse: Path, connection: databricks_local.Connection, schema: str
) -> Iterator[Callable[[str, str], list[tuple[Any, ...]]]]:
    """Runs a statement as a principal, in the schema of the test."""
    opened: dict[str, databricks_local.Connection] = {}

    def run(principal: str, statement: str) -> list[tuple[Any, ...]]:
        if principal not in opened:
            opened[principal] = databricks_local.connect(
                warehouse, master="local[2]", schema=schema, principal=principal
            )
        with opened[principal].cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    yield run
    for one in opened.values():
        one.close()
