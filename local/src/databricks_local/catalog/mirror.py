"""Keeps Spark's in-memory catalog and the catalog file equal.

Spark posts an event for every change of its catalog, whoever makes it: a statement, a Python model's
`saveAsTable`, Delta itself. The mirror writes each to the file in the thread that made it. At start it goes the
other way, without reading a single Delta log.
"""

from __future__ import annotations

import getpass
import logging
import shutil
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlparse

from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

from databricks_local.catalog.store import CatalogStore, StoredFunction, utc_now

logger = logging.getLogger(__name__)

VIEW = "VIEW"


class CatalogMirror:
    """Mirrors one warehouse.

    Args:
        spark: a session of the warehouse; all its sessions share one external catalog.
        store: the catalog file.
        root: the warehouse directory, below which managed tables live.
        orphanage: where directories of tables that no catalog knows are moved.
    """

    def __init__(self, spark: SparkSession, store: CatalogStore, root: Path, orphanage: Path) -> None:
        self._spark = spark
        self._store = store
        self._root = root
        self._orphanage = orphanage
        self._jvm: Any = spark.sparkContext._jvm
        self.external: Any = spark._jsparkSession.sharedState().externalCatalog()
        self._listener = _Listener(self)

    def start(self) -> None:
        """Fill Spark's catalog from the file, set strays aside, and listen from now on."""
        self._restore()
        self._set_orphans_aside()
        ensure_callback_server_started(self._spark.sparkContext._gateway)  # type: ignore[no-untyped-call]
        self.external.addListener(self._listener)
        self._save_database("default")

    def stop(self) -> None:
        """Listen no longer.

        Spark keeps the listener: Py4J hands it another Java object at each call, so that it cannot be taken away.
        """
        self._listener.listening = False

    def _restore(self) -> None:
        loader = self._jvm.java.lang.Thread.currentThread().getContextClassLoader()
        serializer = self._jvm.org.apache.spark.util.Utils
        for _, blob in self._store.databases():
            self.external.createDatabase(serializer.deserialize(blob, loader), True)
        for table in self._store.tables():
            if table.kind != VIEW and table.location is not None and not _holds_table(table.location):
                # A crash between dropping the files and the entry: finish the drop.
                logger.warning("table %s.%s has lost its files; dropping its entry", table.database, table.name)
                self._store.drop_table(table.database, table.name)
                continue
            self.external.createTable(serializer.deserialize(table.blob, loader), True)
        catalyst = self._jvm.org.apache.spark.sql.catalyst
        for function in self._store.functions():
            resources = self._jvm.java.util.ArrayList()
            for kind, uri in function.resources:
                resource_type = catalyst.catalog.FunctionResourceType.fromString(kind)
                resources.add(catalyst.catalog.FunctionResource(resource_type, uri))
            some = self._jvm.scala.Option.apply
            identifier = catalyst.FunctionIdentifier(function.name, some(function.database), some("spark_catalog"))
            sequence = self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(resources)
            self.external.createFunction(
                function.database,
                catalyst.catalog.CatalogFunction(identifier, function.class_name, sequence),
            )

    def _set_orphans_aside(self) -> None:
        known = {table.location for table in self._store.tables() if table.location is not None}
        for path in self._managed_directories():
            if str(path) in known or not any(path.iterdir()):
                continue
            aside = self._orphanage / f"{path.parent.name}.{path.name}.{utc_now():%Y%m%dT%H%M%S%f}"
            self._orphanage.mkdir(parents=True, exist_ok=True)
            logger.warning("%s belongs to no table (a creation that was cut off); moved to %s", path, aside)
            shutil.move(path, aside)

    def _managed_directories(self) -> list[Path]:
        found: list[Path] = []
        for entry in self._root.iterdir():
            if not entry.is_dir() or entry.name.startswith(("_", ".")):
                continue
            if entry.suffix == ".db":
                found.extend(child for child in entry.iterdir() if child.is_dir() and not child.name.startswith("."))
            elif (entry / "_delta_log").is_dir():
                found.append(entry)
        return found

    def on_event(self, kind: str, event: Any) -> None:
        """Write one event of Spark's catalog to the file."""
        if kind in ("CreateDatabaseEvent", "AlterDatabaseEvent"):
            self._save_database(event.database())
        elif kind == "DropDatabaseEvent":
            self._store.drop_database(event.database())
        elif kind in ("CreateTableEvent", "AlterTableEvent"):
            self._save_table(event.database(), event.name())
        elif kind == "DropTableEvent":
            self._store.drop_table(event.database(), event.name())
        elif kind == "RenameTableEvent":
            with self._store.transaction():
                self._store.rename_table(event.database(), event.name(), event.newName())
                self._save_table(event.database(), event.newName())
        elif kind in ("CreateFunctionEvent", "AlterFunctionEvent"):
            self._save_function(event.database(), event.name())
        elif kind == "DropFunctionEvent":
            self._store.drop_function(event.database(), event.name())

    def _save_database(self, name: str) -> None:
        entry = self.external.getDatabase(name)
        self._store.put_database(name, bytes(self._jvm.org.apache.spark.util.Utils.serialize(entry)))

    def _save_table(self, database: str, name: str) -> None:
        entry = self.external.getTable(database, name)
        kind = entry.tableType().name()
        location = entry.storage().locationUri()
        path = None
        if kind != VIEW and location.isDefined():
            path = path_of(location.get().toString())
        blob = bytes(self._jvm.org.apache.spark.util.Utils.serialize(entry))
        self._store.put_table(database, name, blob, path, kind, entry.owner() or getpass.getuser())

    def _save_function(self, database: str, name: str) -> None:
        entry = self.external.getFunction(database, name)
        resources = entry.resources()
        pairs = tuple(
            (resources.apply(i).resourceType().resourceType(), resources.apply(i).uri())
            for i in range(resources.size())
        )
        self._store.put_function(StoredFunction(database, name, entry.className(), pairs))


def path_of(uri: str) -> str:
    """The local path of a `file:` URI, or the URI itself for any other file system."""
    parsed = urlparse(uri)
    if parsed.scheme not in ("", "file"):
        return uri
    return str(Path(unquote(parsed.path)))


def _holds_table(location: str) -> bool:
    if "://" in location:
        return True
    return Path(location).is_dir()


class _Listener:
    """The Java side of the mirror (org.apache.spark.sql.catalyst.catalog.ExternalCatalogEventListener)."""

    def __init__(self, mirror: CatalogMirror) -> None:
        self._mirror = mirror
        self.listening = True

    def onEvent(self, event: Any) -> None:  # noqa: N802  (the Java interface names it so)
        """Called by Spark in the thread that changed the catalog."""
        kind = event.getClass().getSimpleName()
        if not self.listening or kind.endswith("PreEvent"):
            return
        self._mirror.on_event(kind, event)

    class Java:
        """What Py4J implements."""

        implements: ClassVar[list[str]] = ["org.apache.spark.sql.catalyst.catalog.ExternalCatalogEventListener"]
