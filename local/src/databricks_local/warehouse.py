"""A warehouse: a directory with tables, and what this package remembers of them."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import SparkSession

from databricks_local.catalog.mirror import CatalogMirror
from databricks_local.catalog.store import CatalogStore
from databricks_local.errors import InterfaceError, OperationalError
from databricks_local.runtime.lock import WarehouseLock
from databricks_local.runtime.session import root_session

INTERNAL = "_databricks_local"


class Warehouse:
    """One open warehouse of this process.

    Layout: `<root>/<schema>.db/<table>/` are the managed Delta tables (those of schema `default` stand directly
    below the root); `<root>/_databricks_local/` holds the catalog file, checkpoints and the lock.

    Attributes:
        root: absolute path.
        store: the catalog file.
        spark: the session whose catalog all connections share.
    """

    def __init__(self, root: Path, master: str, conf: Mapping[str, str]) -> None:
        self.root = root
        self.master = master
        self.conf = dict(conf)
        self.internal = root / INTERNAL
        try:
            self.internal.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperationalError(
                f"warehouse {root} cannot be used: {error.strerror}; "
                "`warehouse` must name a directory that can be written"
            ) from error
        if not os.access(self.internal, os.W_OK):
            raise OperationalError(f"warehouse {root} cannot be written; give a directory that this user may write")
        self._lock = WarehouseLock(self.internal / "lock", root)
        self._lock.acquire()
        try:
            self.store = CatalogStore(self.internal / "catalog.sqlite")
            self.spark: SparkSession = root_session(master, root, conf)
            self.mirror = CatalogMirror(self.spark, self.store, root, self.internal / "orphans")
            self.mirror.start()
        except BaseException:
            self._lock.release()
            raise

    @property
    def checkpoints(self) -> Path:
        """Directory of streaming checkpoints, one below it per table identity."""
        return self.internal / "checkpoints"

    def close(self) -> None:
        """Stop mirroring and give the warehouse to other processes."""
        self.mirror.stop()
        self.store.close()
        self._lock.release()


_open: dict[Path, tuple[Warehouse, int]] = {}
_open_lock = threading.RLock()


def open_warehouse(path: str | os.PathLike[str], master: str, conf: Mapping[str, str]) -> Warehouse:
    """The warehouse at a path, shared by all connections of this process.

    Raises:
        OperationalError: the directory cannot be used, another process holds it, or Spark does not start.
        InterfaceError: it is already open with another master.
    """
    root = Path(path).expanduser().absolute()
    root = Path(os.path.normpath(root))
    with _open_lock:
        if root in _open:
            warehouse, users = _open[root]
            if warehouse.master != master:
                raise InterfaceError(f"warehouse {root} is already open here on {warehouse.master}, not {master}")
            _open[root] = (warehouse, users + 1)
            return warehouse
        warehouse = Warehouse(root, master, conf)
        _open[root] = (warehouse, 1)
        return warehouse


def close_warehouse(warehouse: Warehouse) -> None:
    """Give up one use of a warehouse; the last one closes it."""
    with _open_lock:
        entry = _open.get(warehouse.root)
        if entry is None:
            return
        _, users = entry
        if users > 1:
            _open[warehouse.root] = (warehouse, users - 1)
            return
        del _open[warehouse.root]
        warehouse.close()


@atexit.register
def _close_all() -> None:
    with _open_lock:
        for warehouse, _ in list(_open.values()):
            warehouse.close()
        _open.clear()
