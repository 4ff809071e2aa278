"""The AUTO CDC models of a dbt project, with the statements that its own materialization renders.

dbt runs in this process, on a target of type `databricks_local` named `local`, in the kit's warehouse. The staging
tables are made empty from the types in YAML; then `dbt run` builds the models on them, hooks included, and the
statement that it sent is taken from the catalog of the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from dbt.artifacts.resources.types import NodeType
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.behavior_flags import BehaviorFlagRendered

import databricks_local
from databricks_local.sql.tokens import quote_identifier
from databricks_local.testing.model import CdcModel

MATERIALIZATION = "auto_cdc"
_TARGET = "local"


class DbtModels:
    """The models of one project that are materialized as `auto_cdc`.

    Args:
        project: the directory of dbt_project.yml.
        scratch: a directory for what dbt writes.
        connection: to the warehouse in which the models are built, in a schema named like `scratch`.
    """

    def __init__(self, project: Path, scratch: Path, connection: databricks_local.Connection) -> None:
        if not (project / "dbt_project.yml").is_file():
            raise ValueError(f"{project} is no dbt project: it has no dbt_project.yml")
        self._project = project
        self._scratch = scratch
        self._connection = connection
        self._statements: dict[str, str] = {}
        self._refusals: dict[str, str] = {}

    @cached_property
    def names(self) -> list[str]:
        """All models that are materialized as `auto_cdc`."""
        return sorted(self._nodes)

    def model(self, name: str, *, source: str | Path | None = None, **parts: Any) -> CdcModel:
        """A model, built on an empty staging table.

        Args:
            name: the model's.
            source: the columns of the staging table, where YAML does not tell them all.
            parts: what `CdcModel` is given besides.

        Raises:
            ValueError: there is no such model, or its staging columns are not known.
            RuntimeError: dbt failed.
        """
        if name not in self._nodes:
            raise ValueError(
                f"{name} is no model of {self._project} that is materialized as {MATERIALIZATION}; "
                f"it has {', '.join(self.names) or 'none'}"
            )
        columns = source if source is not None else self._typed_columns(name)
        if columns is None:
            raise ValueError(
                f"{name}: not every column of its staging model {self._staging(name).name} has a data_type in YAML; "
                "add them, or give source= as DDL or as the path of a Delta table"
            )
        if source is not None:
            self._statements.pop(name, None)
        if name not in self._statements and name not in self._refusals:
            # One run of dbt for all models whose staging columns are known: most of its time is its start.
            others = [] if source is not None else [n for n in self.names if self._typed_columns(n) is not None]
            self._build({n: str(self._typed_columns(n)) for n in others} if others else {name: columns})
        if name not in self._statements:
            raise RuntimeError(f"dbt did not build {name} of {self._project}: {self._refusals[name]}")
        return CdcModel(statement=self._statements[name], source=columns, **parts)

    @cached_property
    def _manifest(self) -> Manifest:
        self._scratch.mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_load((self._project / "dbt_project.yml").read_text(encoding="utf-8"))
        output = {
            "type": "databricks_local",
            "schema": self._scratch.name,
            "warehouse": str(self._connection.warehouse.root),
            "master": self._connection.warehouse.master,
            "threads": 2,
        }
        profiles = {settings["profile"]: {"target": _TARGET, "outputs": {_TARGET: output}}}
        (self._scratch / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
        parsed = self._dbt("parse")
        if not isinstance(parsed.result, Manifest):
            raise RuntimeError(f"dbt cannot parse {self._project}: {parsed.exception}")
        return parsed.result

    @cached_property
    def _nodes(self) -> Mapping[str, Any]:
        return {
            node.name: node
            for node in self._manifest.nodes.values()
            if node.resource_type == NodeType.Model and node.config.materialized == MATERIALIZATION
        }

    def _staging(self, name: str) -> Any:
        """The node that a model streams from: a model, seed or source."""
        parents = self._nodes[name].depends_on.nodes
        if len(parents) != 1:
            raise ValueError(f"{name} reads {', '.join(parents) or 'nothing'}; expected one staging table")
        known: Mapping[str, Any] = {**self._manifest.nodes, **self._manifest.sources}
        return known[parents[0]]

    def _typed_columns(self, name: str) -> str | None:
        """The columns of the staging table as DDL; None where a type is missing."""
        columns = list(self._staging(name).columns.values())
        if not columns or any(column.data_type is None for column in columns):
            return None
        return ", ".join(f"{quote_identifier(column.name)} {column.data_type}" for column in columns)

    def _build(self, columns: Mapping[str, str | Path]) -> None:
        for name, known in columns.items():
            self._make_staging_table(self._staging(name), known)
        outcome = self._dbt("run", "--select", *columns)
        messages = {r.node.name: r.message for r in getattr(outcome.result, "results", [])}
        for name in columns:
            node = self._nodes[name]
            definition = self._connection.warehouse.store.definition(node.schema.lower(), node.alias.lower())
            if definition is not None and messages.get(name) is not None and self._succeeded(outcome, name):
                self._statements[name] = definition.body["sql"]
            else:
                self._refusals[name] = str(messages.get(name) or outcome.exception or "it was skipped")

    @staticmethod
    def _succeeded(outcome: dbtRunnerResult, name: str) -> bool:
        results = getattr(outcome.result, "results", [])
        return any(r.node.name == name and r.status == "success" for r in results)

    def _make_staging_table(self, staging: Any, columns: str | Path) -> None:
        schema = quote_identifier(staging.schema)
        # A source has an identifier, a model an alias.
        table = quote_identifier(staging.identifier if staging.resource_type == NodeType.Source else staging.alias)
        with self._connection.cursor() as cursor:
            cursor.execute(f"create schema if not exists {schema}")
            made = f"create or replace table {schema}.{table}"
            if isinstance(columns, str):
                cursor.execute(f"{made} ({columns})")
            else:
                cursor.execute(f"{made} as select * from delta.{quote_identifier(str(columns))} where false")

    def _dbt(self, command: str, *arguments: str) -> dbtRunnerResult:
        where: Sequence[str] = (
            "--project-dir", str(self._project), "--profiles-dir", str(self._scratch),
            "--target", _TARGET, "--target-path", str(self._scratch / "target"),
            "--log-path", str(self._scratch / "logs"), "--quiet", "--no-send-anonymous-usage-stats",
        )  # fmt: skip
        manifest = self._manifest if command != "parse" else None
        with _quick_behavior_flags():
            return dbtRunner(manifest=manifest).invoke([command, *where, *arguments])


@contextmanager
def _quick_behavior_flags() -> Iterator[None]:
    """Below pytest, dbt reads the source of the whole call stack for each of the adapter's flags: seconds a command."""
    with mock.patch.object(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "databricks_local.testing")):
        yield
