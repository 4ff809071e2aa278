"""`make demo`: a small bank from nothing, built into tables, compared with the truth, shown on screen."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from rich import box
from rich.console import Console
from rich.table import Table

import databricks_local
from nextbest.cli import app
from nextbest.simulator.comparison import Comparison, compare_with_truth

CUSTOMERS = 300
DAYS = 10
SCHEMA = "nextbest"

WAREHOUSE = Path("warehouse")
LANDING = Path("landing")
TRUTH = Path("truth")
SIMULATION = Path(".simulation")
# Written into the simulation's directory: what stands beside it may be removed by the next demo.
MARKER = SIMULATION / "demo"

_STAGES = ("bronze", "silver", "gold")

console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


def main() -> int:
    """Run the demo in the current directory; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    try:
        run(options.customers, options.days)
    except DemoError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    return 0


def run(customers: int, days: int) -> None:
    """Simulate, build, compare, show.

    Raises:
        DemoError: files that are not the demo's are in the way, a build failed, or silver is not the truth.
    """
    seconds: dict[str, float] = {}
    _start_over()
    with _stage("simulate", seconds, f"{customers} customers, {days} days of files into {LANDING}/"):
        app(
            ["simulate", "--out", ".", "--customers", str(customers), "--days", str(days)],
            standalone_mode=False,
        )
        MARKER.touch()
    with _stage("build", seconds, "dbt build: bronze, silver, gold, snapshot, Python model, tests"):
        results = _build()
    with databricks_local.connect(WAREHOUSE) as connection, connection.cursor() as cursor:
        with _stage("compare", seconds, f"silver against {TRUTH}/, row for row"):
            comparisons = compare_with_truth(cursor, SCHEMA, TRUTH)
        _show_tables(cursor, results)
        _show_seconds(seconds, results)
        _show_comparison(comparisons)
        _show_customer(cursor)
    _show_next_steps()


def _start_over() -> None:
    ours = MARKER.exists()
    for directory in (WAREHOUSE, LANDING, TRUTH, SIMULATION):
        if not directory.exists() or not any(directory.iterdir()):
            continue
        if not ours:
            raise DemoError(
                f"{directory}/ is there already, and no demo made it. Move it away to see the demo, "
                "or run `dbt build` to build from it."
            )
        shutil.rmtree(directory)


@contextmanager
def _stage(name: str, seconds: dict[str, float], what: str) -> Iterator[None]:
    console.rule(f"[bold]{name}[/bold]: {what}", align="left")
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def _build() -> list[Any]:
    outcome = dbtRunner().invoke(["build"])
    if outcome.exception is not None:
        raise DemoError(f"dbt build stopped: {outcome.exception}")
    if not outcome.success:
        raise DemoError("dbt build failed; the messages above name the models and tests")
    return list(outcome.result.results)  # type: ignore[union-attr]


def _show_tables(cursor: Any, results: list[Any]) -> None:
    table = Table(title="What was built", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("layer", "table", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("seconds", justify="right")
    for layer in (*_STAGES, "snapshot"):
        for result in results:
            if layer != _layer(result) or result.node.config.materialized == "ephemeral":
                continue
            cursor.execute(f"select count(*) from {result.node.relation_name}")
            kind = result.node.config.materialized.replace("_", " ")
            rows = cursor.fetchone()[0]
            table.add_row(layer, result.node.alias, kind, f"{rows:,}", f"{result.execution_time:.1f}")
    console.print(table)


def _layer(result: Any) -> str:
    if result.node.resource_type not in ("model", "snapshot"):
        return "test"
    if result.node.resource_type == "snapshot":
        return "snapshot"
    return next((stage for stage in _STAGES if stage in result.node.tags), "gold")


def _show_seconds(seconds: dict[str, float], results: list[Any]) -> None:
    by_layer: dict[str, float] = defaultdict(float)
    for result in results:
        by_layer[_layer(result)] += result.execution_time
    table = Table(title="Seconds", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("stage", no_wrap=True)
    table.add_column("seconds", justify="right")
    for name, value in seconds.items():
        table.add_row(name, f"{value:.1f}")
        if name == "build":
            for layer, spent in by_layer.items():
                table.add_row(f"  {layer} (summed over threads)", f"{spent:.1f}")
    console.print(table)


def _show_comparison(comparisons: list[Comparison]) -> None:
    for comparison in comparisons:
        verdict = "equals the truth" if comparison.equal else "DIFFERS FROM THE TRUTH"
        console.print(
            f"{comparison.table}: {comparison.rows:,} rows, {verdict} "
            f"(missing {comparison.missing}, unexpected {comparison.unexpected})"
        )
    wrong = [c.table for c in comparisons if not c.equal]
    if wrong:
        raise DemoError(f"silver is not the true state in: {', '.join(wrong)}. This is a bug; please report it.")


def _show_customer(cursor: Any) -> None:
    cursor.execute(
        f"select * from {SCHEMA}.customer_360 order by number_of_online_txns desc nulls last, customer_id limit 1"
    )
    row = cursor.fetchone()
    assert cursor.description is not None
    console.print("\n[bold]One customer of customer_360[/bold]")
    for (name, *_), value in zip(cursor.description, row or (), strict=False):
        console.print(f"  {name:<32} {value}")


def _show_next_steps() -> None:
    console.rule("[bold]where to look next[/bold]", align="left")
    console.print(
        "  models/                                   the SQL that was just run, and that Databricks runs\n"
        "  .venv/bin/nextbest simulate --append --days 1 --out .   another day of files\n"
        "  .venv/bin/dbt build                       only what is new is read\n"
        "  .venv/bin/dbt show --inline 'select * from {{ ref(\"customer_engagement\") }}'\n"
        "  make docs                                 lineage from feed to mart\n"
        "  docs/feeds.md                             how to put your own data into landing/"
    )


if __name__ == "__main__":
    sys.exit(main())
