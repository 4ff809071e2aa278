"""The true state that the delivered records describe, written beside the landing files."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nextbest.simulator.bank import ACCOUNTS, TRENDS
from nextbest.simulator.crm import CUSTOMERS
from nextbest.simulator.debezium import compact
from nextbest.simulator.delivery import DUPLICATE, Counts
from nextbest.simulator.landing import AtomicFile
from nextbest.simulator.state import Body, State

UNTRACKED = frozenset({"updated_at", "extracted_at"})


def write_truth(directory: Path, state: State, counts: dict[str, Counts], days: int) -> None:
    """Replace the truth files with what has been delivered by the end of day `days`.

    customers_history (SCD 2), customers_current, purchase_trends, checking_accounts (live rows):
    JSON lines, by key. counts.json last: it names the day that all of them are true for.
    """
    with (
        _lines(directory / "customers_history.jsonl") as history,
        _lines(directory / "customers_current.jsonl") as current,
    ):
        for record in customer_history(state.versions(CUSTOMERS)):
            history(record)
            if record["valid_to"] is None:
                current({k: v for k, v in record.items() if k not in ("valid_from", "valid_to")})
    for table in (TRENDS, ACCOUNTS):
        with _lines(directory / f"{table}.jsonl") as rows:
            for row in state.latest(table):
                rows(row)
    with _lines(directory / "counts.json") as summary:
        summary({"days": days, "feeds": {n: _counts(n, c, state) for n, c in counts.items()}})


def customer_history(versions: Iterable[tuple[int, Body]]) -> Iterator[Body]:
    """SCD 2 records from versions in order of (key, sequence): one per run of equal values.

    A record carries the last version's columns, `valid_from` (updated_at of the run's first
    version) and `valid_to` (updated_at of the version that ended it, null if none did): half-open.
    A version is compared without UNTRACKED; a deleted one ends the run and opens nothing.
    """
    run: Body | None = None
    for key, version in versions:
        if run is not None and run["customer_id"] == key:
            if version["record_status"] != "deleted" and _tracked(version) == _tracked(run):
                run = {**version, "valid_from": run["valid_from"], "valid_to": None}
                continue
            run["valid_to"] = version["updated_at"]
        if run is not None:
            yield run
        run = None
        if version["record_status"] != "deleted":
            run = {**version, "valid_from": version["updated_at"], "valid_to": None}
    if run is not None:
        yield run


def _tracked(version: Body) -> Body:
    return {k: v for k, v in version.items() if k not in UNTRACKED | {"valid_from", "valid_to"}}


def _counts(feed: str, counts: Counts, state: State) -> Body:
    waiting = state.held_back(feed)
    repeats = waiting.pop(DUPLICATE, 0)
    return {
        **counts.as_json(),
        "held_back": sum(waiting.values()),
        "held_back_duplicates": repeats,
    }


@contextmanager
def _lines(path: Path) -> Iterator[Callable[[Body], None]]:
    file = AtomicFile(path, overwrite=True)
    try:
        yield lambda body: _write(file, body)
    except BaseException:
        file.discard()
        raise
    file.close()


def _write(file: AtomicFile, body: Body) -> None:
    file.write(compact(body).encode() + b"\n")
