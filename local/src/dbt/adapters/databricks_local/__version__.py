"""Where dbt looks for the version of an adapter."""

from databricks_local import __version__ as version

__all__ = ["version"]
