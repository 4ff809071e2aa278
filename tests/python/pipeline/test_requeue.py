"""Refused rows come back: listed, repaired, sent through the model again, once each, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_under_test import SCHEMA, Project, new_project

BUILT = (
    *("--select", "models/bronze", "models/silver", "models/gold/operations"),
    *(
        "each_row_read_is_in_exactly_one_class",
        "each_expectation_takes_effect",
        "--exclude",
        "test_type:unit",
        "test_type:generic",
    ),
)

HEADER = (
    "customer_id,full_name,email,birth_date,segment,consent_personalization,consent_marketing,record_status,"
    "updated_at,extracted_at"
)
CLOCK = "2026-01-02T03:04:05.123456Z,2026-01-03T00:00:00Z"
LINES = {
    # Names that a careless statement trips over.
    "keyless": '"O\'Brien ""x"" \\ {{ jinja }}",a@example.com,1990-02-03,mass,true,true,active,' + CLOCK,
    "twice": "Twice Told,b@example.com,,mass,true,true,active," + CLOCK,
    "dated": "901,Bad Date,c@example.com,31.12.1990,mass,true,true,active," + CLOCK,
    "timeless": "902,No Clock,d@example.com,,mass,true,true,active,,2026-01-03T00:00:00Z",
    "sound": "903,Sound,e@example.com,,mass,true,true,active," + CLOCK,
    "unknown": "904,Odd Segment,f@example.com,,royal,true,true,retired," + CLOCK,
}
REPAIRED_EVENT: dict[str, Any] = {
    "before": None,
    "after": {"customer_id": 905, "number_of_online_txns": 4, "datetime_updated": "2026-01-02T03:04:05.000000Z"},
    "source": {"ts_ms": 1767400000123, "lsn": 42},
    "op": "c",
    "ts_ms": 1767400000500,
}


@dataclass(frozen=True)
class World:
    """A project with refused rows, and what the steps of the story saw."""

    project: Project
    refused: dict[str, dict[str, Any]]
    listed: str
    said: list[str]
    asked_at: datetime

    def silver(self, columns: str, key: int) -> list[tuple[Any, ...]]:
        return self.project.query(f"select {columns} from {SCHEMA}.customers where customer_id = {key}")


def rows_of(project: Project, table: str, columns: str = "count(*)", where: str = "true") -> list[tuple[Any, ...]]:
    return project.query(f"select {columns} from {SCHEMA}.{table} where {where} order by 1")


def write_jsonl(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small bank with six odd customers and a broken event; built, repaired, sent back, built again."""
    project = new_project(tmp_path_factory.mktemp("requeue"))
    project.simulate("--customers", "30", "--days", "2")
    lines = [f",{LINES['keyless']}", *[f",{LINES['twice']}"] * 2]
    lines += [LINES[name] for name in ("dated", "timeless", "sound", "unknown")]
    (project.landing / "crm_customers" / "odd.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    (project.landing / "purchase_trends" / "odd.jsonl").write_text('{"topic": "bank", "par\n', encoding="utf-8")
    project.build(*BUILT)

    exported = project.directory / "refused.jsonl"
    project.requeue("crm_customers", "--export", str(exported))
    refused = {row["full_name"]: row for row in map(json.loads, exported.read_text(encoding="utf-8").splitlines())}
    listed = project.requeue("quarantine_purchase_trends", "--list", "--rule", "is_readable")
    (event,) = [
        row
        for row in rows_of(project, "quarantine_purchase_trends", "quarantine_id, _corrupt_record, source_position")
        if row[2].endswith("odd.jsonl")
    ]
    refused["event"] = {"quarantine_id": event[0], "_corrupt_record": event[1]}

    keyless = next(row for name, row in refused.items() if name.startswith("O'Brien"))
    repairs = write_jsonl(
        project.directory / "repaired.jsonl",
        [
            {**keyless, "customer_id": 906},
            {"quarantine_id": refused["Twice Told"]["quarantine_id"], "customer_id": "907", "email": None},
        ],
    )
    events = write_jsonl(
        project.directory / "events.jsonl",
        [
            {
                "quarantine_id": event[0],
                "message_key": {"customer_id": 905},
                "message_value": REPAIRED_EVENT,
                "kafka_timestamp": "2026-01-03T00:26:40.500Z",
            }
        ],
    )
    asked_at = project.query("select current_timestamp()")[0][0]
    iso_dates = "birth_date=date_format(to_date(birth_date, 'dd.MM.yyyy'), 'yyyy-MM-dd')"
    said = [
        project.requeue("crm_customers", repairs, "--dry-run"),
        project.requeue("crm_customers", repairs),
        project.requeue("crm_customers", repairs),
        project.requeue("crm_customers", "--set", iso_dates, "--rule", "has_typed_values"),
        project.requeue("stg_crm_customers", "--as-is", "--rule", "status_is_known"),
        project.requeue("purchase_trends", events),
    ]
    project.build(*BUILT)
    return World(project, refused, listed, said, asked_at)


def test_what_waits_is_listed_with_the_rules_it_broke(world: World) -> None:
    assert world.refused["event"]["quarantine_id"][:12] in world.listed
    assert "is_readable" in world.listed
    assert {name: row["broken_rules"] for name, row in world.refused.items() if name in ("Bad Date", "No Clock")} == {
        "Bad Date": ["has_typed_values"],
        "No Clock": ["has_sequence"],
    }
    # All that it broke, also what only warns.
    assert world.refused["Odd Segment"]["broken_rules"] == ["status_is_known", "segment_is_known"]


def test_a_repaired_row_is_in_silver_once(world: World) -> None:
    name = 'O\'Brien "x" \\ {{ jinja }}'
    assert world.silver("full_name, email, cast(birth_date as string)", 906) == [(name, "a@example.com", "1990-02-03")]
    assert world.silver("full_name, email", 907) == [("Twice Told", None)]
    assert world.silver("full_name, cast(birth_date as string)", 901) == [("Bad Date", "1990-12-31")]
    assert rows_of(world.project, "purchase_trends", "number_of_online_txns", "customer_id = 905") == [(4,)]


def test_a_dry_run_shows_the_repaired_record_and_sends_nothing(world: World) -> None:
    shown = [json.loads(line) for line in world.said[0].splitlines() if line.startswith("{")]
    assert sorted(record["customer_id"] for record in shown) == ["906", "907"]
    assert "Would send back 2 rows" in world.said[0]
    assert "Sent back 2 rows of quarantine_crm_customers to bronze_crm_customers\n" in world.said[1]


def test_a_row_is_sent_back_once(world: World) -> None:
    assert (
        "Sent back 0 rows of quarantine_crm_customers to bronze_crm_customers; 2 had been sent back before"
        in world.said[2]
    )
    sent = rows_of(world.project, "bronze_crm_customers", "source_position", "source_position like 'requeue/%'")
    assert len(sent) == len(set(sent)) == 4
    # Two copies of a record in one file are one row to repair.
    assert rows_of(world.project, "quarantine_crm_customers", where="full_name = 'Twice Told'") == [(2,)]
    assert rows_of(world.project, "stg_crm_customers", where="customer_id = 907") == [(1,)]


def test_a_repaired_row_remembers_where_it_was_and_since_when_it_is_known(world: World) -> None:
    ((position, known_at, arrived_at),) = rows_of(
        world.project, "stg_crm_customers", "source_position, known_at, arrived_at", "customer_id = 907"
    )
    assert position == f"requeue/{world.refused['Twice Told']['quarantine_id']}"
    assert known_at == arrived_at
    assert known_at >= world.asked_at
    assert rows_of(world.project, "stg_crm_customers", "cast(known_at as string)", "customer_id = 903") == [
        ("2026-01-03 00:00:00",)
    ]


def test_what_is_still_broken_is_refused_again_under_a_new_id(world: World) -> None:
    rows = rows_of(
        world.project, "quarantine_crm_customers", "quarantine_id, source_position", "full_name = 'Odd Segment'"
    )
    first = world.refused["Odd Segment"]["quarantine_id"]
    assert first in {quarantine_id for quarantine_id, _ in rows}
    assert len(rows) == 2
    assert f"requeue/{first}" in {position for _, position in rows}
    again = world.project.requeue("crm_customers", "--list", "--rule", "status_is_known")
    (second,) = {quarantine_id for quarantine_id, _ in rows} - {first}
    assert second[:12] in again
    assert first[:12] not in again


def test_the_ledger_counts_a_returned_row_as_one_more_that_was_read(world: World) -> None:
    ledger = world.project.query(
        f"select source_table, target_table, sum(rows_in_class), max(rows_read) from {SCHEMA}.conservation_ledger "
        "group by source_table, target_table"
    )
    assert len(ledger) == 6
    assert all(counted == read > 0 for _, _, counted, read in ledger)
    classes = dict(
        rows_of(
            world.project, "conservation_ledger", "record_class, rows_in_class", "target_table = 'stg_crm_customers'"
        )
    )
    assert classes["quarantined"] == rows_of(world.project, "quarantine_crm_customers")[0][0]
    assert classes["kept"] == rows_of(world.project, "stg_crm_customers")[0][0]


def test_each_run_counts_what_arrived_in_it_and_nothing_twice(world: World) -> None:
    def results() -> list[tuple[Any, ...]]:
        return world.project.query(
            f"select run_id, expectation, passed, failed from {SCHEMA}.expectation_results "
            "where table_name = 'stg_crm_customers' order by run_at, expectation"
        )

    before = results()
    runs = list(dict.fromkeys(run for run, *_ in before))
    assert len(runs) == 2
    second = {expectation: (passed, failed) for run, expectation, passed, failed in before if run == runs[1]}
    # Four came back: two of the file, the date, and the one that is still no known status.
    assert second == {
        "is_readable": (4, 0),
        "has_key": (4, 0),
        "has_sequence": (4, 0),
        "has_typed_values": (4, 0),
        "status_is_known": (3, 1),
        "segment_is_known": (3, 1),
    }
    ((bronze,),) = rows_of(world.project, "bronze_crm_customers")
    readable = sum(passed + failed for _, expectation, passed, failed in before if expectation == "is_readable")
    assert readable == bronze
    failed_once = world.project.query(
        f"select count_if(array_contains(broken_rules, 'has_key')) from {SCHEMA}.quarantine_crm_customers"
    )
    assert [(sum(failed for _, name, _, failed in before if name == "has_key"),)] == failed_once

    world.project.build("--select", "models/gold/operations", "--exclude", "test_type:unit")
    world.project.build("--select", "expectation_counts", "--full-refresh", "--exclude", "test_type:unit")
    assert results() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "--list"], "nothing has no quarantine table; those of the project are quarantine_checking"),
        (["clickstream", "--list"], "clickstream has no quarantine table"),
        (["crm_customers"], "give one of FILE, --list, --export, --as-is, --set"),
        (["crm_customers", "--as-is", "--list"], "give one of FILE"),
        (["crm_customers", "--list", "--rule", "has_keys"], "has_keys is no expectation behind quarantine_crm"),
        (["crm_customers", "--as-is", "--id", "zz"], "rows of quarantine_crm_customers have an id that begins with zz"),
        (["crm_customers", "--set", "customer=1"], "customer is no column of the record; it has customer_id"),
        (["crm_customers", "--set", "arrived_at=now()"], "arrived_at is no column of the record"),
        (["crm_customers", "--set", "customer_id"], "expected COLUMN=EXPRESSION"),
        (["crm_customers", "--set", "customer_id=nope(1)"], "nothing was sent back: "),
        (["crm_customers", "missing.jsonl"], "missing.jsonl cannot be read (No such file or directory)"),
        (["crm_customers", "--list", "--target", "nowhere"], "nowhere"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_nothing_is_sent(world: World, arguments: list[str], says: str) -> None:
    assert says in world.project.refused_requeue(*arguments)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.jsonl", '{"customer_id": "1"}\n', "line 1: no quarantine_id; take it from"),
        ("a.jsonl", '{"quarantine_id": "x"}\n\n{"quarantine_id": "x"}\n', "line 3: quarantine_id x came before"),
        ("a.jsonl", '{"quarantine_id": "x", "nope": 1}\n', "line 1: nope is no column of the record"),
        ("a.jsonl", '{"quarantine_id": "x"\n', "line 1: not JSON"),
        ("a.jsonl", "[]\n", "line 1: expected a JSON object"),
        ("a.jsonl", '{"quarantine_id": "x"}\n', "quarantine_crm_customers has no row x; see --list and --export"),
        ("a.csv", "quarantine_id,customer_id\nx\n", "line 2: another number of fields than the header has"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_its_line(world: World, tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert says in world.project.refused_requeue("crm_customers", str(tmp_path / name))


def test_who_sees_masked_values_cannot_send_them_back(world: World) -> None:
    profiles = world.project.directory / "profiles.yml"
    outputs = yaml.safe_load(profiles.read_text(encoding="utf-8"))
    local = outputs["nextbest"]["outputs"]["local"]
    outputs["nextbest"]["outputs"]["reader"] = {**local, "principal": "ann@shop.example"}
    profiles.write_text(yaml.safe_dump(outputs), encoding="utf-8")
    before = rows_of(world.project, "bronze_crm_customers")
    said = world.project.refused_requeue("crm_customers", "--as-is", "--target", "reader")
    assert "sees columns of quarantine_crm_customers masked by" in said
    assert rows_of(world.project, "bronze_crm_customers") == before


def test_a_command_that_is_killed_and_repeated_sends_a_row_once(world: World) -> None:
    project = world.project
    quarantine_id = world.refused["No Clock"]["quarantine_id"]
    command = [sys.executable, "-m", "nextbest.cli", "requeue", "crm_customers", "--id", quarantine_id[:20]]
    repair = ["--set", "updated_at='2026-01-02T00:00:00Z'"]
    environment = {**os.environ, **project.environment}
    started = time.perf_counter()
    subprocess.run([*command, *repair, "--dry-run"], env=environment, check=True, capture_output=True)
    longest = time.perf_counter() - started
    for share in (0.5, 0.8, 0.95):
        process = subprocess.Popen([*command, *repair], env=environment, start_new_session=True)
        try:
            process.wait(timeout=share * longest)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    project.requeue("crm_customers", "--id", quarantine_id[:20], *repair)
    sent = rows_of(project, "bronze_crm_customers", where=f"source_position = 'requeue/{quarantine_id}'")
    assert sent == [(1,)]
    project.build(*BUILT)
    assert world.silver("full_name, cast(valid_from as string)", 902) == [("No Clock", "2026-01-02 00:00:00")]


def test_what_was_refused_again_is_repaired_in_turn(world: World) -> None:
    project = world.project
    positions = "source_position like 'requeue/%' and full_name = 'Odd Segment'"
    assert len(rows_of(project, "bronze_crm_customers", "source_position", positions)) == 1
    said = project.requeue("crm_customers", "--rule", "status_is_known", "--set", "record_status='active'")
    assert "Sent back 1 rows of quarantine_crm_customers to bronze_crm_customers; 1 had been sent back before" in said
    project.build(*BUILT)
    assert len(rows_of(project, "bronze_crm_customers", "source_position", positions)) == 2
    # A rule that only warns lets the odd segment pass.
    assert world.silver("full_name, segment", 904) == [("Odd Segment", "royal")]
    assert "0 rows wait" in project.requeue("crm_customers", "--list", "--rule", "status_is_known")


def test_a_full_refresh_keeps_and_refuses_the_same_rows_and_sends_none_again(world: World) -> None:
    project = world.project

    def seen() -> list[list[tuple[Any, ...]]]:
        return [
            rows_of(project, "quarantine_crm_customers", "quarantine_id, broken_rules, source_position"),
            rows_of(project, "quarantine_purchase_trends", "quarantine_id, broken_rules, source_position"),
            rows_of(project, "stg_crm_customers", "source_position, customer_id, known_at"),
            rows_of(project, "customers", "customer_id, full_name, valid_from, known_at"),
            rows_of(project, "conservation_ledger", "target_table, record_class, rows_in_class, rows_read"),
            rows_of(project, "expectation_results", "run_at, table_name, expectation, passed, failed"),
        ]

    before = [sorted(rows, key=str) for rows in seen()]
    assert all(before)
    project.build(*BUILT, "--full-refresh")
    assert [sorted(rows, key=str) for rows in seen()] == before
    said = project.requeue("crm_customers", "--as-is", "--id", world.refused["Twice Told"]["quarantine_id"])
    assert "Sent back 0 rows of quarantine_crm_customers to bronze_crm_customers; 1 had been sent back before" in said
