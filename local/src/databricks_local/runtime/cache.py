"""Where this distribution keeps what it fetches or derives once per user."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from databricks_local.errors import OperationalError

CACHE_VARIABLE = "DATABRICKS_LOCAL_CACHE"


class RuntimeSetupError(OperationalError):
    """Java, a jar or a directory that Spark needs is not there; the message says what to do."""


def cache_directory() -> Path:
    """Return the cache directory, created if missing; `DATABRICKS_LOCAL_CACHE` overrides it.

    Raises:
        RuntimeSetupError: the directory cannot be created or written.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    path = Path(chosen).expanduser() if chosen else user_cache_path("databricks-local")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RuntimeSetupError(
            f"The cache directory {path} cannot be created ({error.strerror}): "
            f"set {CACHE_VARIABLE} to a directory that you may write."
        ) from error
    if not os.access(path, os.W_OK):
        raise RuntimeSetupError(
            f"The cache directory {path} cannot be written: set {CACHE_VARIABLE} to a directory that you may write."
        )
    return path.resolve()
