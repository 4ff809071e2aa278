"""`cdc_tests`, beside a dbt model: batches of events, and what the table shows after each.

    models:
      - name: customers
        config:
          meta:
            cdc_tests:
              - name: a_late_update_is_woven_in
                description: An update that arrives behind a newer one does not overwrite it.
                given:
                  - - {customer_id: 1, segment: private, updated_at: "2026-01-02 09:00"}
                  - - {customer_id: 1, segment: mass, updated_at: "2026-01-01 09:00"}
                expect:
                  - - {customer_id: 1, segment: private}
                  - - {customer_id: 1, segment: private}

`given` has a list of rows per batch, with columns of the staging table; one that is not named is NULL. `expect` has as
many entries: the rows of the table in any order, or `null` where nothing is asked. Compared are the columns in
`columns`, or else all that any row of the test expects; `__START_AT.updated_at` is a field of a struct. A value is a
literal by its YAML type, cast to the type of its column; lists and mappings become arrays, structs and maps.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from databricks_local.auto_cdc.types import ddl
from databricks_local.errors import Error
from databricks_local.sql.tokens import quote_identifier, quote_string
from databricks_local.testing.statement import read_statement
from databricks_local.testing.values import comparable

if TYPE_CHECKING:
    import databricks_local
    from databricks_local.testing.kit import CdcKit

Rows = Sequence[Mapping[str, Any]]

_REQUIRED = {"name", "given", "expect"}
_ALLOWED = {*_REQUIRED, "description", "columns"}


@dataclass(frozen=True)
class CdcTest:
    """One test of a model.

    Attributes:
        model: its name.
        name: of the test.
        given: per batch its rows.
        expect: per batch the rows of the table after it; None where nothing is asked.
        columns: that are compared.
    """

    model: str
    name: str
    given: Sequence[Rows]
    expect: Sequence[Rows | None]
    columns: Sequence[str]


class Mismatch(AssertionError):  # noqa: N818  (pytest shows its message as that of a failed assertion)
    """The table shows other rows than a test expects."""


def read_tests(model: str, tests: Any) -> list[CdcTest]:
    """Check the form of a model's tests.

    Raises:
        ValueError: names the model, the test and what was expected.
    """
    if not isinstance(tests, list):
        raise ValueError(f"{model}: cdc_tests is {tests!r}; expected a list of tests")
    read = [_read(model, test) for test in tests]
    repeated = [name for name, count in Counter(test.name for test in read).items() if count > 1]
    if repeated:
        raise ValueError(f"{model}: the cdc_test {repeated[0]} is there twice; give it another name")
    return read


def _read(model: str, test: Any) -> CdcTest:
    if not isinstance(test, dict) or not set(test) >= _REQUIRED or not set(test) <= _ALLOWED:
        raise ValueError(
            f"{model}: {test!r} is no cdc_test; expected a mapping with name, given and expect, and description and "
            "columns if they are needed"
        )
    name = str(test["name"])
    given, expect = test["given"], test["expect"]
    if not isinstance(given, list) or not given or not all(map(_are_rows, given)):
        raise ValueError(f"{model}::{name}: given is {given!r}; expected a list of batches, each a list of rows")
    if not isinstance(expect, list) or not all(rows is None or _are_rows(rows) for rows in expect):
        raise ValueError(f"{model}::{name}: expect is {expect!r}; expected, per batch, a list of rows or null")
    if len(expect) != len(given):
        raise ValueError(f"{model}::{name}: given has {len(given)} batches and expect {len(expect)}; expected as many")
    named = dict.fromkeys(column for rows in expect for row in rows or [] for column in row)
    columns = test.get("columns", list(named))
    unasked = [column for column in named if column not in columns]
    if unasked:
        raise ValueError(f"{model}::{name}: expect has the column {unasked[0]}, which is not among its columns")
    if not columns:
        raise ValueError(f"{model}::{name}: no column is compared; name some in columns")
    return CdcTest(model, name, given, expect, columns)


def _are_rows(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def run_test(test: CdcTest, kit: CdcKit) -> None:
    """Deliver the batches to a table of the test's own, and compare after each.

    Raises:
        Mismatch: with the rows that are missing and those that are unexpected.
        ValueError: a column is not in the staging table or the table, or a value does not fit its type.
        DatabaseError: a refresh failed.
    """
    model = kit.dbt_model(test.model)
    connection = kit.connection
    name = uuid4().hex[:12]
    source, target = (quote_identifier(f"{kind}_{name}") for kind in ("source", "target"))
    with connection.cursor() as cursor:
        assert isinstance(model.source, str)  # kit.dbt_model has it from YAML
        cursor.execute(f"create table {source} ({model.source})")
        columns = connection.spark.table(source).schema
        statement = read_statement(model.statement).between(source, target)
        for number, (rows, expected) in enumerate(zip(test.given, test.expect, strict=True), start=1):
            where = f"{test.model}::{test.name}, batch {number}"
            if rows:
                selected = _selected(f"{where}, given", rows, columns.fields)
                _execute(cursor, f"insert into {source} by name {selected}", where)
            _execute(cursor, statement, where)
            if expected is not None:
                _compare(connection, f"{where}, expect", target, test.columns, expected)
        cursor.execute(f"drop table {target}")
        cursor.execute(f"drop table {source}")


def _execute(cursor: databricks_local.Cursor, statement: str, where: str) -> None:
    try:
        cursor.execute(statement)
    except Error as error:
        error.add_note(f"in {where}")
        raise


def _compare(
    connection: databricks_local.Connection, where: str, target: str, columns: Sequence[str], expected: Rows
) -> None:
    table = connection.spark.table(target)
    paths = [_path(where, column, table.schema) for column in columns]
    shown = table.selectExpr(*paths)
    fields = [StructField(c, f.dataType) for c, f in zip(columns, shown.schema.fields, strict=True)]
    wanted = connection.spark.sql(_selected(where, expected, fields)) if expected else shown.limit(0)
    missing, unexpected = _counted(wanted), _counted(shown)
    both = missing & unexpected
    missing, unexpected = missing - both, unexpected - both
    if missing or unexpected:
        lines = [f"{where}: the table shows other rows, compared by {', '.join(columns)}"]
        lines += [f"  missing:    {_text(columns, row)}" for row in sorted(missing.elements(), key=repr)]
        lines += [f"  unexpected: {_text(columns, row)}" for row in sorted(unexpected.elements(), key=repr)]
        lines += [f"  as expected: {both.total()} of {both.total() + unexpected.total()} rows"]
        raise Mismatch("\n".join(lines))


def _counted(frame: Any) -> Counter[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in frame.toArrow().columns]
    return Counter(tuple(comparable(v, empty_is_null=False) for v in row) for row in zip(*columns, strict=True))


def _text(columns: Sequence[str], row: Sequence[Any]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in zip(columns, row, strict=True))


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return "NULL" if value is None else str(value)


def _path(where: str, column: str, schema: StructType) -> str:
    """A column, or a field of a struct by its path, with quotes."""
    if column.lower() in {name.lower() for name in schema.fieldNames()}:
        return quote_identifier(column)
    first, *fields = column.split(".")
    if first.lower() not in {name.lower() for name in schema.fieldNames()}:
        raise ValueError(f"{where}: the table has no column {column}; it has {', '.join(schema.fieldNames())}")
    return ".".join(quote_identifier(part) for part in (first, *fields))


def _selected(where: str, rows: Rows, fields: Sequence[StructField]) -> str:
    """The rows as a query with all of the columns, each value cast to its column's type."""
    known = {field.name.lower(): field for field in fields}
    for row in rows:
        for column in row:
            if column.lower() not in known:
                raise ValueError(f"{where}: there is no column {column}; there are {', '.join(f.name for f in fields)}")
    tuples = []
    for row in rows:
        values = {column.lower(): value for column, value in row.items()}
        cells = [f"cast({_literal(values.get(f.name.lower()), f.dataType)} as {ddl(f.dataType)})" for f in fields]
        tuples.append(f"({', '.join(cells)})")
    names = ", ".join(quote_identifier(field.name) for field in fields)
    return f"select * from values {', '.join(tuples)} as rows({names})"


def _literal(value: Any, data_type: DataType) -> str:
    """A YAML value as SQL."""
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        if not isinstance(data_type, StructType | ArrayType | MapType):
            raise ValueError(f"{value!r} is given for a column of type {data_type.simpleString()}")
        return f"from_json({quote_string(json.dumps(value, default=str))}, {quote_string(ddl(data_type))})"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"timestamp {quote_string(value.isoformat(' '))}"
    if isinstance(value, date):
        return f"date {quote_string(value.isoformat())}"
    return str(value) if isinstance(value, int | float) else quote_string(str(value))
