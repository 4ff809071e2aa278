"""Silver is the true state: after a first build, after more files, after kills at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project_under_test import SCHEMA, Project

from nextbest.simulator.comparison import compare_with_truth

# What the truth is compared with, without gold and without tests.
TO_SILVER = ("--resource-type", "model", "--select", "models/bronze", "models/silver")

FEEDS = ("crm_customers", "purchase_trends", "checking_accounts", "clickstream", "logins")


def differences(project: Project) -> dict[str, tuple[int, int]]:
    """Rows missing from and unexpected in each silver table."""
    with project.connect() as connection, connection.cursor() as cursor:
        compared = compare_with_truth(cursor, SCHEMA, project.truth)
    assert all(c.rows > 0 for c in compared), "a comparison of nothing proves nothing"
    return {c.table: (c.missing, c.unexpected) for c in compared}


def rows_read(project: Project, table: str) -> list[int]:
    """Rows that each refresh of a streaming table read, by its streaming metrics."""
    rows = project.query(f"select details from event_log(table({SCHEMA}.{table})) order by id")
    return [json.loads(details)["flow_progress"]["num_input_rows"] for (details,) in rows]


def delivered(project: Project) -> dict[str, int]:
    """Records per feed in the landing files so far."""
    counts = json.loads((project.truth / "counts.json").read_text(encoding="utf-8"))["feeds"]
    return {feed: counts[feed]["records"] for feed in FEEDS}


NOTHING_WRONG = {
    "customers": (0, 0),
    "customers_history": (0, 0),
    "purchase_trends": (0, 0),
    "checking_accounts": (0, 0),
}


def test_silver_equals_the_truth_after_the_first_build(built: Project) -> None:
    assert differences(built) == NOTHING_WRONG


def test_new_files_are_read_once_and_silver_equals_the_truth_again(project: Project) -> None:
    project.simulate("--customers", "40", "--days", "4")
    project.build(*TO_SILVER)
    before = delivered(project)
    project.simulate("--append", "--days", "3")
    project.build(*TO_SILVER)
    after = delivered(project)

    assert differences(project) == NOTHING_WRONG
    for feed in FEEDS:
        _, second = rows_read(project, f"bronze_{feed}")
        assert second == after[feed] - before[feed], feed

    project.build(*TO_SILVER)
    assert [rows_read(project, f"bronze_{feed}")[-1] for feed in FEEDS] == [0] * len(FEEDS)
    assert [rows_read(project, f"stg_{feed}")[-1] for feed in FEEDS[:3]] == [0] * 3


def build_and_kill(project: Project, options: tuple[str, ...], after_seconds: float) -> bool:
    """Start a build in a process group of its own and kill the group; whether it was still running."""
    with (project.directory / "killed.log").open("a") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dbt")), "build", *options],
            cwd=project.directory,
            env={**os.environ, **project.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        process.wait(timeout=after_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def kills(project: Project, count: int, seed: int, options: tuple[str, ...] = ()) -> int:
    """Kill builds at random moments until `count` were killed in mid-run; new files come in between."""
    moments = random.Random(seed)
    started = time.perf_counter()
    project.simulate("--customers", "40", "--days", "3")
    assert not build_and_kill(project, options, 1_000)
    longest = time.perf_counter() - started
    killed = 0
    while killed < count:
        if killed % 4 == 0:
            project.simulate("--append", "--days", "1")
        killed += build_and_kill(project, options, moments.uniform(0.1, 1.0) * longest)
    project.build(*options)
    return killed


def test_two_kills_and_a_rerun_give_the_truth(project: Project) -> None:
    assert kills(project, 2, seed=2, options=TO_SILVER) == 2
    assert differences(project) == NOTHING_WRONG


@pytest.mark.long
def test_twenty_kills_and_a_rerun_give_the_truth(project: Project) -> None:
    assert kills(project, 20, seed=20) == 20
    assert differences(project) == NOTHING_WRONG
