"""Change records have the shape of messages captured from the real connector."""

import itertools
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nextbest.simulator.run import simulate_days
from nextbest.simulator.settings import Settings

FIXTURES = Path(__file__).parent.parent / "fixtures" / "debezium"
NEW_YEAR_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TABLES = ("purchase_trends", "checking_accounts")


def captured(encoding: str) -> list[dict[str, Any]]:
    text = (FIXTURES / f"{encoding}_encodings.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Both change feeds, sound and in order, long enough for every kind of change."""
    out = tmp_path_factory.mktemp("simulated")
    quiet = {"late": 0.0, "out_of_order": 0.0, "duplicated": 0.0, "malformed": 0.0}
    simulate_days(Settings(customers=400, seed=5, start=date(2026, 1, 1), deleted=0.05, **quiet), out, 6)
    return [
        json.loads(line)
        for table in TABLES
        for file in sorted((out / "landing" / table).iterdir())
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def paths(value: object, prefix: str = "") -> Iterator[str]:
    """Names of the fields of an envelope, row images aside: their columns are the table's."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            if name not in ("before", "after", "key"):
                yield from paths(inner, f"{prefix}{name}.")


@pytest.mark.parametrize("encoding", ["readable", "default"])
def test_records_have_exactly_the_fields_of_captured_ones_in_their_order(
    simulated: list[dict[str, Any]], encoding: str
) -> None:
    real = {tuple(paths(record)) for record in captured(encoding)}
    assert {tuple(paths(record)) for record in simulated} == real


def test_fields_have_the_types_of_captured_ones(simulated: list[dict[str, Any]]) -> None:
    def types(records: list[dict[str, Any]]) -> set[tuple[str, str]]:
        found = set()
        for record in records:
            value = record["value"] or {}
            for part in (record, value, value.get("source", {})):
                found |= {(n, type(v).__name__) for n, v in part.items() if n not in ("before", "after")}
        return found

    assert types(simulated) == types(captured("readable"))


def test_headers_are_those_of_captured_records(simulated: list[dict[str, Any]]) -> None:
    def names(records: list[dict[str, Any]]) -> set[tuple[str, ...]]:
        return {tuple(name for name, _ in record["headers"]) for record in records}

    assert names(simulated) == names(captured("readable"))


def test_operations_and_snapshot_marks(simulated: list[dict[str, Any]]) -> None:
    assert {r["value"]["op"] for r in simulated if r["value"]} == {"r", "c", "u", "d"}
    for record in simulated:
        if record["value"]:
            is_snapshot = record["value"]["source"]["snapshot"] != "false"
            assert is_snapshot == (record["value"]["op"] == "r")


def test_each_delete_is_followed_by_its_tombstone(simulated: list[dict[str, Any]]) -> None:
    deletes = 0
    for index, record in enumerate(simulated):
        if record["value"] and record["value"]["op"] == "d":
            deletes += 1
            following = simulated[index + 1]
            assert (following["key"], following["value"]) == (record["key"], None)
            assert (following["partition"], following["headers"]) == (
                record["partition"], record["headers"]
            )  # fmt: skip
            assert record["value"]["after"] is None
    assert deletes == sum(record["value"] is None for record in simulated) > 0


def test_a_key_change_is_a_delete_a_tombstone_and_a_create(simulated: list[dict[str, Any]]) -> None:
    changes = 0
    for index, record in enumerate(simulated):
        headers = dict(record["headers"])
        if "__debezium.oldkey" in headers:
            changes += 1
            delete, tombstone = simulated[index - 2 : index]
            assert [delete["value"]["op"], tombstone["value"], record["value"]["op"]] == [
                "d", None, "c"
            ]  # fmt: skip
            assert json.loads(headers["__debezium.oldkey"]) == delete["key"] == tombstone["key"]
            assert json.loads(dict(delete["headers"])["__debezium.newkey"]) == record["key"]
    assert changes > 0


def test_replica_identities(simulated: list[dict[str, Any]]) -> None:
    """purchase_trends keeps whole old rows; checking_accounts only the key, like the samples."""
    previous: dict[int, dict[str, Any]] = {}
    for record in simulated:
        value = record["value"]
        if value is None:
            continue
        if value["source"]["table"] == "purchase_trends":
            key = record["key"]["customer_id"]
            if value["op"] in ("u", "d"):
                assert value["before"] == previous[key]
            previous[key] = value["after"]
        elif value["op"] == "d":
            known = {name: v for name, v in value["before"].items() if v is not None}
            assert known == record["key"] | {"datetime_updated": "1970-01-01T00:00:00.000000Z"}
        else:
            assert value["before"] is None


def test_log_positions_rise_in_commit_order_over_both_tables(
    simulated: list[dict[str, Any]],
) -> None:
    sources = [record["value"]["source"] for record in simulated if record["value"]]
    by_position = sorted(sources, key=lambda source: source["lsn"])
    assert len({source["lsn"] for source in sources}) == len(sources)
    times = [source["ts_us"] for source in by_position]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert by_position[0]["sequence"] == f'[null,"{by_position[0]["lsn"]}"]'


def test_late_records_reach_kafka_late_and_keep_their_commit_time(tmp_path: Path) -> None:
    settings = Settings(
        customers=50, seed=1, start=date(2026, 1, 1), late=0.3,
        out_of_order=0.0, duplicated=0.0, deleted=0.05, malformed=0.0,
    )  # fmt: skip
    report = simulate_days(settings, tmp_path, 6)
    late = 0
    for file in (tmp_path / "landing" / "purchase_trends").iterdir():
        for line in file.read_text().splitlines():
            record = json.loads(line)
            if record["value"]:
                days = (record["timestamp"] - record["value"]["source"]["ts_ms"]) // 86_400_000
                assert days == (record["value"]["ts_ms"] - record["value"]["source"]["ts_ms"]) // 86_400_000
                arrived = int(file.name.split("_")[2][-2:])
                committed = (record["value"]["source"]["ts_ms"] - NEW_YEAR_MS) // 86_400_000 + 1
                assert days in range(4)
                if record["value"]["op"] != "r":
                    assert arrived == committed + days
                late += days > 0
    tombstones_aside = report.feeds["purchase_trends"].counts
    assert 0 < late <= tombstones_aside.late
