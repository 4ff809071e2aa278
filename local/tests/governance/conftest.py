"""Connections of a principal beside that of the owner, and dbt-databricks's own statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import databricks_local
from databricks_local import groups

from .customers import ANN, BOB

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


@pytest.fixture
def customers(query: Query, warehouse: Path) -> None:
    """A table whose e-mail address only the group `support` may read."""
    groups.set_groups(warehouse, {"support": [BOB], "north": [ANN]})
    query("create table customers (id int, region string, email string)")
    query("insert into customers values (1, 'north', 'ann@x.example'), (2, 'south', 'bob@x.example')")
    query(
        "create function mask_email(email string) returns string "
        "return case when is_account_group_member('support') then email else 'hidden' end"
    )
    query("alter table customers alter column email set mask mask_email")
