"""Quarantine: two tables from one source, and a receipt for what is dropped. Each row is in exactly one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scratch_project import ScratchProject

RULES = [
    {"name": "is_readable", "expression": "not is_corrupt", "on_violation": "quarantine", "decisive": True},
    {"name": "has_key", "expression": "id is not null", "on_violation": "quarantine"},
    {
        "name": "quoted",
        "expression": "name not in ('it''s', 'a \\\\ b', '\"') -- no such name",
        "on_violation": "quarantine",
    },
    {
        "name": "nested",
        "expression": "forall(flatten(tags), tag -> tag is not null and tag <> '')",
        "on_violation": "quarantine",
    },
    {"name": "is_no_test", "expression": "name not like 'test%'", "on_violation": "drop"},
    {"name": "is_recent", "expression": "id < 1000", "on_violation": "drop"},
    {"name": "is_short", "expression": "length(name) < 20", "on_violation": "warn"},
]
COLUMNS = {"id": "bigint", "name": "string", "tags": "array<array<string>>", "arrived_at": "timestamp"}

TYPED = """{{ config(materialized='ephemeral') }}
select struct(*) as record, try_cast(id as bigint) as id, name, tags, is_corrupt
from (select * from {{ stream() }} {{ source('raw', 'changes') }})
"""
KEPT = """
with kept as (
    {{ kept_rows(ref('typed')) }}
)
select id, name, tags, record.arrived_at from kept
"""
QUARANTINED = "{{ quarantined_rows(ref('typed'), of='stg', record='record', times=['arrived_at']) }}"
DROPPED = "{{ dropped_rows(ref('typed'), of='stg', columns=['record.place', 'record.arrived_at']) }}"

# place, id, name, tags, is_corrupt, and what becomes of it
ROWS: list[tuple[str, str | None, str | None, list[list[str | None]] | None, bool | None, Any]] = [
    ("a", "1", "Ann", [["x"], []], False, "kept"),
    ("b", "2", "a name that is far too long", [], False, "kept"),
    ("c", None, "Bob", [["x"]], False, ["has_key", "is_recent"]),
    ("d", "x7", "it's", [["x"], [None]], False, ["has_key", "quoted", "nested", "is_recent"]),
    ("e", "3", "a \\ b", None, False, ["quoted", "nested"]),
    ("f", "4", None, [["x"]], False, ["quoted", "is_no_test", "is_short"]),
    ("g", None, None, None, True, ["is_readable"]),
    ("h", "5", "Cy", [["x"]], None, ["is_readable"]),
    ("i", "6", "test 1", [["x"]], False, "is_no_test"),
    ("j", "5000", "test 2", [["x"]], False, "is_no_test"),
    ("k", "5000", '"', [["x"]], False, ["quoted", "is_recent"]),
    ("l", "5001", "Di", [["x"]], False, "is_recent"),
]


def insert(shop: ScratchProject, rows: list[Any]) -> None:
    with shop.connect() as connection, connection.cursor() as cursor:
        for place, key, name, tags, is_corrupt, _ in rows:
            array = "null" if tags is None else "from_json(:tags, 'array<array<string>>')"
            cursor.execute(
                "insert into changes (place, id, name, tags, is_corrupt, arrived_at) "
                f"select :place, :id, :name, {array}, :corrupt, current_timestamp()",
                {"place": place, "id": key, "name": name, "corrupt": is_corrupt}
                | ({} if tags is None else {"tags": json.dumps(tags)}),
            )


@pytest.fixture(scope="module", autouse=True)
def built(shop: ScratchProject) -> None:
    shop.query(
        "create table changes (place string, id string, name string, tags array<array<string>>, is_corrupt boolean, "
        "arrived_at timestamp)"
    )
    insert(shop, ROWS)
    shop.model("typed", TYPED)
    shop.model(
        "stg",
        KEPT,
        config={
            "materialized": "streaming_table",
            "meta": {"expectations": RULES, "quarantined_in": "quarantine", "dropped_in": "dropped"},
        },
        columns=[{"name": name, "data_type": data_type} for name, data_type in COLUMNS.items()],
    )
    shop.model("quarantine", QUARANTINED, config={"materialized": "streaming_table"})
    shop.model("dropped", DROPPED, config={"materialized": "streaming_table"})
    shop.run()


def test_each_row_is_in_exactly_one_table(shop: ScratchProject) -> None:
    assert shop.query("select name from stg order by id") == [(row[2],) for row in ROWS if row[5] == "kept"]
    assert shop.query("select place, array_join(broken_rules, ',') from quarantine order by place") == [
        (row[0], ",".join(row[5])) for row in ROWS if isinstance(row[5], list)
    ]
    assert shop.query("select place, dropped_by from dropped order by place") == [
        (row[0], row[5]) for row in ROWS if isinstance(row[5], str) and row[5] != "kept"
    ]


def test_a_refused_row_is_kept_whole(shop: ScratchProject) -> None:
    assert shop.query(
        "select id, name, to_json(tags), is_corrupt from quarantine where place in ('d', 'g') order by place"
    ) == [
        ("x7", "it's", '[["x"],[null]]', False),
        (None, None, None, True),
    ]
    assert (
        shop.query("select q.arrived_at <=> c.arrived_at from quarantine q join changes c using (place)")
        == [(True,)] * 7
    )


def test_a_drop_is_a_constraint_of_the_streaming_table(shop: ScratchProject) -> None:
    statement = shop.statement("stg")
    assert "CONSTRAINT is_no_test EXPECT ((name not like 'test%') IS TRUE) ON VIOLATION DROP ROW" in statement
    assert "CONSTRAINT is_short EXPECT ((length(name) < 20) IS TRUE)\n" in statement
    assert "CONSTRAINT has_key" not in statement


def test_a_replay_gives_the_same_ids_and_another_place_another(shop: ScratchProject) -> None:
    query = "select place, quarantine_id from quarantine order by place"
    before = shop.query(query)
    assert len({quarantine_id for _, quarantine_id in before}) == 7
    shop.query("update changes set arrived_at = arrived_at + interval 1 day")
    # What a source gets later is not in older rows, so that what was sent back before stays so.
    shop.query("alter table changes add column note string")
    shop.run("--full-refresh")
    assert shop.query(query) == before

    moved = ("z", *ROWS[2][1:])
    insert(shop, [moved, moved])
    shop.run()
    ids = dict(shop.query(query))
    assert {place: ids[place] for place, _ in before} == dict(before)
    # Copies within one place share an id.
    assert shop.query("select count(*), count(distinct quarantine_id) from quarantine where place = 'z'") == [(2, 1)]
    assert ids["z"] not in dict(before).values()
