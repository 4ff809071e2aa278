"""dbt adapter `databricks_local`: dbt-databricks, with `databricks_local.connect()` in place of a workspace."""

from dbt.adapters.base.plugin import AdapterPlugin
from dbt.adapters.databricks_local.credentials import DatabricksLocalCredentials
from dbt.adapters.databricks_local.impl import DatabricksLocalAdapter
from dbt.include import databricks_local

Plugin = AdapterPlugin(
    adapter=DatabricksLocalAdapter,  # type: ignore[arg-type]
    credentials=DatabricksLocalCredentials,
    include_path=databricks_local.PACKAGE_PATH,
    dependencies=["databricks"],
)
