"""A small dbt project of a test's own that takes this project's materializations and nothing else of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from project_under_test import MASTER, ROOT

import databricks_local

SCHEMA = "shop"

STAGING = "{{ config(materialized='streaming_table') }}\nselect * from {{ stream() }} {{ source('raw', 'changes') }}\n"


@dataclass
class ScratchProject:
    """Models in an empty directory, on a warehouse of their own.

    Attributes:
        directory: of the project, made here.
        folders: the folders of macros that it takes.
    """

    directory: Path
    folders: tuple[str, ...] = ("materializations", "expectations")

    def __post_init__(self) -> None:
        (self.directory / "models").mkdir(parents=True)
        macros = [str(ROOT / "macros" / name) for name in self.folders]
        self._write_yaml(
            "dbt_project.yml",
            {
                "name": "scratch",
                "version": "1.0.0",
                "profile": "scratch",
                "macro-paths": macros,
                "flags": {"use_materialization_v2": True, "send_anonymous_usage_stats": False},
                "models": {"scratch": {"+persist_docs": {"relation": True, "columns": True}}},
            },
        )
        local = {"type": "databricks_local", "schema": SCHEMA, "warehouse": str(self.warehouse), "master": MASTER}
        remote = {"type": "databricks", "schema": SCHEMA, "catalog": "spark_catalog", "host": "workspace.example"}
        self._write_yaml(
            "profiles.yml",
            {
                "scratch": {
                    "target": "local",
                    "outputs": {
                        "local": {**local, "threads": 2},
                        "prod": {**remote, "http_path": "/sql/1.0/warehouses/none", "token": "none", "threads": 2},
                    },
                }
            },
        )
        self.properties("_sources", {"sources": [{"name": "raw", "schema": SCHEMA, "tables": [{"name": "changes"}]}]})

    @property
    def warehouse(self) -> Path:
        return self.directory / "warehouse"

    def _write_yaml(self, name: str, content: Mapping[str, Any]) -> None:
        (self.directory / name).write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")

    def properties(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a YAML file of models or sources, in place of one of that name."""
        self._write_yaml(f"models/{name}.yml", content)

    def model(self, name: str, sql: str, **described: Any) -> None:
        """Write a model and, where it has any, its YAML, in place of one of that name."""
        (self.directory / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
        self.properties(f"_{name}", {"models": [{"name": name, **described}]})

    def auto_cdc(self, name: str, options: Mapping[str, Any], staging: str = "stg_changes", **described: Any) -> None:
        """Write an auto_cdc model with its options under `config: meta:`, beside other settings in `config=`."""
        config = {"materialized": "auto_cdc", "meta": dict(options), **described.pop("config", {})}
        self.model(name, f"select * from {{{{ ref('{staging}') }}}}\n", config=config, **described)

    def dbt(self, *arguments: str, target: str = "local") -> dbtRunnerResult:
        """Run a dbt command in this process."""
        saved = dict(os.environ)
        os.environ.update(
            DBT_PROFILES_DIR=str(self.directory),
            DBT_PROJECT_DIR=str(self.directory),
            DBT_LOG_PATH=str(self.directory / "logs"),
            DBT_TARGET_PATH=str(self.directory / "target" / target),
        )
        try:
            return dbtRunner().invoke(["--quiet", *arguments, "--target", target])
        finally:
            os.environ.clear()
            os.environ.update(saved)

    def compile(self, model: str, *arguments: str, target: str = "local") -> str:
        """`dbt compile --select model` without a connection: the error it ends with, or an empty text."""
        outcome = self.dbt(
            "compile", "--select", model, "--no-introspect", "--no-populate-cache", *arguments, target=target
        )
        return message_of(outcome)

    def run(self, *arguments: str, target: str = "local") -> None:
        """`dbt run`, which must succeed."""
        said = message_of(self.dbt("run", *arguments, target=target))
        assert said == "", said

    def refused(self, *arguments: str, target: str = "local") -> str:
        """`dbt run`, which must fail: what it says."""
        said = message_of(self.dbt("run", *arguments, target=target))
        assert said != ""
        return said

    def statement(self, model: str) -> str:
        """What the last run sent for a model."""
        (path,) = (self.directory / "target" / "local" / "run").rglob(f"{model}.sql")
        return path.read_text(encoding="utf-8").strip()

    def connect(self) -> databricks_local.Connection:
        """A connection to the warehouse."""
        return databricks_local.connect(self.warehouse, master=MASTER, schema=SCHEMA)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]


def message_of(outcome: dbtRunnerResult) -> str:
    """All that a command ended with: its exception, or the messages of what failed."""
    if outcome.exception is not None:
        return " ".join(str(outcome.exception).split())
    if outcome.success:
        return ""
    failed = [r.message for r in outcome.result.results if r.status in ("error", "fail")]  # type: ignore[union-attr]
    return " ".join(" ".join(map(str, failed)).split())
