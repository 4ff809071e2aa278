"""`make bench-build`: what a `dbt build` of this project costs, and where the time goes.

For each number of customers: the simulator, a first build from nothing, a second one with nothing new, a third after
one more day of files. Each build is a process of its own, as on a command line, and is split into

- start-up: from the start of the process to the first node (imports, parsing, the JVM, the first statement);
- compile: rendering SQL, summed over the nodes;
- Spark: executing nodes, summed over them. Nodes run side by side, so that the sums can be more than the wall time;
- the rest: what is left of the wall time after start-up and the span of the nodes (artefacts, closing).

Figures of one run are to be compared with each other, not with those of another run or machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

console = Console(highlight=False, soft_wrap=True, width=170)


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        stage: simulate, first build, second build (nothing new), build after one day.
        customers: size of the simulated bank.
        wall: seconds.
        first_statement: seconds from the start of the process to its first statement; None for the simulator.
        start_up: seconds until the first node began.
        compile: seconds, summed over nodes.
        spark: seconds, summed over nodes.
        rest: seconds before the process ended, behind the last node.
        nodes: models, snapshots and tests that were run.
        peak_megabytes: greatest resident memory of the process and its JVM together, seen each tenth of a second.
        megabytes: of files in the directory that the stage writes (landing files, or the warehouse), at its end.
    """

    stage: str
    customers: int
    wall: float
    peak_megabytes: int
    megabytes: float
    first_statement: float | None = None
    start_up: float | None = None
    compile: float | None = None
    spark: float | None = None
    rest: float | None = None
    nodes: int | None = None


class Bench:
    """A bank of a size, on landing files and a warehouse of its own."""

    def __init__(self, directory: Path, customers: int, days: int) -> None:
        self.directory = directory
        self.customers = customers
        self.days = days

    def run(self, builds: int) -> list[Cost]:
        """All stages in their order; the build with nothing new `builds` times, the fastest is kept."""
        costs = [self._simulate("simulate", "--customers", str(self.customers), "--days", str(self.days))]
        costs.append(self._build("first build"))
        costs.append(min((self._build("nothing new") for _ in range(builds)), key=lambda cost: cost.wall))
        self._simulate("one day", "--append", "--days", "1")
        costs.append(self._build("one day more"))
        return costs

    def _simulate(self, stage: str, *options: str) -> Cost:
        wall, peak = self._measure("nextbest", "simulate", "--out", str(self.directory), *options)
        return self._shown(Cost(stage, self.customers, wall, peak, _megabytes(self.directory / "landing")))

    def _build(self, stage: str) -> Cost:
        logs = self.directory / "logs"
        (logs / "dbt.log").unlink(missing_ok=True)
        started = time.time()
        wall, peak = self._measure("dbt", "--quiet", "--log-format-file", "json", "--log-level-file", "debug", "build")
        results = json.loads((self.directory / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
        spans = [
            (entry["name"], _epoch(entry["started_at"]), _epoch(entry["completed_at"]))
            for result in results
            for entry in result["timing"]
            if entry.get("started_at") and entry.get("completed_at")
        ]
        first, last = min(begin for _, begin, _ in spans), max(end for _, _, end in spans)
        return self._shown(
            Cost(
                stage,
                self.customers,
                wall,
                peak,
                _megabytes(self.directory / "warehouse"),
                first_statement=_first_statement(logs / "dbt.log") - started,
                start_up=first - started,
                compile=sum(end - begin for name, begin, end in spans if name == "compile"),
                spark=sum(end - begin for name, begin, end in spans if name == "execute"),
                rest=started + wall - last,
                nodes=len(results),
            )
        )

    def _measure(self, command: str, *arguments: str) -> tuple[float, int]:
        """Seconds and peak megabytes of a command of this environment."""
        environment = {
            **os.environ,
            "NEXTBEST_WAREHOUSE": str(self.directory / "warehouse"),
            "NEXTBEST_LANDING": str(self.directory / "landing"),
            "DBT_PROFILES_DIR": str(self.directory),
            "DBT_PROJECT_DIR": str(ROOT),
            "DBT_TARGET_PATH": str(self.directory / "target"),
            "DBT_LOG_PATH": str(self.directory / "logs"),
        }
        (self.directory / "profiles.yml").write_text(
            (ROOT / "profiles.example.yml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(BIN / command), *arguments],
            env=environment,
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        peak = _Peak(process.pid)
        peak.start()
        output, _ = process.communicate()
        wall = time.perf_counter() - started
        peak.stop()
        if process.returncode != 0:
            raise SystemExit(f"{command} {' '.join(arguments)} ended with {process.returncode}:\n{output}")
        return wall, peak.megabytes

    @staticmethod
    def _shown(cost: Cost) -> Cost:
        console.print(f"{cost.customers:,} customers, {cost.stage}: {cost.wall:.1f} s, {cost.peak_megabytes:,} MB")
        return cost


class _Peak(threading.Thread):
    """Watches the resident memory of a process and all in its session."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._stopped = threading.Event()
        self.megabytes = 0

    def run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stopped.wait(0.1):
            pages = 0
            for stat in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
                except OSError:  # it has ended meanwhile
                    continue
                # Fields 6 and 24 of proc(5), counted behind the name: session and rss.
                if int(fields[3]) == self._session:
                    pages += int(fields[21])
            self.megabytes = max(self.megabytes, pages * page // 2**20)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _first_statement(log: Path) -> float:
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)["info"]
            if event["name"] in ("SQLQuery", "AdapterEventDebug") and "select" in event["msg"].lower():
                return _epoch(event["ts"])
    raise SystemExit(f"{log} shows no statement")


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _megabytes(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


def machine() -> str:
    """One line that says where this ran."""
    cpus = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}, {cpus} cores, {memory:.0f} GiB, load {load:.1f} at the start"


def show(costs: Sequence[Cost]) -> None:
    """The costs as a table."""
    table = Table(title="dbt build, seconds", title_justify="left")
    headings = {
        "customers": "customers",
        "stage": "stage",
        "wall": "wall",
        "first_statement": "to the first statement",
        "start_up": "to the first node",
        "compile": "compile (sum)",
        "spark": "Spark (sum)",
        "rest": "rest",
        "nodes": "nodes",
        "peak_megabytes": "peak MB",
        "megabytes": "MB on disk",
    }
    for name, heading in headings.items():
        table.add_column(heading, justify="left" if name == "stage" else "right", no_wrap=True)
    for cost in costs:
        values = asdict(cost)
        table.add_row(*(_cell(values[name]) for name in headings))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}"
    return value if isinstance(value, str) else f"{value:,}"


def main() -> None:
    """Run what the arguments ask for and print it, with the machine it ran on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000], help="one bank per number")
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--builds", type=int, default=3, help="how often the build with nothing new is repeated")
    parser.add_argument("--json", type=Path, help="write the costs there too")
    options = parser.parse_args()
    console.print(machine())
    costs: list[Cost] = []
    for customers in options.customers:
        with tempfile.TemporaryDirectory(prefix="bench-build-") as directory:
            costs += Bench(Path(directory), customers, options.days).run(options.builds)
    show(costs)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "costs": [asdict(c) for c in costs]}, indent=1))


if __name__ == "__main__":
    main()
