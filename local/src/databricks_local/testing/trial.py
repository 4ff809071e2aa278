"""One table under test: its source, its refreshes, and what it then shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock
from uuid import uuid4

import databricks_local
from databricks_local.errors import Error
from databricks_local.sql.tokens import quote_identifier
from databricks_local.testing import crashes
from databricks_local.testing.histories import Happenings
from databricks_local.testing.subject import ADDED_COLUMN, SourceRow, Subject
from databricks_local.testing.values import comparable

Key = tuple[Any, ...]
Shown = tuple[tuple[Any, ...], ...]


class Trial:
    """A table of its own for one run, made by the model's statement and fed batch by batch.

    Args:
        connection: to the kit's warehouse; its current schema holds the tables.
        subject: the model.
    """

    def __init__(self, connection: databricks_local.Connection, subject: Subject) -> None:
        self.subject = subject
        self.added = False
        self.refreshes = 0
        self._connection = connection
        self._cursor = connection.cursor()
        name = uuid4().hex[:12]
        self._source = quote_identifier(f"source_{name}")
        self.table = quote_identifier(f"target_{name}")
        empty = subject.frame([])
        self._with_view(empty, f"create table {self._source} as select * from {{view}}")

    def bring(self, rows: Sequence[SourceRow], happened: Happenings) -> bool:
        """Deliver the rows of a batch, in one commit, with the column that may come with it.

        Returns:
            whether there was anything to deliver.
        """
        if happened.add_column:
            self._cursor.execute(f"alter table {self._source} add columns ({quote_identifier(ADDED_COLUMN)} string)")
            self.added = True
        if rows:
            frame = self.subject.frame(rows, added=self.added)
            self._with_view(frame, f"insert into {self._source} by name select * from {{view}}")
        return bool(rows)

    def refresh(self, *, crash: str | None = None, compact: bool = False) -> None:
        """Refresh the table, in turns by its full statement, as dbt does, and by REFRESH.

        Args:
            crash: the durable step after which the refresh stops.
            compact: whether the state is compacted at the end.

        Raises:
            DatabaseError: the refresh failed, other than by the crash.
            AssertionError: it did not reach the step after which it was to stop.
        """
        statement = self.subject.with_added_column if self.added else self.subject.statement
        text = f"refresh streaming table {self.table}"
        if self.refreshes % 2 == 0 or self.added:
            text = statement.between(self._source, self.table)
        self.refreshes += 1
        with ExitStack() as around:
            # Py4J logs the stack of whatever ends a batch, which the error that is raised says as well.
            around.enter_context(mock.patch.object(logging.getLogger("py4j.clientserver"), "disabled", True))
            if compact:
                around.enter_context(crashes.compacting())
            if crash is not None:
                around.enter_context(crashes.crashing_after(crash))
            try:
                self._cursor.execute(text)
            except Error as error:
                if crash is None or crashes.MESSAGE not in str(error):
                    raise
                return
        assert crash is None, f"the refresh did not come to the step {crash!r}"

    def rows(self) -> Mapping[Key, Shown]:
        """What the table shows: per key the rows, each as the values of `columns`, in the order of `__START_AT`."""
        if not self._connection.spark.catalog.tableExists(self.table):
            return {}
        columns = self.columns
        listed = ", ".join(map(quote_identifier, [*self.subject.keys, *columns]))
        self._cursor.execute(f"select {listed} from {self.table}")
        found: dict[Key, list[tuple[Any, ...]]] = {}
        values = [column.to_pylist() for column in self._cursor.fetchall_arrow().columns]
        width = len(self.subject.keys)
        for row in zip(*values, strict=True):
            found.setdefault(self.comparable(row[:width]), []).append(self.comparable(row[width:]))
        return {key: tuple(sorted(rows, key=repr)) for key, rows in found.items()}

    @property
    def columns(self) -> list[str]:
        """The columns that are compared, the keys left out."""
        history = ["__START_AT", "__END_AT"] if self.subject.keeps_history else []
        return [*self.subject.columns, *([ADDED_COLUMN] if self.added else []), *history]

    def comparable(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The values of a row, so that they can be hashed and compared."""
        return tuple(comparable(value, empty_is_null=self.subject.inherits) for value in row)

    def changed_rows(self) -> int:
        """How many rows of the table the last refresh inserted, updated or deleted, by its event log."""
        self._cursor.execute(f"select details from event_log(table({self.table})) order by id desc limit 1")
        (details,) = self._cursor.fetchall()[0]
        counts = json.loads(details)["flow_progress"].get("auto_cdc", {})
        return sum(counts.get(name, 0) for name in ("inserted", "updated", "deleted"))

    def recorded_events(self) -> int:
        """How many events the state behind the table holds."""
        database = self._connection.spark.catalog.currentDatabase()
        definition = self._connection.warehouse.store.definition(database, self.table.strip("`"))
        assert definition is not None  # the table was refreshed
        generation = self._connection.warehouse.checkpoints / definition.table_id / str(definition.body["generation"])
        return self._connection.spark.read.format("delta").load(str(generation / "state")).count()

    def drop(self) -> None:
        """Remove the two tables."""
        for table in (self.table, self._source):
            self._cursor.execute(f"drop table if exists {table}")
        self._cursor.close()

    def _with_view(self, frame: Any, statement: str) -> None:
        view = f"rows_{uuid4().hex}"
        frame.createOrReplaceTempView(view)
        try:
            self._cursor.execute(statement.format(view=view))
        finally:
            self._connection.spark.catalog.dropTempView(view)
