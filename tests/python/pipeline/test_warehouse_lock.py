"""Two dbt commands on one warehouse: the second waits, or says who holds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from project_under_test import MASTER, Project


def dbt(project: Project, *arguments: str, wait_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a dbt command in a process of its own."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *arguments],
        cwd=project.directory,
        env={**os.environ, **project.environment, "DATABRICKS_LOCAL_LOCK_WAIT": str(wait_seconds)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_process_is_told_who_holds_the_warehouse(project: Project) -> None:
    with project.connect() as connection:
        connection.cursor().execute("create table t as select 1 as id")
        second = dbt(project, "show", "--inline", "select 1 as id", wait_seconds=0)

        assert second.returncode != 0
        assert "WAREHOUSE_IN_USE" in second.stdout
        assert f"process {os.getpid()}" in second.stdout
        assert project.query("select * from t") == [(1,)]


def test_a_second_process_works_as_soon_as_the_first_has_ended(project: Project) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, databricks_local as d\n"
            f"c = d.connect(sys.argv[1], master={MASTER!r}, schema='nextbest')\n"
            "c.cursor().execute('create table t as select 1 as id')\n"
            "print('held', flush=True)\n"
            "time.sleep(3)\n",
            str(project.warehouse),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    second = dbt(project, "show", "--inline", "select id + 41 as answer from nextbest.t", wait_seconds=120)
    assert holder.wait() == 0

    assert second.returncode == 0, second.stdout + second.stderr
    assert "42" in second.stdout


def test_tables_are_readable_by_path_while_the_warehouse_is_held(project: Project) -> None:
    with project.connect() as connection:
        connection.cursor().execute("create table t as select 7 as id")
        reader = subprocess.run(
            [
                sys.executable,
                "-c",
                "import json, pathlib, sys\n"
                "log = sorted(pathlib.Path(sys.argv[1], '_delta_log').glob('*.json'))\n"
                "print(sum('add' in json.loads(line) for file in log for line in file.open()))\n",
                str(project.warehouse / "nextbest.db" / "t"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    assert int(reader.stdout) == 1
