"""The dbt target: what the project's models are called there, and a connection to where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.adapters.contracts.connection import Credentials
from dbt.cli.main import dbtRunner
from dbt.config.runtime import load_profile
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

import databricks_local


class TargetError(Exception):
    """The project or the target cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Target:
    """A target of the dbt project, read by dbt itself.

    Attributes:
        name: as in profiles.yml.
        manifest: the parsed project, its relations named for this target.
        credentials: of type `databricks_local` or `databricks`.
    """

    name: str
    manifest: Manifest
    credentials: Credentials

    def models(self) -> dict[str, ModelNode]:
        """The enabled models of the project by name."""
        return {node.name: node for node in self.manifest.nodes.values() if isinstance(node, ModelNode)}

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A DB-API connection, closed at the end: `databricks_local` or `databricks.sql`, by the target's type.

        Raises:
            TargetError: the target is of another type.
            databricks_local.Error, databricks.sql.exc.Error: it cannot be reached.
        """
        credentials: Any = self.credentials
        if credentials.type == "databricks_local":
            connection: Any = databricks_local.connect(
                credentials.warehouse,
                master=credentials.master,
                schema=credentials.schema,
                principal=credentials.principal,
                conf=credentials.conf,
            )
        elif credentials.type == "databricks":
            connection = _connect_to_workspace(credentials)
        else:
            raise TargetError(
                f"target {self.name} is of type {credentials.type}; expected databricks_local or databricks: "
                "choose another one with --target"
            )
        try:
            yield connection
        finally:
            connection.close()


def read_target(name: str | None, project_dir: Path, profiles_dir: Path | None) -> Target:
    """Parse the project for a target.

    Args:
        name: of the target; None: the profile's default.
        project_dir: where dbt_project.yml is.
        profiles_dir: where profiles.yml is; None: where dbt looks by itself.

    Raises:
        TargetError: the project does not parse, or the profile has no such target.
    """
    arguments = ["parse", "--quiet", "--project-dir", str(project_dir)]
    if name is not None:
        arguments += ["--target", name]
    if profiles_dir is not None:
        arguments += ["--profiles-dir", str(profiles_dir)]
    outcome = dbtRunner().invoke(arguments)
    if not isinstance(outcome.result, Manifest):
        raise TargetError(f"dbt cannot parse the project in {project_dir}: {outcome.exception}")
    # dbt remembers where it found the profiles.
    profile = load_profile(str(project_dir), {}, target_override=name)
    return Target(profile.target_name, outcome.result, profile.credentials)


def _connect_to_workspace(credentials: Any) -> Any:
    """Sign in as dbt-databricks does, by its own means."""
    from databricks import sql
    from dbt.adapters.databricks.handle import SqlUtils

    arguments = SqlUtils.prepare_connection_arguments(credentials, credentials.authenticate(), credentials.http_path)
    # dbt binds on this side; the connector's own way sends values as parameters.
    arguments.pop("use_inline_params", None)
    return sql.connect(**arguments)
