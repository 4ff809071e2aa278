"""`python -m databricks_local.runtime`: prepare Java, the jars and the class archive."""

from __future__ import annotations

import sys

from databricks_local.runtime.cache import RuntimeSetupError
from databricks_local.runtime.jars import jars, jars_are_cached
from databricks_local.runtime.java import java_home, java_runtime
from databricks_local.runtime.startup import prepare_archive


def main() -> int:
    """Prepare what is missing; return the exit status."""
    try:
        java_home()
        _tell(f"Java {java_runtime().version}")
        if not jars_are_cached():
            _tell("fetching the jars that PySpark lacks (19 MB)")
        _tell(f"{len(jars())} jars in the cache")
        prepare_archive(_tell)
        _tell("class archive in the cache")
    except RuntimeSetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
