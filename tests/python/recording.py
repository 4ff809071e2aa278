"""A `prod` build without a workspace: dbt-databricks's own adapter, its connection recorded and answered here.

The target's type is `databricks`; nothing of the local adapter is used. `databricks.sql.connect` is replaced by one
whose connections write down each statement and let the local executor answer it, so that the adapter sees a real
catalog and sends what it would send to a workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.databricks import connections, handle, impl
from dbt.adapters.databricks_local.python_model import run_python_model
from project_under_test import MASTER, Project
from scratch_project import ScratchProject

import databricks_local

CATALOG = "spark_catalog"

# dbt puts its query comment in front of each statement; it names versions and the run.
_QUERY_COMMENT = re.compile(r"\A/\*.*?\*/\s*", re.DOTALL)


@dataclass
class Recording:
    """What a build sent.

    Attributes:
        statements: SQL in the order sent, without dbt's query comment.
        python_jobs: compiled Python models by name; a workspace gets them through its jobs API.
    """

    statements: list[str] = field(default_factory=list)
    python_jobs: dict[str, str] = field(default_factory=dict)

    def of_model(self, name: str) -> list[str]:
        """The statements that create or change a model."""
        wanted = re.compile(rf"`{re.escape(name)}`(?![.\w])")
        starts = ("create", "alter", "insert", "merge", "refresh", "comment", "drop")
        return [s for s in self.statements if s.lower().startswith(starts) and wanted.search(s.split(" AS\n")[0][:400])]


class _RecordingCursor(databricks_local.Cursor):
    def __init__(self, connection: databricks_local.Connection, recording: Recording) -> None:
        super().__init__(connection)
        self._recording = recording

    def execute(self, operation: str, parameters: Any = None, **options: Any) -> _RecordingCursor:
        self._recording.statements.append(_QUERY_COMMENT.sub("", operation).strip())
        super().execute(operation, parameters, **options)
        return self


@contextmanager
def recorded(project: Project | ScratchProject) -> Iterator[Recording]:
    """Within it, a target of type `databricks` is answered by the project's local warehouse."""
    recording = Recording()
    keeper = databricks_local.connect(project.warehouse, master=MASTER)

    def connect(**arguments: Any) -> databricks_local.Connection:
        assert arguments["catalog"] == CATALOG
        connection = databricks_local.connect(project.warehouse, master=MASTER)
        connection.cursor = lambda: _RecordingCursor(connection, recording)  # type: ignore[method-assign,return-value]
        return connection

    def run_python(self: Any, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        recording.python_jobs[parsed_model["name"]] = compiled_code
        run_python_model(parsed_model, compiled_code, self.connections.get_thread_connection().handle._conn.spark)
        return AdapterResponse(_message="OK")

    with (
        mock.patch.object(handle.dbsql, "connect", connect),
        # Signing in is the one thing that needs the workspace.
        mock.patch.object(handle.SqlUtils, "prepare_connection_arguments", return_value={"catalog": CATALOG}),
        mock.patch.object(connections, "check_spog_preconditions", return_value=None),
        mock.patch.object(impl.DatabricksAdapter, "submit_python_job", run_python),
    ):
        try:
            yield recording
        finally:
            keeper.close()


def environment(directory: Path) -> dict[str, str]:
    """What the profile's `prod` target asks of the environment."""
    return {
        "DATABRICKS_CATALOG": CATALOG,
        "DATABRICKS_HOST": "workspace.example",
        "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/recorded",
        "DATABRICKS_CLIENT_ID": "recorded",
        "DATABRICKS_CLIENT_SECRET": "recorded",
        "HOME": str(directory),
    }
