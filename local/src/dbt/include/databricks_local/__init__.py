"""Where dbt finds this adapter's macros: there are none of its own, dbt-databricks's are used as they are."""

import os

PACKAGE_PATH = os.path.dirname(__file__)
