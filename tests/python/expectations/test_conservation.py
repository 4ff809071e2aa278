"""The ledger and the counts of expectations on random rows, against a count in Python that knows only the rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
import yaml
from project_under_test import ROOT
from scratch_project import ScratchProject, message_of
from typer.testing import CliRunner

from nextbest.cli import app

RULES = [
    {"name": "has_key", "expression": "order_id is not null", "on_violation": "quarantine"},
    {"name": "has_amount", "expression": "amount is not null or operation = 'd'", "on_violation": "quarantine"},
    {"name": "is_no_test", "expression": "amount <> 666 or operation = 'd'", "on_violation": "drop"},
    {"name": "is_positive", "expression": "amount > 0 or operation = 'd'", "on_violation": "drop"},
    {"name": "is_small", "expression": "amount < 100", "on_violation": "warn"},
]
# A value that is not what it should be is NULL, and a rule that is NULL is broken: so is `is_small` by every delete.
CHECKS = {
    "has_key": lambda row: row.order_id is not None,
    "has_amount": lambda row: row.amount is not None or row.operation == "d",
    "is_no_test": lambda row: row.operation == "d" or (row.amount is not None and row.amount != 666),
    "is_positive": lambda row: row.operation == "d" or (row.amount is not None and row.amount > 0),
    "is_small": lambda row: row.amount is not None and row.amount < 100,
}
VARS = {
    "staged_feeds": {
        "orders": {
            "has_tombstones": True,
            "dropped_in": "dropped_orders",
            "applied_to": ["orders", "orders_history"],
        }
    },
    "tables_with_expectations": {"large_orders": None},
}
BRONZE = {
    "order_id": "string", "amount": "string", "operation": "string", "seq": "bigint", "_corrupt_record": "string",
    "message_key": "string", "message_value": "string", "source_position": "string", "source_time": "timestamp",
    "arrived_at": "timestamp",
}  # fmt: skip
STAGED = {
    "order_id": "bigint", "amount": "int", "operation": "string", "seq": "bigint", "source_position": "string",
    "arrived_at": "timestamp",
}  # fmt: skip

TYPED = """{{ config(materialized='ephemeral') }}
select struct(*) as record, try_cast(order_id as bigint) as order_id, try_cast(amount as int) as amount, operation, seq
from (select * from {{ stream() }} {{ ref('bronze_orders') }} where not {{ is_tombstone() }})
"""
KEPT = """
with kept as (
    {{ kept_rows(ref('typed_orders')) }}
)
select order_id, amount, operation, seq, record.source_position, record.arrived_at from kept
"""
QUARANTINED = "{{ quarantined_rows(ref('typed_orders'), of='stg_orders', record='record') }}"
DROPPED = "{{ dropped_rows(ref('typed_orders'), of='stg_orders', columns=['seq', 'record.arrived_at']) }}"
LARGE = "select order_id, amount from {{ ref('orders') }} where amount > 40"


class Row(NamedTuple):
    """A row as staging types it; None in `operation` stands for a tombstone."""

    order_id: int | None
    amount: int | None
    operation: str | None
    seq: int

    def broken(self) -> list[str]:
        return [name for name, keeps in CHECKS.items() if not keeps(self)]


def classes_of_staging(rows: list[Row]) -> Counter[tuple[str, str | None]]:
    """Class and dropping rule of rows of bronze."""
    classes: Counter[tuple[str, str | None]] = Counter()
    for row in rows:
        broken = row.broken()
        if row.operation is None:
            classes["tombstone", None] += 1
        elif {"has_key", "has_amount"} & set(broken):
            classes["quarantined", None] += 1
        elif dropped_by := [name for name in broken if name in ("is_no_test", "is_positive")]:
            classes["dropped", dropped_by[0]] += 1
        else:
            classes["kept", None] += 1
    return classes


def is_kept(row: Row) -> bool:
    return row.operation is not None and not set(row.broken()) - {"is_small"}


def classes_of_auto_cdc(rows: list[Row], *, with_history: bool) -> Counter[tuple[str, str | None]]:
    """Class of kept rows; no two different events share key and sequence here."""
    kept = [row if row.operation != "d" else row._replace(amount=None) for row in rows if is_kept(row)]
    events = sorted(set(kept), key=lambda row: (row.order_id, row.seq))
    classes: Counter[tuple[str, str | None]] = Counter({("duplicate", None): len(kept) - len(events)})
    for event, follower in pairwise([*events, None]):
        assert event is not None
        is_last = follower is None or follower.order_id != event.order_id
        if event.operation == "d":
            name = "delete"
        elif is_last or (with_history and (follower.operation == "d" or follower.amount != event.amount)):
            name = "applied"
        else:
            name = "superseded"
        classes[name, None] += 1
    return +classes


def random_rows(chance: random.Random, number: int) -> list[Row]:
    """Rows of few keys, many of them odd, a fifth delivered twice."""
    rows = []
    for seq in range(number):
        operation = chance.choices(["u", "d", None], [7, 2, 1])[0]
        key = chance.choice([1, 2, 3, 4, 5, 6, 7, None])
        amount = chance.choice([None, 666, -1, 0, 5, 5, 50, 500]) if operation != "d" else chance.choice([None, 7])
        rows.append(Row(key, amount, operation, seq))
    return rows + chance.sample(rows, number // 5)


def deliver(shop: ScratchProject, rows: list[Row], *, day: int) -> None:
    """Rows into the table that bronze reads; a value that does not cast stands for some that are missing."""
    values = []
    for place, (key, amount, operation, seq) in enumerate(rows):
        order_id = "'no key'" if key is None else f"'{key}'"
        written = "'no amount'" if amount is None and operation != "d" else "null" if amount is None else f"'{amount}'"
        change = "null" if operation is None else f"'{operation}'"
        key_and_value = "'k', null" if operation is None else "'k', 'v'"
        values.append(
            f"({order_id}, {written}, {change}, {seq}, null, {key_and_value}, "
            f"'file/{day}/{place}', timestamp '2026-01-0{day}', timestamp '2026-01-0{day}')"
        )
    shop.query(f"insert into changes values {', '.join(values)}")


class Ledger(NamedTuple):
    """The project after two days of rows and one row that was repaired and sent back."""

    shop: ScratchProject
    rows: list[Row]

    def classes(self, target_table: str) -> Counter[tuple[str, str | None]]:
        rows = self.shop.query(
            "select record_class, rule_name, rows_in_class from conservation_ledger "
            f"where target_table = '{target_table}' and rows_in_class > 0"
        )
        return Counter({(name, rule): number for name, rule, number in rows})

    def counts(self, table: str) -> dict[str, tuple[int, int]]:
        return {
            expectation: (passed, failed)
            for expectation, passed, failed in self.shop.query(
                "select expectation, sum(passed), sum(failed) from expectation_results "
                f"where table_name = '{table}' group by expectation"
            )
        }


def columns(types: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "data_type": data_type} for name, data_type in types.items()]


def new_shop(shop: ScratchProject) -> None:
    """A feed from bronze to history, with the project's own ledger, counts and tests."""
    project_file = shop.directory / "dbt_project.yml"
    project = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    project_file.write_text(yaml.safe_dump({**project, "vars": VARS}), encoding="utf-8")
    streaming = {"materialized": "streaming_table"}
    shop.model(
        "bronze_orders",
        "select * from {{ stream() }} {{ source('raw', 'changes') }}",
        config=streaming,
        columns=columns(BRONZE),
    )
    shop.model("typed_orders", TYPED)
    meta = {"expectations": RULES, "quarantined_in": "quarantine_orders", "dropped_in": "dropped_orders"}
    shop.model("stg_orders", KEPT, config={**streaming, "meta": meta}, columns=columns(STAGED))
    shop.model("quarantine_orders", QUARANTINED, config=streaming)
    shop.model("dropped_orders", DROPPED, config=streaming)
    flow = {
        "keys": "order_id",
        "sequence_by": "seq",
        "apply_as_delete_when": "operation = 'd'",
        "columns": ["order_id", "amount"],
    }
    shop.auto_cdc("orders", flow, staging="stg_orders")
    shop.auto_cdc("orders_history", {**flow, "scd_type": 2}, staging="stg_orders")
    rule = {"name": "is_not_huge", "expression": "amount < 100", "on_violation": "fail"}
    shop.model(
        "large_orders",
        LARGE,
        config={"materialized": "table", "meta": {"expectations": [rule]}},
        data_tests=[{"expectations": {"arguments": {"on_violation": "fail"}}}],
    )
    for name in ("conservation_ledger", "expectation_counts", "expectation_results"):
        shop.model(name, (ROOT / "models" / "gold" / "operations" / f"{name}.sql").read_text(encoding="utf-8"))
    (shop.directory / "tests").mkdir()
    for test in (
        "each_row_read_is_in_exactly_one_class",
        "each_stage_is_in_the_ledger",
        "each_expectation_takes_effect",
    ):
        text = (ROOT / "tests" / "singular" / f"{test}.sql").read_text(encoding="utf-8")
        (shop.directory / "tests" / f"{test}.sql").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folders = ("materializations", "expectations", "operations", "feeds")
    shop = ScratchProject(tmp_path_factory.mktemp("ledger") / "project", folders)
    new_shop(shop)
    rows = random_rows(random.Random(7), 80)
    random.Random(8).shuffle(rows)
    with shop.connect():
        shop.query(f"create table changes ({', '.join(f'{name} {kind}' for name, kind in BRONZE.items())})")
        for day, part in enumerate((rows[:40], rows[40:]), start=1):
            deliver(shop, part, day=day)
            shop.run()
        ((quarantine_id,),) = shop.query("select min(quarantine_id) from quarantine_orders where order_id = '3'")
        arguments = ["--id", quarantine_id, "--set", "amount='7'", "--set", "operation='u'", "--set", "seq=1000"]
        places = ["--project-dir", str(shop.directory), "--profiles-dir", str(shop.directory)]
        outcome = CliRunner().invoke(app, ["requeue", "orders", *arguments, *places])
        assert "Sent back 1 rows" in outcome.output, outcome.output
        shop.run()
        yield Ledger(shop, [*rows, Row(3, 7, "u", 1000)])


