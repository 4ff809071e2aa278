"""The project as a user runs it: dbt in this process, on a warehouse and landing files of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from typer.testing import CliRunner

import databricks_local
from nextbest.cli import app

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "nextbest"
MASTER = "local[2]"


@dataclass
class Project:
    """The dbt project on a warehouse and a landing directory of its own."""

    directory: Path

    @property
    def warehouse(self) -> Path:
        return self.directory / "warehouse"

    @property
    def truth(self) -> Path:
        return self.directory / "truth"

    @property
    def landing(self) -> Path:
        return self.directory / "landing"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "NEXTBEST_WAREHOUSE": str(self.warehouse),
            "NEXTBEST_LANDING": str(self.landing),
            "DBT_PROFILES_DIR": str(self.directory),
            "DBT_TARGET_PATH": str(self.directory / "target"),
            "DBT_LOG_PATH": str(self.directory / "logs"),
            "DBT_PROJECT_DIR": str(ROOT),
        }

    def simulate(self, *options: str) -> None:
        """Deliver days of files."""
        app(["simulate", "--out", str(self.directory), *options], standalone_mode=False)

    def requeue(self, *arguments: str) -> str:
        """Run `nextbest requeue`, which must succeed; what it prints."""
        result = CliRunner().invoke(app, ["requeue", *arguments], env=self.environment)
        assert result.exit_code == 0, result.output
        return result.output

    def refused_requeue(self, *arguments: str) -> str:
        """Run `nextbest requeue`, which must fail; what it says, on one line."""
        result = CliRunner().invoke(app, ["requeue", *arguments], env=self.environment)
        assert result.exit_code == 2, result.output
        return " ".join(result.output.replace("│", " ").split())

    def dbt(self, *arguments: str) -> dbtRunnerResult:
        """Run a dbt command in this process."""
        saved = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return dbtRunner().invoke(["--quiet", *arguments])
        finally:
            os.environ.clear()
            os.environ.update(saved)

    def build(self, *arguments: str) -> list[Any]:
        """`dbt build`, which must succeed; returns its results."""
        outcome = self.dbt("build", *arguments)
        assert outcome.exception is None, outcome.exception
        failed = [(r.node.name, r.message) for r in outcome.result.results if r.status in ("error", "fail")]  # type: ignore[union-attr]
        assert outcome.success, failed
        return list(outcome.result.results)  # type: ignore[union-attr]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    def connect(self) -> databricks_local.Connection:
        """A connection to the warehouse."""
        return databricks_local.connect(self.warehouse, master=MASTER, schema=SCHEMA)


def new_project(directory: Path) -> Project:
    """The project in an empty directory, with the example's profile."""
    profiles = yaml.safe_load((ROOT / "profiles.example.yml").read_text(encoding="utf-8"))
    profiles["nextbest"]["outputs"]["local"]["master"] = MASTER
    (directory / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    return Project(directory)
