"""Connections of the local target: `databricks_local.connect()` behind dbt-databricks's own handle."""

from __future__ import annotations

import sys
from typing import Any, cast

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.databricks.connections import DatabricksConnectionManager, DatabricksDBTConnection
from dbt.adapters.databricks.credentials import DatabricksCredentials
from dbt.adapters.databricks.dbr_capabilities import DBRCapabilities
from dbt.adapters.databricks.handle import DatabricksHandle
from dbt.adapters.databricks_local.credentials import DatabricksLocalCredentials

import databricks_local

# The executor plays a SQL warehouse, so that dbt renders the statements that production's warehouse gets.
_WAREHOUSE = DBRCapabilities(dbr_version=(sys.maxsize, sys.maxsize), is_sql_warehouse=True)


class DatabricksLocalConnectionManager(DatabricksConnectionManager):
    """Opens sessions of the executor; everything else is dbt-databricks's."""

    TYPE = "databricks_local"

    # dbt opens and closes a session per node; this one keeps the warehouse of the process open in between.
    _keeper: databricks_local.Connection | None = None

    @classmethod
    def _query_dbr_version(cls, creds: DatabricksCredentials, http_path: str) -> tuple[int, int]:
        return (sys.maxsize, sys.maxsize)

    @classmethod
    def _cache_dbr_capabilities(cls, creds: DatabricksCredentials, http_path: str) -> None:
        cls._dbr_capabilities_cache[http_path] = _WAREHOUSE

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open a session.

        Raises:
            OperationalError: Java, the directory, the lock or Spark; the message says what to do.
        """
        if connection.state == ConnectionState.OPEN:
            return connection
        credentials = cast(DatabricksLocalCredentials, connection.credentials)
        try:
            session = cls._connect(credentials)
        except Exception:
            connection.state = ConnectionState.FAIL
            raise
        handle = DatabricksHandle(cast(Any, session), is_cluster=False)
        opened = cast(DatabricksDBTConnection, connection)
        opened.handle = handle
        opened.state = ConnectionState.OPEN
        opened.session_id = handle.session_id
        cls._cache_dbr_capabilities(credentials, opened.http_path)
        opened.capabilities = cls._get_capabilities_for_http_path(opened.http_path)
        return opened

    @classmethod
    def _connect(cls, credentials: DatabricksLocalCredentials) -> databricks_local.Connection:
        def session() -> databricks_local.Connection:
            return databricks_local.connect(
                credentials.warehouse,
                master=credentials.master,
                principal=credentials.principal,
                conf=credentials.conf,
            )

        opened = session()
        # The target's schema is the current one, as in a workspace; unlike connect(), opening a session makes none.
        schema = credentials.schema or "default"
        if opened.warehouse.mirror.external.databaseExists(schema.lower()):
            opened.spark.catalog.setCurrentDatabase(schema)
        keeper = DatabricksLocalConnectionManager._keeper
        if keeper is None or keeper.warehouse is not opened.warehouse:
            DatabricksLocalConnectionManager._keeper = session()
            if keeper is not None:
                keeper.close()
        return opened

    @classmethod
    def spark_of(cls, connection: Connection) -> Any:
        """The Spark session of an open connection."""
        return connection.handle._conn.spark

    def cancel_open(self) -> list[str]:
        """Cancel what every other thread runs; there are no remote Python jobs to cancel."""
        names = []
        this = self.get_if_exists()
        with self.lock:
            for connection in self.thread_connections.values():
                if connection is this:
                    continue
                if connection.handle is not None and connection.state == ConnectionState.OPEN:
                    connection.handle.cancel()
                if connection.name is not None:
                    names.append(connection.name)
        return names

    @classmethod
    def release_warehouse(cls) -> None:
        """Give the warehouse back to other processes."""
        keeper = DatabricksLocalConnectionManager._keeper
        if keeper is not None:
            DatabricksLocalConnectionManager._keeper = None
            keeper.close()

    def cleanup_all(self) -> None:
        """Close every session, and the warehouse with them."""
        super().cleanup_all()
        self.release_warehouse()