def test_each_row_of_bronze_is_in_its_class(ledger: Ledger) -> None:
    expected = classes_of_staging(ledger.rows)
    assert {name for name, _ in expected} == {"kept", "quarantined", "dropped", "tombstone"}
    assert ledger.classes("stg_orders") == expected


@pytest.mark.parametrize(("table", "with_history"), [("orders", False), ("orders_history", True)])
def test_each_staged_row_is_in_its_class(ledger: Ledger, table: str, with_history: bool) -> None:
    expected = classes_of_auto_cdc(ledger.rows, with_history=with_history)
    assert {name for name, _ in expected} == {"applied", "superseded", "delete", "duplicate"}
    assert ledger.classes(table) == expected


def test_a_rule_is_counted_over_every_row_it_was_asked_of(ledger: Ledger) -> None:
    asked = [row for row in ledger.rows if row.operation is not None]
    failed = Counter(name for row in asked for name in row.broken())
    assert ledger.counts("stg_orders") == {name: (len(asked) - failed[name], failed[name]) for name in CHECKS}


def test_a_table_in_batch_is_counted_in_each_run_and_shows_what_fails(ledger: Ledger) -> None:
    runs = ledger.shop.query(
        "select passed, failed from expectation_results where table_name = 'large_orders' order by run_at"
    )
    assert len(runs) == 3
    ((passed, failed),) = ledger.shop.query("select count_if(amount < 100), count_if(amount >= 100) from large_orders")
    assert runs[-1] == (passed, failed)
    assert failed > 0


