"""The catalog file of a warehouse: one SQLite database, one writer.

Spark's catalog here lives in memory; this file is what it is filled from at start and what every change is
written to before the statement that made it returns. Columns, properties and comments of Delta tables are not
repeated: Delta's own log holds them.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists format (version integer not null);
create table if not exists databases (name text primary key, blob blob not null);
create table if not exists tables (
    database text not null, name text not null, blob blob not null, location text, kind text not null,
    owner text not null, created_at text not null, altered_at text not null,
    primary key (database, name)
);
create table if not exists functions (
    database text not null, name text not null, class_name text not null, resources text not null,
    primary key (database, name)
);
create table if not exists definitions (
    database text not null, name text not null, kind text not null, table_id text not null, body text not null,
    primary key (database, name)
);
create table if not exists refreshes (
    id integer primary key autoincrement, database text not null, name text not null, table_id text not null,
    started_at text not null, ended_at text not null, status text not null, body text not null
);
create table if not exists annotations (
    securable text not null, database text not null, name text not null, column_name text not null default '',
    kind text not null, key text not null default '', body text not null,
    primary key (securable, database, name, column_name, kind, key)
);
create table if not exists grants (
    securable text not null, database text not null, name text not null, principal text not null,
    privilege text not null, primary key (securable, database, name, principal, privilege)
);
"""

FORMAT_VERSION = 1


@dataclass(frozen=True)
class StoredTable:
    """A table or view as Spark's catalog serialized it, with what Spark does not keep."""

    database: str
    name: str
    blob: bytes
    location: str | None
    kind: str
    owner: str
    created_at: datetime
    altered_at: datetime


@dataclass(frozen=True)
class StoredFunction:
    """A persistent SQL function; `resources` are pairs of kind and text."""

    database: str
    name: str
    class_name: str
    resources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Definition:
    """What a streaming table or materialized view is refreshed from; `body` is JSON-able."""

    database: str
    name: str
    kind: str
    table_id: str
    body: dict[str, Any]


def _stored_table(row: tuple[Any, ...]) -> StoredTable:
    database, name, blob, location, kind, owner, created_at, altered_at = row
    return StoredTable(
        database,
        name,
        blob,
        location,
        kind,
        owner,
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(altered_at),
    )


