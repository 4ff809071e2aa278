"""The same statements on a standalone Spark cluster: a real master and a worker of their own processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import databricks_local
from databricks_local.runtime.jars import pyspark_jars
from databricks_local.runtime.startup import driver_environment

SCRIPT = """
import json, sys
import databricks_local

with databricks_local.connect(sys.argv[1], master=sys.argv[2], schema="s") as connection, connection.cursor() as cursor:
    cursor.execute("create table events as select id, 'v' || id as v, id as seq from range(100)")
    cursor.execute("create or refresh streaming table big as select * from stream events where id >= 90")
    cursor.execute(
        "create or refresh streaming table latest flow auto cdc from stream(events) keys (id) sequence by seq"
    )
    cursor.execute("insert into events values (7, 'new', 1000), (8, 'old', -1)")
    cursor.execute("refresh streaming table latest")
    cursor.execute("select (select count(*) from big), (select count(*) from latest), array_agg(v) "
                   "from latest where id in (7, 8)")
    print(json.dumps([[x for x in row] for row in cursor.fetchall()], default=list))
    print(connection.spark.sparkContext.master)
"""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster with one worker; stopped by process id."""
    home = {"SPARK_HOME": str(pyspark_jars().parent), "SPARK_SCALA_VERSION": "2.13"}
    environment = {**os.environ, **driver_environment(), **home}
    java = [str(Path(environment["JAVA_HOME"]) / "bin" / "java"), "-cp", f"{pyspark_jars()}/*", "-Xmx512m"]
    port = free_port()
    address = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    commands = [
        [f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"],
        [f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "1g", "--webui-port", "0",
         "--work-dir", str(tmp_path / "work"), address],
    ]  # fmt: skip
    with (tmp_path / "cluster.log").open("w") as log:
        processes = [
            subprocess.Popen([*java, *command], env=environment, stdout=log, stderr=log) for command in commands
        ]
        try:
            yield address
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(timeout=30)


def test_a_table_is_built_on_a_standalone_cluster(master: str, tmp_path: Path) -> None:
    wait_for(master)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "warehouse"), master],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    rows, used = ran.stdout.splitlines()
    assert json.loads(rows) == [[10, 100, ["new", "v8"]]] or json.loads(rows) == [[10, 100, ["v8", "new"]]]
    assert used == master


def wait_for(master: str) -> None:
    host, _, port = master.removeprefix("spark://").rpartition(":")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{master} did not start")


def test_a_port_without_a_master_is_named_at_once(tmp_path: Path) -> None:
    port = free_port()
    script = f"import databricks_local; databricks_local.connect({str(tmp_path)!r}, master='spark://127.0.0.1:{port}')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert f"no Spark master answers at 127.0.0.1:{port} (Connection refused)" in ran.stderr
    assert databricks_local.OperationalError.__name__ in ran.stderr
