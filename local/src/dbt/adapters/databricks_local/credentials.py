"""The profile of a local target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.databricks.credentials import DatabricksCredentials
from dbt_common.exceptions import DbtConfigError

from databricks_local.connection import DEFAULT_MASTER
from databricks_local.runtime.session import CATALOG

# What dbt-databricks asks of every profile; nothing is ever sent anywhere.
_HOST = "localhost"
_HTTP_PATH = "/sql/1.0/warehouses/local"
_TOKEN = "local"


@dataclass
class DatabricksLocalCredentials(DatabricksCredentials):
    """A target of type `databricks_local`.

    Attributes:
        warehouse: directory of the warehouse, relative to where dbt runs or absolute.
        master: Spark master URL.
        principal: run as this user, to whom masks and row filters apply; by default as the owner.
        conf: further Spark settings.
    """

    warehouse: str = "warehouse"
    master: str = DEFAULT_MASTER
    principal: str | None = None
    conf: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.host = self.host or _HOST
        self.http_path = self.http_path or _HTTP_PATH
        self.token = self.token or _TOKEN
        if self.database not in (None, CATALOG):
            raise DbtConfigError(
                f"a databricks_local target has one catalog, {CATALOG}; the profile names {self.database!r}. "
                "Remove `catalog` from the target."
            )
        self.database = CATALOG
        super().__post_init__()

    @property
    def type(self) -> str:
        """The name of the adapter."""
        return "databricks_local"

    @property
    def unique_field(self) -> str:
        """What dbt hashes to count installations."""
        return self.warehouse

    def _connection_keys(self, *, with_aliases: bool = False) -> tuple[str, ...]:
        # With aliases, dbt asks what a project may write as `target.…`: the catalog goes by two names there.
        catalog = "database" if with_aliases else "catalog"
        return ("warehouse", "master", catalog, "schema", "principal")
