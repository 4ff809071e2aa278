"""What a statement runs in: the connection's session, its warehouse, and who asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.types import StructType

from databricks_local.catalog.store import CatalogStore, Definition
from databricks_local.errors import invalid
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.reader import Name
from databricks_local.warehouse import Warehouse


@dataclass(frozen=True)
class Relation:
    """A table or view by its resolved name; parts are as Spark stores them (lower case)."""

    database: str
    table: str

    def quoted(self) -> str:
        """The three-part name, every part back-quoted."""
        return Name((CATALOG, self.database, self.table)).quoted()

    def __str__(self) -> str:
        return f"{CATALOG}.{self.database}.{self.table}"


@dataclass(frozen=True)
class Result:
    """Rows made here rather than by Spark.

    Attributes:
        schema: a Spark DDL string or schema.
        rows: one tuple a row, in the schema's order.
    """

    schema: str | StructType
    rows: list[tuple[Any, ...]] = field(default_factory=list)


Outcome = DataFrame | Result | None


@dataclass
class Context:
    """The session that a statement runs in.

    Attributes:
        spark: the connection's own session (its temporary views are nobody else's).
        warehouse: the shared warehouse.
        principal: the user that masks and filters apply to; None is the owner of the warehouse, who sees all.
        cancelled: set when the statement was cancelled from another thread.
    """

    spark: SparkSession
    warehouse: Warehouse
    principal: str | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    _streams: list[StreamingQuery] = field(default_factory=list)

    @property
    def store(self) -> CatalogStore:
        """The catalog file."""
        return self.warehouse.store

    @property
    def current_database(self) -> str:
        """The schema that a one-part name belongs to."""
        return str(self.spark.catalog.currentDatabase())

    def resolve(self, name: Name) -> Relation:
        """The relation that a name of one to three parts stands for; it need not exist.

        Raises:
            ProgrammingError: NO_SUCH_CATALOG_EXCEPTION for a catalog other than `spark_catalog`.
        """
        parts = name.parts
        if len(parts) == 3 and parts[0].lower() != CATALOG:
            raise invalid(
                "NO_SUCH_CATALOG_EXCEPTION",
                f"catalog {parts[0]} does not exist; the local catalog is {CATALOG}",
            )
        database = parts[-2] if len(parts) > 1 else self.current_database
        return Relation(database.lower(), parts[-1].lower())

    def exists(self, relation: Relation) -> bool:
        """Whether a table or view of this name is in the catalog."""
        return bool(self.warehouse.mirror.external.tableExists(relation.database, relation.table))

    def is_temporary_view(self, name: str) -> bool:
        """Whether a one-part name is a temporary view of this session."""
        return bool(self.spark._jsparkSession.sessionState().catalog().getTempView(name).isDefined())

    def definition(self, relation: Relation) -> Definition | None:
        """What a streaming table or materialized view is made from; None for any other relation."""
        return self.store.definition(relation.database, relation.table)

    @contextmanager
    def cancellable(self, query: StreamingQuery) -> Iterator[None]:
        """Within it, `cancel` stops the streaming query."""
        self._streams.append(query)
        try:
            if self.cancelled.is_set():
                query.stop()
            yield
        finally:
            self._streams.remove(query)

    def cancel(self) -> None:
        """Stop what runs now, from another thread."""
        self.cancelled.set()
        for query in list(self._streams):
            query.stop()

    def sql(self, statement: str) -> DataFrame:
        """Run a statement that Spark knows."""
        return self.spark.sql(statement)

    def rows(self, statement: str) -> list[Row]:
        """Run a statement that Spark knows, and fetch its rows."""
        return list(self.spark.sql(statement).collect())
