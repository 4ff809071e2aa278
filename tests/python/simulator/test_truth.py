"""The truth equals a fold of the landing files, written here from docs/feeds.md alone.

Nothing of the simulator is used to read: files are decoded, parsed and folded as a stranger would.
"""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextbest.simulator.run import simulate_days
from nextbest.simulator.settings import Settings

Row = dict[str, Any]
KEYS = {"purchase_trends": "customer_id", "checking_accounts": "account_id"}
EVENTS = ("clickstream", "logins")
CRM_SCHEMA = [
    "customer_id",
    "full_name",
    "email",
    "phone",
    "birth_date",
    "segment",
    "consent_personalization",
    "consent_marketing",
    "record_status",
    "updated_at",
    "extracted_at",
]


@dataclass
class Fold:
    """What a reader of one landing directory concludes."""

    history: list[Row] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    distinct: Counter[str] = field(default_factory=Counter)
    deletes: Counter[str] = field(default_factory=Counter)
    tombstones: Counter[str] = field(default_factory=Counter)


def lines(landing: Path, feed: str) -> list[tuple[Path, bytes]]:
    files = sorted((landing / feed).iterdir())
    return [(file, line) for file in files for line in file.read_bytes().splitlines()]


def fold(landing: Path) -> Fold:
    result = Fold()
    _fold_customers(landing, result)
    for feed in KEYS:
        _fold_changes(landing, feed, result)
    for feed in EVENTS:
        _fold_events(landing, feed, result)
    return result


def _fold_customers(landing: Path, result: Fold) -> None:
    feed = "crm_customers"
    seen: dict[tuple[int, str, str], Row] = {}
    header: list[str] = []
    current = None
    for file, line in lines(landing, feed):
        if file != current:
            current, header = file, line.decode().split(",")
            continue
        result.records[feed] += 1
        version = _crm_version(line, header)
        if version is None:
            result.malformed[feed] += 1
            continue
        identity = (version["customer_id"], version["updated_at"], version["extracted_at"])
        if identity in seen:
            assert seen[identity] == version, "a repeated record must be the same record"
            result.duplicates[feed] += 1
            continue
        seen[identity] = version
        result.distinct[feed] += 1
        result.deletes[feed] += version["record_status"] == "deleted"
    result.history = _scd2([seen[identity] for identity in sorted(seen)])


def _crm_version(line: bytes, header: list[str]) -> Row | None:
    try:
        (cells,) = csv.reader(io.StringIO(line.decode("utf-8")))
    except UnicodeDecodeError:
        return None
    if len(cells) != len(header) or not cells[0].isdigit():
        return None
    named: Row = {name: cell or None for name, cell in zip(header, cells, strict=True)}
    version = {name: named.get(name) for name in CRM_SCHEMA}
    version["customer_id"] = int(cells[0])
    for consent in ("consent_personalization", "consent_marketing"):
        version[consent] = {"true": True, "false": False}[named[consent]]
    return version


def _scd2(versions: list[Row]) -> list[Row]:
    """The rule by brute force: per key, boundaries where the tracked values differ."""
    by_key: dict[int, list[Row]] = {}
    for version in versions:
        by_key.setdefault(version["customer_id"], []).append(version)
    records = []
    for key in sorted(by_key):
        timeline = by_key[key]
        values = [
            None
            if v["record_status"] == "deleted"
            else tuple(v[c] for c in CRM_SCHEMA if c not in ("updated_at", "extracted_at"))
            for v in timeline
        ]
        starts = [i for i in range(len(values)) if i == 0 or values[i] != values[i - 1]]
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            if values[start] is None:
                continue
            last = timeline[(end if end is not None else len(timeline)) - 1]
            valid_to = None if end is None else timeline[end]["updated_at"]
            valid_from = timeline[start]["updated_at"]
            records.append({**last, "valid_from": valid_from, "valid_to": valid_to})
    return records


