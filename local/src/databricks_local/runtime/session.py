"""The Spark session: one JVM a process, one catalog a warehouse, one session a connection."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from databricks_local.errors import InterfaceError, OperationalError
from databricks_local.runtime import jars as jar_sets
from databricks_local.runtime import startup

logger = logging.getLogger(__name__)

# PySpark logs every failing statement with its Java stack as one line of JSON; the exception says it better.
logging.getLogger("SQLQueryContextLogger").disabled = True

CATALOG = "spark_catalog"

_DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

# Settings of a short run on a small machine; each can be overridden by `conf=`. What a Databricks SQL warehouse
# has on by default is on here too: ANSI mode (Spark 4's own default), UTC, Delta as the default format.
STATIC_CONF: dict[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    f"spark.sql.catalog.{CATALOG}": _DELTA_CATALOG,
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    # A limit, not what is taken. Spark's own default is 1 GB; two records of 50 MB that are parsed at once, each in a
    # dozen copies, were seen to take more than 2.
    "spark.driver.memory": "4g",
    # What a web interface would show of past queries, when there is none: plans of a thousand of them.
    "spark.sql.ui.retainedExecutions": "1",
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.sql.legacy.createHiveTableByDefault": "false",
    # Delta plans the same internal queries at each commit; with Spark's default of 100 their classes are evicted and
    # compiled again.
    "spark.sql.codegen.cache.maxEntries": "10000",
    # The defaults go through Hadoop's FileContext, which without its native library starts a `readlink` and a `chmod`
    # for each file: hundreds of processes a build. Both rename into place just as well; one process writes a warehouse.
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    # Each sort and each hash aggregate of each task takes a page at once; sized by the heap it would be 64 MB of zeros.
    "spark.buffer.pageSize": "2m",
}

SESSION_CONF: dict[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.default": "delta",
    # A refresh is dozens of small Spark jobs, and adaptive execution makes each of their stages a job and a planning of
    # its own: 40 % of the time of a small refresh.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.streaming.stateStore.maintenanceInterval": "600s",
    "spark.sql.streaming.numRecentProgressUpdates": "1000",
    # A check of the offset log that Spark makes between batches; our micro-batches are few and end by themselves.
    "spark.sql.streaming.pollingDelay": "1ms",
    # Files are local: opening one costs little, so that many small ones share a task.
    "spark.sql.files.openCostInBytes": "65536",
    # Listing thousands of small files is faster in the driver than as a job.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    "spark.databricks.delta.constraints.allowUnenforcedNotNull.enabled": "false",
    "spark.databricks.delta.properties.defaults.enableDeletionVectors": "true",
}

_MASTER_TIMEOUT_SECONDS = 10

_start_lock = threading.Lock()
_started_master: str | None = None


def root_session(master: str, warehouse: Path, conf: Mapping[str, str]) -> SparkSession:
    """A session with a catalog of its own, on the JVM of this process (started when there is none).

    Args:
        master: a Spark master URL; every warehouse of a process shares the first one.
        warehouse: absolute directory of managed tables.
        conf: Spark settings that override this module's.

    Raises:
        OperationalError: no usable Java, a wrong master, or a cluster that does not answer.
        InterfaceError: the process already runs on another master.
    """
    global _started_master
    check_master(master)
    with _start_lock:
        context = SparkContext._active_spark_context
        if context is None or context._jsc is None:
            session = _start(master, warehouse, conf)
            _started_master = master
            return session
        if _started_master is not None and _started_master != master:
            raise InterfaceError(
                f"this process runs Spark on {_started_master}; a connection on {master} needs a process of its own"
            )
        return _another_catalog(context, warehouse, conf)


_MASTER = re.compile(r"local|local\[(\d+|\*)(, ?\d+)?\]|(spark|yarn|k8s)(://.+)?")


def check_master(master: str) -> None:
    """Refuse what cannot be a Spark master, before a JVM is started.

    Raises:
        OperationalError: names the value and what it may look like.
    """
    if not _MASTER.fullmatch(master):
        raise OperationalError(
            f"{master!r} is no Spark master; expected local[*], local[N] or spark://host:port (`master` in the profile)"
        )


def _check_reachable(master: str) -> None:
    """Ask whether a standalone master listens; Spark itself would try for a minute and then not say why.

    Raises:
        OperationalError: names each address that does not answer.
    """
    silent = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise OperationalError(f"{master!r} is no address of a Spark master; expected spark://host:port")
        try:
            with socket.create_connection((host, int(port)), timeout=_MASTER_TIMEOUT_SECONDS):
                return
        except OSError as error:
            silent.append(f"{address} ({error.strerror or error})")
    raise OperationalError(
        f"no Spark master answers at {', '.join(silent)}: start one, or correct `master` in the profile"
    )


def _start(master: str, warehouse: Path, conf: Mapping[str, str]) -> SparkSession:
    if master.startswith("spark://"):
        _check_reachable(master)
    for name, value in startup.driver_environment().items():
        os.environ[name] = value
    settings = {
        **STATIC_CONF,
        **SESSION_CONF,
        "spark.sql.warehouse.dir": warehouse.as_uri(),
        **startup.driver_conf(),
        **conf,
    }
    if not master.startswith("local"):
        # The executors of a cluster have no class path of ours; Spark sends them the jars.
        settings.setdefault("spark.jars", ",".join(str(jar) for jar in jar_sets.jars("spark")))
    builder = SparkSession.builder.master(master).appName("databricks_local")
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        with _quiet_launch():
            return builder.getOrCreate()
    except Exception as error:
        raise OperationalError(
            f"Spark did not start on {master}: {_first_line(error)} (Java: {os.environ['JAVA_HOME']}; "
            f"set {_DEBUG_VARIABLE}=1 to see all that it prints)"
        ) from error


_DEBUG_VARIABLE = "DATABRICKS_LOCAL_DEBUG"


@contextmanager
def _quiet_launch() -> Iterator[None]:
    """Keep the launcher's greeting and its warnings about the host off the terminal."""
    if os.environ.get(_DEBUG_VARIABLE):
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _another_catalog(context: SparkContext, warehouse: Path, conf: Mapping[str, str]) -> SparkSession:
    assert context._jvm is not None
    options = context._jvm.java.util.HashMap()
    for key, value in {
        **SESSION_CONF,
        "spark.sql.warehouse.dir": warehouse.as_uri(),
        **conf,
    }.items():
        options.put(key, value)
    # The constructor that PySpark itself uses: a session with shared state, and so a catalog, of its own.
    java_session = context._jvm.org.apache.spark.sql.classic.SparkSession(context._jsc.sc(), options)
    return SparkSession(context, jsparkSession=java_session)


def activate(session: SparkSession) -> None:
    """Make a session the active one of this thread.

    Delta's catalog belongs to the session that is active when it is first used, and parts of Delta ask for the active
    session later on; with several warehouses in one process the wrong one would answer.
    """
    jvm = session.sparkContext._jvm
    assert jvm is not None
    jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(session._jsparkSession)


@contextmanager
def session_conf(session: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Within it, the session has these settings; afterwards what it had before."""
    before = {name: session.conf.get(name, None) for name in settings}
    for name, value in settings.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, previous in before.items():
            if previous is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, previous)


def _first_line(error: BaseException) -> str:
    """What went wrong, in a line: the innermost Java cause where there is one."""
    thrown = getattr(error, "java_exception", None)
    while thrown is not None and thrown.getCause() is not None:
        thrown = thrown.getCause()
    text = (str(error) if thrown is None else str(thrown.toString())).strip()
    return text.splitlines()[0] if text else type(error).__name__
