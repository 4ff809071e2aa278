"""`make bench-cdc`: AUTO CDC beside what people write by hand, in one run on one machine.

Contestants, on the same batches:

- `auto cdc 1`, `auto cdc 2`: `CREATE OR REFRESH STREAMING TABLE … FLOW AUTO CDC`, SCD TYPE 1 and 2;
- `merge`: the usual foreachBatch with `row_number` and MERGE. It keeps no tombstones: a late event revives a deleted
  key, so with late events its result is wrong; it is here for its speed;
- `delta-rs`: the same merge by the `deltalake` package, without a JVM.

Figures of one run are to be compared with each other, not with those of another run or machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake
from pyspark import SparkContext
from pyspark.sql import DataFrame
from rich.console import Console
from rich.table import Table as Shown

import databricks_local

BATCHES = 10
EVENTS_PER_KEY = 5
DELETES = 0.02
COLUMNS = "id bigint, name string, amount decimal(12, 2), city string, changed_at timestamp, seq bigint, op string"

console = Console(highlight=False, soft_wrap=True, width=150)


@dataclass
class Outcome:
    """What one contestant did with one set of batches.

    Attributes:
        seconds: per batch.
        bytes_written: per batch, data files and deletion vectors added to the target.
        rows: of the target at the end.
        peak_megabytes: greatest resident memory of the process that worked: the JVM, or this one for delta-rs.
    """

    contestant: str
    events: int
    keys: int
    late_share: float
    seconds: list[float] = field(default_factory=list)
    bytes_written: list[int] = field(default_factory=list)
    rows: int = 0
    peak_megabytes: int = 0

    @property
    def events_per_second(self) -> float:
        return self.events / sum(self.seconds)


class Bench:
    """Batches of change events on a warehouse of its own, and the contestants that apply them."""

    def __init__(self, directory: Path, master: str) -> None:
        self.directory = directory
        self.connection = databricks_local.connect(directory / "warehouse", master=master, schema="bench")
        self.spark = self.connection.spark
        self.cursor = self.connection.cursor()
        self._number = 0
        self.incoming = pa.table({})

    def close(self) -> None:
        self.connection.close()

    def prepare(self, events: int, keys: int, late_share: float, batches: int) -> str:
        """Write all events once, each with the batch that brings it; returns the table's name.

        An event that is late comes in one of the batches after its own, at random.
        """
        name = f"events_{events}_{keys}_{int(late_share * 100)}_{batches}"
        self.cursor.execute(f"""
            create table if not exists {name} as
            with drawn as (
                select
                    id as seq,
                    cast(pmod(xxhash64(id, 1), {keys}) as bigint) as id,
                    id div {max(events // batches, 1)} as own_batch,
                    pmod(xxhash64(id, 2), 1000000) / 1000000 as late,
                    pmod(xxhash64(id, 3), 1000000) / 1000000 as how_late,
                    pmod(xxhash64(id, 4), 1000000) / 1000000 as deleted
                from range({events})
            )
            select
                id,
                'name ' || pmod(xxhash64(seq, 5), 1000000) as name,
                cast(pmod(xxhash64(seq, 6), 1000000) / 100 as decimal(12, 2)) as amount,
                'city ' || pmod(xxhash64(seq, 7), 500) as city,
                timestamp_seconds(1700000000 + seq) as changed_at,
                seq,
                case when deleted < {DELETES} then 'd' else 'u' end as op,
                least({batches - 1}, own_batch + case
                    when late < {late_share} then 1 + cast(how_late * ({batches} - own_batch) as int) else 0
                end) as batch
            from drawn
        """)
        return name

    def run(self, contestant: str, prepared: str, outcome: Outcome) -> Outcome:
        """Bring the batches one by one and time each; making the source is not timed."""
        self._number += 1
        source, target = f"source_{self._number}", f"target_{self._number}"
        self.cursor.execute(f"create table {source} ({COLUMNS})")
        apply = getattr(self, f"_{contestant.replace(' ', '_').replace('-', '_')}")(source, target)
        self.cursor.execute(f"select distinct batch from {prepared} order by 1")
        location = self.directory / "warehouse" / "bench.db" / target
        before = 0
        with _peak_memory(None if contestant == "delta-rs" else _jvm()) as peak:
            for (batch,) in self.cursor.fetchall():
                columns = "id, name, amount, city, changed_at, seq, op"
                rows = f"select {columns} from {prepared} where batch = {batch}"
                if contestant == "delta-rs":
                    # It gets the batch as an Arrow table in memory: reading it is not in its time.
                    self.incoming = self.cursor.execute(rows).fetchall_arrow()
                else:
                    self.cursor.execute(f"insert into {source} {rows}")
                started = time.perf_counter()
                apply()
                outcome.seconds.append(time.perf_counter() - started)
                size = _size(location)
                outcome.bytes_written.append(size - before)
                before = size
        outcome.peak_megabytes = peak()
        self.cursor.execute(
            f"select count(*) from delta.`{location}`" if contestant == "delta-rs" else f"select count(*) from {target}"
        )
        outcome.rows = self.cursor.fetchone()[0]
        for table in (source, target):
            self.cursor.execute(f"drop table if exists {table}")
        shutil.rmtree(location, ignore_errors=True)
        return outcome

    def into_table_of(self, contestant: str, rows: int, batch: int) -> Outcome:
        """A table of so many keys made by one batch, then five batches on keys spread over it."""
        name = f"filled_{rows}_{batch}"
        self.cursor.execute(f"""
            create table if not exists {name} as
            select
                if(id < {rows}, id, cast(pmod(xxhash64(id, 1), {rows}) as bigint)) as id,
                'name ' || id as name,
                cast(id % 1000000 / 100 as decimal(12, 2)) as amount,
                'city ' || id % 500 as city,
                timestamp_seconds(1700000000 + id) as changed_at,
                id as seq,
                'u' as op,
                if(id < {rows}, 0, 1 + (id - {rows}) div {batch}) as batch
            from range({rows + 5 * batch})
        """)
        return self.run(contestant, name, Outcome(contestant, rows + 5 * batch, rows, 0.0))

    def _auto_cdc_1(self, source: str, target: str) -> Callable[[], object]:
        return self._auto_cdc(source, target, 1)

    def _auto_cdc_2(self, source: str, target: str) -> Callable[[], object]:
        return self._auto_cdc(source, target, 2)

    def _auto_cdc(self, source: str, target: str, scd_type: int) -> Callable[[], object]:
        return lambda: self.cursor.execute(
            f"create or refresh streaming table {target} flow auto cdc from stream({source}) keys (id) "
            f"apply as delete when op = 'd' sequence by seq columns * except (op, seq) stored as scd type {scd_type}"
        )

    def _merge(self, source: str, target: str) -> Callable[[], object]:
        self.cursor.execute(f"create table {target} ({COLUMNS}) tblproperties ('delta.enableDeletionVectors' = 'true')")
        checkpoint = str(self.directory / f"checkpoint_{target}")

        def upsert(batch: DataFrame, _: int) -> None:
            batch.createOrReplaceTempView("incoming")
            batch.sparkSession.sql(f"""
                merge into {target} t
                using (
                    select * except (nth) from (
                        select *, row_number() over (partition by id order by seq desc) as nth from incoming
                    ) where nth = 1
                ) s
                on t.id = s.id
                when matched and s.op = 'd' and s.seq > t.seq then delete
                when matched and s.seq > t.seq then update set *
                when not matched and s.op <> 'd' then insert *
            """)

        def refresh() -> None:
            stream = self.spark.readStream.table(source).writeStream.foreachBatch(upsert)
            stream.option("checkpointLocation", checkpoint).trigger(availableNow=True).start().awaitTermination()

        return refresh

    def _delta_rs(self, source: str, target: str) -> Callable[[], object]:
        location = str(self.directory / "warehouse" / "bench.db" / target)

        def refresh() -> None:
            incoming = _last_per_key(self.incoming)
            if not Path(location).exists():
                write_deltalake(location, incoming.filter(pc.not_equal(incoming["op"], "d")))
                return
            (
                DeltaTable(location)
                .merge(incoming, "t.id = s.id", source_alias="s", target_alias="t")
                .when_matched_delete("s.op = 'd' and s.seq > t.seq")
                .when_matched_update_all("s.seq > t.seq")
                .when_not_matched_insert_all("s.op <> 'd'")
                .execute()
            )

        return refresh


def _last_per_key(rows: pa.Table) -> pa.Table:
    ordered = rows.sort_by([("id", "ascending"), ("seq", "ascending")])
    ids = ordered["id"].combine_chunks()
    last = (
        pa.concat_arrays([pc.not_equal(ids[1:], ids[:-1]), pa.array([True])]) if len(ids) else pa.array([], pa.bool_())
    )
    return ordered.filter(last)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.suffix in (".parquet", ".bin"))


def _jvm() -> int:
    """Process id of the JVM that this process runs Spark in."""
    context = SparkContext._active_spark_context
    assert context is not None
    assert context._jvm is not None
    return int(context._jvm.java.lang.ProcessHandle.current().pid())


@contextmanager
def _peak_memory(pid: int | None) -> Iterator[Callable[[], int]]:
    """Within it, the greatest resident memory of a process (None: this one) is watched; gives megabytes."""
    status = Path("/proc", "self" if pid is None else str(pid))
    (status / "clear_refs").write_text("5")  # resets the kernel's own high-water mark

    def peak() -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", (status / "status").read_text())
        return int(found[1]) // 1024 if found else 0

    yield peak


def machine() -> str:
    """One line that says where this ran."""
    cpus = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}, {cpus} cores, {memory:.0f} GiB, load {load:.1f} at the start"


CONTESTANTS = ("auto cdc 1", "auto cdc 2", "merge", "delta-rs")


def compare(bench: Bench, events: int, shares: list[float], contestants: list[str]) -> list[Outcome]:
    """All contestants on the same batches, for each share of late events."""
    outcomes = []
    for share in shares:
        prepared = bench.prepare(events, events // EVENTS_PER_KEY, share, BATCHES)
        for contestant in contestants:
            console.print(f"{events:,} events, {share:.0%} late: {contestant} …", end=" ")
            outcome = bench.run(contestant, prepared, Outcome(contestant, events, events // EVENTS_PER_KEY, share))
            console.print(f"{outcome.events_per_second:,.0f} events/s")
            outcomes.append(outcome)
    return outcomes


def show(outcomes: list[Outcome]) -> None:
    """A table of the outcomes, with each contestant's time as a multiple of the hand-written MERGE's."""
    table = Shown(title="AUTO CDC and others, same batches, same run", title_justify="left")
    headings = (
        "events",
        "late",
        "contestant",
        "events/s",
        "x merge",
        "s/batch (median)",
        "MB written",
        "rows",
        "peak MB",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "contestant" else "right", no_wrap=True)
    for o in outcomes:
        rivals = [
            r for r in outcomes if r.contestant == "merge" and (r.events, r.late_share) == (o.events, o.late_share)
        ]
        ratio = f"{sum(o.seconds) / sum(rivals[0].seconds):.2f}" if rivals else ""
        table.add_row(
            f"{o.events:,}",
            f"{o.late_share:.0%}",
            o.contestant,
            f"{o.events_per_second:,.0f}",
            ratio,
            f"{statistics.median(o.seconds):.2f}",
            f"{sum(o.bytes_written) / 1e6:.1f}",
            f"{o.rows:,}",
            f"{o.peak_megabytes:,}",
        )
    console.print(table)


def grown(bench: Bench, sizes: list[int], batch: int) -> None:
    """The same batch into tables of different size: seconds and bytes."""
    table = Shown(title=f"A batch of {batch:,} events into a table of …", title_justify="left")
    for heading in ("rows", "contestant", "s/batch (median of 5)", "MB written a batch"):
        table.add_column(heading, justify="right", no_wrap=True)
    for contestant in ("auto cdc 1", "auto cdc 2"):
        for size in sizes:
            outcome = bench.into_table_of(contestant, size, batch)
            written = statistics.median(outcome.bytes_written[1:]) / 1e6
            table.add_row(f"{size:,}", contestant, f"{statistics.median(outcome.seconds[1:]):.2f}", f"{written:.2f}")
    console.print(table)


def main() -> None:
    """Run what the arguments ask for and print it, with the machine it ran on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--events", type=int, nargs="+", default=[1_000_000], help="one run per number; keys are a fifth"
    )
    parser.add_argument("--late", type=float, nargs="+", default=[0.0, 0.05, 0.5], help="shares of out-of-order events")
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS)
    parser.add_argument("--table-sizes", type=int, nargs="*", default=[200_000, 2_000_000], help="rows before a batch")
    parser.add_argument("--batch", type=int, default=20_000, help="events of the batch into those tables")
    parser.add_argument("--master", default="local[*]")
    parser.add_argument("--json", type=Path, help="write the outcomes there too")
    options = parser.parse_args()
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="bench-cdc-") as directory:
        bench = Bench(Path(directory), options.master)
        try:
            # The first refreshes of a JVM load and compile classes: they are nobody's time.
            compare(bench, 10_000, [0.05], options.contestants)
            outcomes = [
                o for events in options.events for o in compare(bench, events, options.late, options.contestants)
            ]
            show(outcomes)
            if options.table_sizes:
                grown(bench, options.table_sizes, options.batch)
        finally:
            bench.close()
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "outcomes": [asdict(o) for o in outcomes]}, indent=1))


if __name__ == "__main__":
    main()