def _json(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except ValueError:
        return None


def _fold_changes(landing: Path, feed: str, result: Fold) -> None:
    key = KEYS[feed]
    seen: dict[tuple[str, int, int], Any] = {}
    changes: dict[int, list[tuple[str, int, Row | None]]] = {}
    positions: list[int] = []
    for _, line in lines(landing, feed):
        result.records[feed] += 1
        record = _json(line)
        if record is None or not isinstance((record["key"] or {}).get(key), int):
            result.malformed[feed] += 1
            continue
        identity = (record["topic"], record["partition"], record["offset"])
        if identity in seen:
            assert seen[identity] == record, "a repeated record must be the same record"
            result.duplicates[feed] += 1
            continue
        seen[identity] = record
        value = record["value"]
        if value is None:
            result.tombstones[feed] += 1
            continue
        result.distinct[feed] += 1
        positions.append(value["source"]["lsn"])
        if value["op"] == "d":
            result.deletes[feed] += 1
            assert value["before"][key] == record["key"][key]
            millis = value["source"]["ts_ms"]
            moment = _iso_of_millis(millis)
        else:
            assert value["after"][key] == record["key"][key]
            moment = value["after"]["datetime_updated"]
        change = (moment, value["source"]["lsn"], value["after"])
        changes.setdefault(record["key"][key], []).append(change)
    assert len(set(positions)) == len(positions), "a log position is used once"
    rows = []
    for identifier in sorted(changes):
        ordered = sorted(changes[identifier], key=lambda change: change[:2])
        by_clock = [change[0] for change in ordered]
        assert len(set(by_clock)) == len(by_clock), "the business clock alone orders a key"
        assert [c[1] for c in ordered] == sorted(c[1] for c in ordered), "clock and log agree"
        if ordered[-1][2] is not None:
            rows.append(ordered[-1][2])
    result.tables[feed] = rows


def _iso_of_millis(millis: int) -> str:
    seconds, rest = divmod(millis, 1000)
    days, of_day = divmod(seconds, 86_400)
    day = date.fromordinal(date(1970, 1, 1).toordinal() + days)
    clock = f"{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    return f"{day}T{clock}.{rest:03d}000Z"


def _fold_events(landing: Path, feed: str, result: Fold) -> None:
    seen: dict[str, Any] = {}
    for _, line in lines(landing, feed):
        result.records[feed] += 1
        event = _json(line)
        if event is None or not event["event_id"]:
            result.malformed[feed] += 1
        elif event["event_id"] in seen:
            assert seen[event["event_id"]] == event, "a repeated record must be the same record"
            result.duplicates[feed] += 1
        else:
            seen[event["event_id"]] = event
            result.distinct[feed] += 1


def truth(out: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in (out / "truth" / f"{name}.jsonl").open(encoding="utf-8")]


def assert_truth_is_the_fold(out: Path) -> None:
    folded = fold(out / "landing")
    assert truth(out, "customers_history") == folded.history
    current = [{name: row[name] for name in CRM_SCHEMA} for row in folded.history if not row["valid_to"]]
    assert truth(out, "customers_current") == current
    for feed, rows in folded.tables.items():
        assert truth(out, feed) == rows
    counts = json.loads((out / "truth" / "counts.json").read_text())["feeds"]
    for feed, counted in counts.items():
        assert counted["records"] == folded.records[feed]
        assert counted["distinct_events"] == folded.distinct[feed]
        assert counted["duplicates"] == folded.duplicates[feed]
        assert counted["malformed"] == folded.malformed[feed]
        assert counted["malformed"] == sum(counted["malformed_kinds"].values())
        assert counted["deletes"] == folded.deletes[feed]
        assert counted["tombstones"] == folded.tombstones[feed]
        assert counted["files"] == len(list((out / "landing" / feed).iterdir()))


def world(customers: int = 120, seed: int = 7, **shares: float) -> Settings:
    faults = {
        "late": 0.1,
        "out_of_order": 0.1,
        "duplicated": 0.1,
        "deleted": 0.1,
        "malformed": 0.05,
    }
    return Settings(customers=customers, seed=seed, start=date(2026, 2, 25), **(faults | shares))


share = st.sampled_from([0.0, 0.02, 0.2, 0.5])


@settings(max_examples=25, deadline=None)
@given(
    customers=st.integers(1, 40),
    seed=st.integers(0, 2**63 - 1),
    instalments=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    late=share,
    out_of_order=share,
    duplicated=share,
    deleted=share,
    malformed=share,
)
def test_truth_is_the_fold_of_what_has_been_delivered_after_every_instalment(
    customers: int, seed: int, instalments: list[int], **shares: float
) -> None:
    with TemporaryDirectory() as directory:
        out = Path(directory)
        for number, days in enumerate(instalments):
            simulate_days(world(customers, seed, **shares), out, days, append=number > 0)
            assert_truth_is_the_fold(out)


def test_a_month_with_every_fault_folds_to_the_truth(tmp_path: Path) -> None:
    simulate_days(world(), tmp_path, 30)
    assert_truth_is_the_fold(tmp_path)
    history = truth(tmp_path, "customers_history")
    assert len(history) > len({row["customer_id"] for row in history}), "nobody changed"
    folded = fold(tmp_path / "landing")
    assert min(folded.deletes[f] for f in ("crm_customers", *KEYS)) > 0
    assert min(folded.duplicates.values()) > 0


def test_history_does_not_open_a_record_for_a_version_without_a_change(tmp_path: Path) -> None:
    simulate_days(world(300, deleted=0.0), tmp_path, 20)
    versions = fold(tmp_path / "landing").distinct["crm_customers"]
    history = truth(tmp_path, "customers_history")
    assert len(history) < versions
    starts = {(row["customer_id"], row["valid_from"]) for row in history}
    ends = {(row["customer_id"], row["valid_to"]) for row in history if row["valid_to"]}
    assert ends <= starts, "without deletes each record ends where the next begins"


def test_a_record_held_back_is_not_yet_true(tmp_path: Path) -> None:
    simulate_days(world(late=0.5), tmp_path, 1)
    counts = json.loads((tmp_path / "truth" / "counts.json").read_text())["feeds"]
    held_back = counts["crm_customers"]["held_back"]
    assert held_back > 20
    known = len({row["customer_id"] for row in truth(tmp_path, "customers_history")})
    assert known + held_back >= 108 > known
    simulate_days(world(late=0.5), tmp_path, 4, append=True)
    assert len({row["customer_id"] for row in truth(tmp_path, "customers_history")}) > known


@pytest.mark.parametrize("feed", ["crm_customers", "purchase_trends"])
def test_order_of_arrival_is_not_the_order_of_the_changes(tmp_path: Path, feed: str) -> None:
    simulate_days(world(500, late=0.3, duplicated=0.3), tmp_path, 10)
    last_arrived: dict[int, Any] = {}
    if feed == "purchase_trends":
        for _, line in lines(tmp_path / "landing", feed):
            record = _json(line)
            if record and record["key"] and record["key"]["customer_id"] and record["value"]:
                last_arrived[record["key"]["customer_id"]] = record["value"]["after"]
        true = {row["customer_id"]: row for row in truth(tmp_path, feed)}
    else:
        header: list[str] = []
        for _, line in lines(tmp_path / "landing", feed):
            if line.startswith(b"customer_id"):
                header = line.decode().split(",")
            elif version := _crm_version(line, header):
                last_arrived[version["customer_id"]] = version
        true = {row["customer_id"]: row for row in truth(tmp_path, "customers_current")}
    assert any(row != last_arrived[key] for key, row in true.items())
