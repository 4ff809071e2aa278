"""`connect()`, and the connection and cursor of DB-API 2.0 (PEP 249), shaped as those of `databricks.sql`."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from databricks.sql.types import Row
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, DecimalType, MapType, StructField, StructType, VariantType

from databricks_local.errors import Error, InterfaceError, OperationalError, from_spark
from databricks_local.execution import executor
from databricks_local.execution.context import Context, Result
from databricks_local.parameters import Parameters, bind
from databricks_local.runtime.session import CATALOG, activate
from databricks_local.sql.tokens import quote_identifier, quote_string
from databricks_local.warehouse import Warehouse, close_warehouse, open_warehouse

DEFAULT_MASTER = "local[*]"

Description = list[tuple[str, str, None, None, int | None, int | None, bool | None]]


def connect(
    warehouse: str | os.PathLike[str],
    master: str = DEFAULT_MASTER,
    schema: str = "default",
    principal: str | None = None,
    conf: Mapping[str, str] | None = None,
) -> Connection:
    """Open a warehouse directory as a connection.

    Args:
        warehouse: a directory, made when absent; one process at a time can hold it.
        master: a Spark master URL; all connections of a process share one.
        schema: the schema that one-part names belong to; made when absent.
        principal: a user to whom column masks and row filters apply; None is the owner, who sees everything.
        conf: Spark settings. Static ones count for the first connection of a process only.

    Raises:
        OperationalError: the directory cannot be used, another process holds it, Java is missing, or Spark
            does not start.
        InterfaceError: this process already runs on another master.
    """
    settings = {key: str(value) for key, value in (conf or {}).items()}
    opened = open_warehouse(warehouse, master, settings)
    try:
        return Connection(opened, schema, principal)
    except BaseException:
        close_warehouse(opened)
        raise


class _Closing:
    """What `with` closes at its end."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Connection(_Closing):
    """A session on a warehouse; temporary views and the current schema are its own.

    Raises on use after `close`: InterfaceError.
    """

    def __init__(self, warehouse: Warehouse, schema: str, principal: str | None) -> None:
        self.warehouse = warehouse
        self.principal = principal
        self.open = True
        self.spark: SparkSession = warehouse.spark.newSession()
        activate(self.spark)
        self._id = uuid.uuid4().hex
        self._cursors: list[Cursor] = []
        try:
            for key, value in warehouse.conf.items():
                if self.spark.conf.isModifiable(key):
                    self.spark.conf.set(key, value)
            if schema != "default":
                if not warehouse.mirror.external.databaseExists(schema.lower()):
                    self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}")
                self.spark.catalog.setCurrentDatabase(schema)
        except Exception as error:
            raise from_spark(error) from error

    def cursor(self) -> Cursor:
        """A new cursor; several can be open."""
        self._check_open()
        cursor = Cursor(self)
        self._cursors.append(cursor)
        return cursor

    def get_session_id_hex(self) -> str:
        """The id of the session, as hexadecimal text."""
        return self._id

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return self._id

    def commit(self) -> None:
        """Every statement commits itself; nothing to do."""
        self._check_open()

    def rollback(self) -> None:
        """There are no open transactions.

        Raises:
            NotSupportedError: always, as the Databricks connector does outside transactions.
        """
        from databricks_local.errors import NotSupportedError

        raise NotSupportedError("statements commit one by one; there is nothing to roll back")

    def close(self) -> None:
        """End the session; the last connection of a process gives the warehouse to others."""
        if not self.open:
            return
        self.open = False
        for cursor in list(self._cursors):
            cursor.close()
        close_warehouse(self.warehouse)

    def _check_open(self) -> None:
        if not self.open:
            raise InterfaceError("the connection is closed")