def test_a_full_refresh_changes_no_class_and_no_count(ledger: Ledger) -> None:
    tables = ("stg_orders", "orders", "orders_history")
    before = [ledger.classes(table) for table in tables], ledger.counts("stg_orders")
    ledger.shop.run("--full-refresh", "--select", "stg_orders+", "quarantine_orders", "dropped_orders")
    assert ([ledger.classes(table) for table in tables], ledger.counts("stg_orders")) == before


def test_a_lost_row_and_an_uncounted_stage_fail_their_tests(ledger: Ledger) -> None:
    shop = ledger.shop
    tests = ("test", "--select", "test_type:singular")
    assert message_of(shop.dbt(*tests)) == ""
    ((quarantine_id,),) = shop.query("select quarantine_id from quarantine_orders limit 1")
    shop.query(f"delete from quarantine_orders where quarantine_id = '{quarantine_id}'")
    shop.auto_cdc("forgotten", {"keys": "order_id", "sequence_by": "seq"}, staging="stg_orders")
    shop.run("--select", "conservation_ledger")
    outcome = shop.dbt(*tests)
    failed = {r.node.name: r for r in outcome.result.results if r.status == "fail"}  # type: ignore[union-attr]
    assert set(failed) == {"each_row_read_is_in_exactly_one_class", "each_stage_is_in_the_ledger"}
    lost = shop.query(failed["each_row_read_is_in_exactly_one_class"].node.compiled_code)
    assert [(row[1], row[-1]) for row in lost] == [("stg_orders", -1)]
    assert shop.query(failed["each_stage_is_in_the_ledger"].node.compiled_code) == [
        ("forgotten", "name it in `applied_to` of its feed in the var `staged_feeds`")
    ]
