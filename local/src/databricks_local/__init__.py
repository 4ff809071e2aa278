"""Databricks SQL on one machine: Spark and Delta in this process, behind the interface of `databricks.sql`.

    import databricks_local

    with databricks_local.connect(warehouse="warehouse") as connection, connection.cursor() as cursor:
        cursor.execute("select 1 as one")
        print(cursor.fetchall())

What Spark and Delta run passes through; what only Databricks has is parsed and executed here; what Databricks
refuses is refused. README.md has a table of statements.
"""

from databricks_local.connection import Connection, Cursor, connect
from databricks_local.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004  (PEP 249 names it so)
)

apilevel = "2.0"
threadsafety = 2
paramstyle = "pyformat"

__version__ = "0.1.0"

__all__ = [
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