class Cursor(_Closing):
    """Runs one statement at a time and hands out its rows.

    Rows are `databricks.sql.types.Row`: tuples whose fields are also attributes. Values are what the connector
    gives: TIMESTAMP with time zone UTC, structs as dictionaries, maps as lists of pairs, variants as JSON text.

    Attributes:
        arraysize: how many rows `fetchmany` gives by default.
        query_id: the id of the last statement.
    """

    arraysize = 10_000

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.open = True
        self.description: Description | None = None
        self.query_id: str | None = None
        self.rowcount = -1
        self._table: pa.Table | None = None
        self._row_type: Row | None = None
        self._position = 0
        self._running: Context | None = None
        self._running_lock = threading.Lock()

    def execute(self, operation: str, parameters: Parameters | None = None, **_: Any) -> Self:
        """Run a statement; SELECT and SHOW leave their rows to be fetched.

        Args:
            operation: one statement of Databricks SQL.
            parameters: values for `%s` or `?` (a sequence), `:name` or `%(name)s` (a mapping).

        Raises:
            DatabaseError: one of errors.py, with Spark's error class in `error_class`.
            OperationalError: OPERATION_CANCELED after `cancel`.
        """
        self._check_open()
        self._reset()
        self.query_id = str(uuid.uuid4())
        context = Context(self.connection.spark, self.connection.warehouse, self.connection.principal)
        tag = f"databricks_local-{self.query_id}"
        with self._running_lock:
            self._running = context
        spark = self.connection.spark
        activate(spark)
        spark.addTag(tag)
        try:
            outcome = executor.execute(context, bind(operation, parameters))
            if isinstance(outcome, DataFrame):
                self._take(outcome)
            elif isinstance(outcome, Result):
                self._take(spark.createDataFrame(outcome.rows, outcome.schema))
        except Error as error:
            raise self._cancelled(context, error) from error
        except Exception as error:
            raise self._cancelled(context, from_spark(error)) from error
        finally:
            spark.removeTag(tag)
            with self._running_lock:
                self._running = None
        if context.cancelled.is_set():
            raise self._cancelled(context, OperationalError("cancelled"))
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Parameters]) -> Self:
        """Run a statement once for each set of parameters."""
        for parameters in seq_of_parameters:
            self.execute(operation, parameters)
        return self

    def cancel(self) -> None:
        """Stop the running statement, from another thread; without one, nothing happens."""
        with self._running_lock:
            if self._running is not None:
                self._running.cancel()
                self.connection.spark.interruptTag(f"databricks_local-{self.query_id}")

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        rows = self._fetch(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Up to `size` rows."""
        return self._fetch(self.arraysize if size is None else size)

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return self._fetch(None)

    def fetchall_arrow(self) -> pa.Table:
        """All rows that are left, as an Arrow table."""
        return self._arrow(None)

    def fetchmany_arrow(self, size: int) -> pa.Table:
        """Up to `size` rows, as an Arrow table."""
        return self._arrow(size)

    def schemas(self, catalog_name: str | None = None, schema_name: str | None = None) -> Self:
        """List schemas: TABLE_SCHEM, TABLE_CATALOG; `schema_name` is a LIKE pattern."""
        like = "" if schema_name is None else f" WHERE schema_name LIKE {quote_string(schema_name)}"
        return self.execute(
            "SELECT schema_name AS TABLE_SCHEM, catalog_name AS TABLE_CATALOG "
            f"FROM {CATALOG}.information_schema.schemata{like} ORDER BY 1"
        )

    def tables(
        self,
        catalog_name: str | None = None,
        schema_name: str | None = None,
        table_name: str | None = None,
        table_types: list[str] | None = None,
    ) -> Self:
        """List tables: TABLE_CAT, TABLE_SCHEM, TABLE_NAME, TABLE_TYPE, REMARKS; names are LIKE patterns."""
        conditions = ["1 = 1"]
        if schema_name is not None:
            conditions.append(f"table_schema LIKE {quote_string(schema_name)}")
        if table_name is not None:
            conditions.append(f"table_name LIKE {quote_string(table_name)}")
        kind = "CASE WHEN table_type IN ('MANAGED', 'EXTERNAL') THEN 'TABLE' ELSE table_type END"
        if table_types:
            conditions.append(f"{kind} IN ({', '.join(quote_string(t) for t in table_types)})")
        return self.execute(
            f"SELECT table_catalog AS TABLE_CAT, table_schema AS TABLE_SCHEM, table_name AS TABLE_NAME, "
            f"{kind} AS TABLE_TYPE, coalesce(comment, '') AS REMARKS FROM {CATALOG}.information_schema.tables "
            f"WHERE {' AND '.join(conditions)} ORDER BY 2, 3"
        )

    def columns(
        self,
        catalog_name: str | None = None,
        schema_name: str | None = None,
        table_name: str | None = None,
        column_name: str | None = None,
    ) -> Self:
        """List columns: TABLE_CAT, TABLE_SCHEM, TABLE_NAME, COLUMN_NAME, TYPE_NAME, ORDINAL_POSITION, REMARKS."""
        conditions = ["1 = 1"]
        for name, value in (
            ("table_schema", schema_name),
            ("table_name", table_name),
            ("column_name", column_name),
        ):
            if value is not None:
                conditions.append(f"{name} LIKE {quote_string(value)}")
        return self.execute(
            "SELECT table_catalog AS TABLE_CAT, table_schema AS TABLE_SCHEM, table_name AS TABLE_NAME, "
            "column_name AS COLUMN_NAME, full_data_type AS TYPE_NAME, ordinal_position AS ORDINAL_POSITION, "
            f"coalesce(comment, '') AS REMARKS FROM {CATALOG}.information_schema.columns "
            f"WHERE {' AND '.join(conditions)} ORDER BY 2, 3, 6"
        )

    def close(self) -> None:
        """Forget the rows; using the cursor again is an error."""
        if self.open:
            self.open = False
            self._reset()
            if self in self.connection._cursors:
                self.connection._cursors.remove(self)

    def setinputsizes(self, sizes: object) -> None:
        """Required by PEP 249; does nothing."""

    def setoutputsize(self, size: object, column: object = None) -> None:
        """Required by PEP 249; does nothing."""

    def _reset(self) -> None:
        self.description = None
        self.rowcount = -1
        self._table = None
        self._row_type = None
        self._position = 0

    def _take(self, frame: DataFrame) -> None:
        schema = frame.schema
        if not schema.fields:
            return
        self.description = _describe(schema)
        self._row_type = Row(*schema.fieldNames())
        self._table = _readable(frame, schema).toArrow()
        if schema.fieldNames()[0] == "num_affected_rows" and self._table.num_rows == 1:
            self.rowcount = self._table.column(0)[0].as_py()

    def _arrow(self, size: int | None) -> pa.Table:
        self._check_open()
        if self._table is None:
            raise InterfaceError("no rows to fetch: execute a statement that returns rows first")
        end = self._table.num_rows if size is None else min(self._position + size, self._table.num_rows)
        part = self._table.slice(self._position, end - self._position)
        self._position = end
        return part

    def _fetch(self, size: int | None) -> list[Row]:
        if self._table is None and self.open and self.query_id is not None:
            return []
        part = self._arrow(size)
        assert self._row_type is not None
        columns = [column.to_pylist() for column in part.columns]
        return [self._row_type(*values) for values in zip(*columns, strict=True)]

    def _cancelled(self, context: Context, error: Error) -> Error:
        if not context.cancelled.is_set():
            return error
        cancelled = OperationalError("[OPERATION_CANCELED] the statement was cancelled")
        cancelled.tagged("OPERATION_CANCELED", "HY008")
        return cancelled

    def _check_open(self) -> None:
        if not self.open:
            raise InterfaceError("the cursor is closed")
        self.connection._check_open()

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row


def _describe(schema: StructType) -> Description:
    described: Description = []
    for field in schema.fields:
        precision = scale = None
        if isinstance(field.dataType, DecimalType):
            precision, scale = field.dataType.precision, field.dataType.scale
        described.append((field.name, _type_code(field.dataType), None, None, precision, scale, field.nullable))
    return described


def _type_code(data_type: DataType) -> str:
    """The connector names a type without its parameters: decimal, struct, array, map, interval…"""
    return data_type.simpleString().partition("(")[0].partition("<")[0]


def _readable(frame: DataFrame, schema: StructType) -> DataFrame:
    """The frame as Arrow can carry it: variants as JSON text, which is how the connector hands them out, and no
    NOT NULL inside structs and arrays (OPTIMIZE and other commands have it), which Arrow refuses to cast to.
    """
    if any(_has_nested_not_null(field.dataType) for field in schema.fields):
        frame = frame.to(StructType([StructField(f.name, _nullable(f.dataType), True) for f in schema.fields]))
    if not any(isinstance(f.dataType, VariantType) for f in schema.fields):
        return frame
    names = [f"column_{index}" for index in range(len(schema.fields))]
    numbered = frame.toDF(*names)
    columns = [
        F.to_json(F.col(name)).alias(field.name) if isinstance(field.dataType, VariantType)
        else F.col(name).alias(field.name)
        for name, field in zip(names, schema.fields, strict=True)
    ]  # fmt: skip
    return numbered.select(*columns)


def _has_nested_not_null(data_type: DataType) -> bool:
    if isinstance(data_type, StructType):
        return any(not field.nullable or _has_nested_not_null(field.dataType) for field in data_type.fields)
    if isinstance(data_type, ArrayType):
        return _has_nested_not_null(data_type.elementType)
    if isinstance(data_type, MapType):
        return _has_nested_not_null(data_type.keyType) or _has_nested_not_null(data_type.valueType)
    return False


def _nullable(data_type: DataType) -> DataType:
    if isinstance(data_type, StructType):
        return StructType([StructField(f.name, _nullable(f.dataType), True) for f in data_type.fields])
    if isinstance(data_type, ArrayType):
        return ArrayType(_nullable(data_type.elementType), True)
    if isinstance(data_type, MapType):
        return MapType(_nullable(data_type.keyType), _nullable(data_type.valueType), True)
    return data_type