def _definition(row: tuple[Any, ...]) -> Definition:
    database, name, kind, table_id, body = row
    return Definition(database, name, kind, table_id, json.loads(body))


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class CatalogStore:
    """Reads and writes the catalog file; safe for several threads of one process.

    Args:
        path: the SQLite file; made when absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        with self.transaction() as run:
            for statement in _SCHEMA.split(";"):
                if statement.strip():
                    run.execute(statement)
            if run.execute("select count(*) from format").fetchone()[0] == 0:
                run.execute("insert into format values (?)", (FORMAT_VERSION,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested uses join the outer one."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # databases

    def put_database(self, name: str, blob: bytes) -> None:
        """Record a schema."""
        with self.transaction() as run:
            run.execute("insert or replace into databases values (?, ?)", (name, blob))

    def drop_database(self, name: str) -> None:
        """Forget a schema and everything in it."""
        with self.transaction() as run:
            run.execute("delete from databases where name = ?", (name,))
            for table in ("tables", "functions", "definitions", "annotations", "grants"):
                run.execute(f"delete from {table} where database = ?", (name,))

    def databases(self) -> list[tuple[str, bytes]]:
        """Every schema: name and blob."""
        with self.transaction() as run:
            return [(n, b) for n, b in run.execute("select name, blob from databases order by name")]

    # tables

    def put_table(self, database: str, name: str, blob: bytes, location: str | None, kind: str, owner: str) -> None:
        """Record a table or view as created or altered now."""
        now = utc_now().isoformat()
        with self.transaction() as run:
            run.execute(
                "insert into tables values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (database, name) do update set "
                "blob = excluded.blob, location = excluded.location, kind = excluded.kind, "
                "altered_at = excluded.altered_at",
                (database, name, blob, location, kind, owner, now, now),
            )

    def drop_table(self, database: str, name: str) -> None:
        """Forget a table or view, its definition, tags, masks, filters and grants."""
        with self.transaction() as run:
            for table in ("tables", "definitions", "annotations", "grants"):
                run.execute(f"delete from {table} where database = ? and name = ?", (database, name))

    def rename_table(self, database: str, old: str, new: str) -> None:
        """Carry everything that is known of a table to its new name."""
        with self.transaction() as run:
            for table in ("definitions", "annotations", "grants"):
                run.execute(
                    f"update {table} set name = ? where database = ? and name = ?",
                    (new, database, old),
                )
            run.execute("delete from tables where database = ? and name = ?", (database, old))

    def tables(self, database: str | None = None) -> list[StoredTable]:
        """Every table and view, or those of one schema."""
        query = "select database, name, blob, location, kind, owner, created_at, altered_at from tables"
        arguments: tuple[str, ...] = ()
        if database is not None:
            query += " where database = ?"
            arguments = (database,)
        with self.transaction() as run:
            rows = run.execute(query + " order by database, name", arguments).fetchall()
        return [_stored_table(row) for row in rows]

    # functions

    def put_function(self, function: StoredFunction) -> None:
        """Record a persistent function."""
        with self.transaction() as run:
            run.execute(
                "insert or replace into functions values (?, ?, ?, ?)",
                (
                    function.database,
                    function.name,
                    function.class_name,
                    json.dumps(function.resources),
                ),
            )

    def drop_function(self, database: str, name: str) -> None:
        """Forget a function."""
        with self.transaction() as run:
            run.execute("delete from functions where database = ? and name = ?", (database, name))

    def functions(self) -> list[StoredFunction]:
        """Every persistent function."""
        with self.transaction() as run:
            rows = run.execute("select database, name, class_name, resources from functions").fetchall()
        return [StoredFunction(d, n, c, tuple((k, u) for k, u in json.loads(r))) for d, n, c, r in rows]

    # definitions of streaming tables and materialized views

    def put_definition(self, definition: Definition) -> None:
        """Record what a streaming table or materialized view is made from."""
        with self.transaction() as run:
            run.execute(
                "insert or replace into definitions values (?, ?, ?, ?, ?)",
                (definition.database, definition.name, definition.kind, definition.table_id,
                 json.dumps(definition.body)),
            )  # fmt: skip

    def definition(self, database: str, name: str) -> Definition | None:
        """The definition of one table, or None for an ordinary table."""
        with self.transaction() as run:
            row = run.execute(
                "select database, name, kind, table_id, body from definitions where database = ? and name = ?",
                (database, name),
            ).fetchone()
        return None if row is None else _definition(row)

    def definitions(self) -> list[Definition]:
        """Every definition."""
        with self.transaction() as run:
            rows = run.execute("select database, name, kind, table_id, body from definitions").fetchall()
        return [_definition(row) for row in rows]

    # refreshes

    def add_refresh(
        self,
        database: str,
        name: str,
        table_id: str,
        started: datetime,
        status: str,
        body: dict[str, Any],
    ) -> None:
        """Record one refresh, with its streaming metrics."""
        with self.transaction() as run:
            run.execute(
                "insert into refreshes (database, name, table_id, started_at, ended_at, status, body) "
                "values (?, ?, ?, ?, ?, ?, ?)",
                (
                    database,
                    name,
                    table_id,
                    started.isoformat(),
                    utc_now().isoformat(),
                    status,
                    json.dumps(body),
                ),
            )

    def refreshes(self, database: str, name: str) -> list[dict[str, Any]]:
        """The refreshes of one table, oldest first."""
        with self.transaction() as run:
            rows = run.execute(
                "select id, table_id, started_at, ended_at, status, body from refreshes "
                "where database = ? and name = ? order by id",
                (database, name),
            ).fetchall()
        return [
            {
                "id": row[0],
                "table_id": row[1],
                "started_at": datetime.fromisoformat(row[2]),
                "ended_at": datetime.fromisoformat(row[3]),
                "status": row[4],
                **json.loads(row[5]),
            }
            for row in rows
        ]

    # annotations: tags, masks, row filters, key constraints

    def annotate(
        self,
        securable: str,
        database: str,
        name: str,
        kind: str,
        body: Any,
        *,
        column: str = "",
        key: str = "",
    ) -> None:
        """Attach a tag, mask, filter or key to a table, view, column, schema or catalog."""
        with self.transaction() as run:
            run.execute(
                "insert or replace into annotations values (?, ?, ?, ?, ?, ?, ?)",
                (securable, database, name, column, kind, key, json.dumps(body)),
            )

    def unannotate(
        self,
        securable: str,
        database: str,
        name: str,
        kind: str,
        *,
        column: str | None = None,
        key: str | None = None,
    ) -> None:
        """Detach annotations of one kind: of every column and key, or of the given ones."""
        query = "delete from annotations where securable = ? and database = ? and name = ? and kind = ?"
        arguments: list[str] = [securable, database, name, kind]
        if column is not None:
            query += " and column_name = ? collate nocase"
            arguments.append(column)
        if key is not None:
            query += " and key = ?"
            arguments.append(key)
        with self.transaction() as run:
            run.execute(query, arguments)

    def annotations(
        self, kind: str, database: str | None = None, name: str | None = None
    ) -> list[tuple[str, str, str, str, str, Any]]:
        """Annotations of a kind: (securable, database, name, column, key, body), sorted."""
        query = "select securable, database, name, column_name, key, body from annotations where kind = ?"
        arguments: list[str] = [kind]
        if database is not None:
            query += " and database = ?"
            arguments.append(database)
        if name is not None:
            query += " and name = ?"
            arguments.append(name)
        with self.transaction() as run:
            rows = run.execute(query + " order by 1, 2, 3, 4, 5", arguments).fetchall()
        return [(*row[:5], json.loads(row[5])) for row in rows]

    # grants

    def grant(self, securable: str, database: str, name: str, principal: str, privilege: str) -> None:
        """Record a grant; repeating one changes nothing."""
        with self.transaction() as run:
            run.execute(
                "insert or ignore into grants values (?, ?, ?, ?, ?)",
                (securable, database, name, principal, privilege),
            )

    def revoke(self, securable: str, database: str, name: str, principal: str, privilege: str) -> None:
        """Forget a grant; one that was never given is no error."""
        with self.transaction() as run:
            run.execute(
                "delete from grants where securable = ? and database = ? and name = ? and principal = ? "
                "and privilege = ?",
                (securable, database, name, principal, privilege),
            )

    def grants(
        self, securable: str | None = None, database: str | None = None, name: str | None = None
    ) -> list[tuple[str, str, str, str, str]]:
        """Grants as (securable, database, name, principal, privilege), filtered and sorted."""
        query = "select securable, database, name, principal, privilege from grants where 1 = 1"
        arguments: list[str] = []
        for column, value in (("securable", securable), ("database", database), ("name", name)):
            if value is not None:
                query += f" and {column} = ?"
                arguments.append(value)
        with self.transaction() as run:
            return [tuple(row) for row in run.execute(query + " order by 1, 2, 3, 4, 5", arguments).fetchall()]
