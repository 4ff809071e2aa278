"""What auto_cdc sends for each option, and what a table then holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from scratch_project import STAGING, ScratchProject

from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import ColumnSelection, Storage, parse_create_streaming_table

BASE: dict[str, Any] = {"keys": "id", "sequence_by": "seq", "columns": ["id", "name", "city"]}
PREVIEW = BASE | {"preview": True}
BITEMPORAL = {"keys": "id", "sequence_by": "seq", "scd_type": "bitemporal", "preview": True}

MODELS: dict[str, Mapping[str, Any]] = {
    "bare": BASE | {"ignore_null_updates": True},
    "overwriting": BASE | {"ignore_null_updates": False},
    "listed": PREVIEW | {"ignore_null_updates": ["name", "city"]},
    "one": PREVIEW | {"ignore_null_updates": "city"},
    "all_but": PREVIEW | {"ignore_null_updates": {"except": ["city"]}},
    "all_but_name": PREVIEW | {"ignore_null_updates": {"except": "name"}},
    "in_part": PREVIEW | {"columns_to_update": "updates"},
    "beliefs": {
        "keys": ["id"],
        "ignore_null_updates": True,
        "apply_as_delete_when": "name = 'gone'",
        "sequence_by": ["seq", "known"],
        "system_sequence_by": "known",
        "except_columns": ["updates"],
        "scd_type": "bitemporal",
        "track_history_except_on": ["seq"],
        "preview": True,
    },
    "by_list": BITEMPORAL | {"system_sequence_by": ["known", "seq"]},
    "by_expression": BITEMPORAL | {"scd_type": "BITEMPORAL", "system_sequence_by": "greatest(known, seq)"},
}


@pytest.fixture(scope="module", autouse=True)
def sent(shop: ScratchProject) -> None:
    """Customer 1 arrives, moves without a name, and customer 2 arrives; each row names what it updates."""
    shop.query(
        "create table changes (id int, name string, city string, seq bigint, known bigint, updates array<string>)"
    )
    shop.query(
        "insert into changes values (1, 'Ann', 'Bern', 1, 10, array('name', 'city')), "
        "(1, null, 'Basel', 2, 11, array('city')), (2, 'Bob', 'Chur', 1, 12, array('name', 'city'))"
    )
    shop.model("stg_changes", STAGING)
    for name, options in MODELS.items():
        shop.auto_cdc(name, options)
    config = {"materialized": "auto_cdc", "keys": "id", "sequence_by": "seq", "columns": ["id", "name"]}
    shop.model("plainly", "select * from {{ ref('stg_changes') }}", config=config)
    shop.run()


def flow_lines(shop: ScratchProject, name: str) -> list[str]:
    """The lines of the flow that the run sent."""
    lines = shop.statement(name).splitlines()
    return lines[lines.index("FLOW AUTO CDC") + 1 :]


def test_a_bare_ignore_null_updates_stands_behind_the_keys_and_keeps_earlier_values(shop: ScratchProject) -> None:
    assert flow_lines(shop, "bare") == [
        "FROM STREAM(`spark_catalog`.`shop`.`stg_changes`)",
        "KEYS (`id`)",
        "IGNORE NULL UPDATES",
        "SEQUENCE BY seq",
        "COLUMNS (`id`, `name`, `city`)",
        "STORED AS SCD TYPE 1",
    ]
    assert shop.query("select * from bare order by id") == [(1, "Ann", "Basel"), (2, "Bob", "Chur")]


def test_without_the_option_a_null_overwrites(shop: ScratchProject) -> None:
    assert "IGNORE NULL UPDATES" not in flow_lines(shop, "overwriting")
    assert shop.query("select * from overwriting order by id") == [(1, None, "Basel"), (2, "Bob", "Chur")]


@pytest.mark.parametrize(
    ("name", "clause", "kept"),
    [
        ("listed", "IGNORE NULL UPDATES ON (`name`, `city`)", "Ann"),
        ("one", "IGNORE NULL UPDATES ON (`city`)", None),
        ("all_but", "IGNORE NULL UPDATES ON * EXCEPT (`city`)", "Ann"),
        ("all_but_name", "IGNORE NULL UPDATES ON * EXCEPT (`name`)", None),
    ],
)
def test_ignore_null_updates_covers_the_columns_it_names(
    shop: ScratchProject, name: str, clause: str, kept: str | None
) -> None:
    assert flow_lines(shop, name)[2] == clause
    assert shop.query(f"select name from {name} where id = 1") == [(kept,)]


def test_columns_to_update_is_the_last_clause_and_leaves_the_other_columns_alone(shop: ScratchProject) -> None:
    assert flow_lines(shop, "in_part")[-2:] == ["STORED AS SCD TYPE 1", "COLUMNS TO UPDATE `updates`"]
    assert shop.query("select * from in_part order by id") == [(1, "Ann", "Basel"), (2, "Bob", "Chur")]


def test_bitemporal_sends_both_sequences_in_the_documented_order(shop: ScratchProject) -> None:
    assert flow_lines(shop, "beliefs") == [
        "FROM STREAM(`spark_catalog`.`shop`.`stg_changes`)",
        "KEYS (`id`)",
        "IGNORE NULL UPDATES",
        "APPLY AS DELETE WHEN name = 'gone'",
        "SEQUENCE BY STRUCT(seq, known)",
        "SYSTEM SEQUENCE BY known",
        "COLUMNS * EXCEPT (`updates`)",
        "STORED AS BITEMPORAL",
        "TRACK HISTORY ON * EXCEPT (`seq`)",
    ]
    flow = parse_create_streaming_table(Reader(shop.statement("beliefs"))).auto_cdc
    assert flow is not None
    assert flow.stored_as is Storage.BITEMPORAL
    assert (flow.sequence_by, flow.system_sequence_by) == ("STRUCT(seq, known)", "known")
    assert flow.track_history_on == ColumnSelection(("seq",), is_except=True)


def test_bitemporal_shows_what_was_believed_when(shop: ScratchProject) -> None:
    rows = shop.query("""
        select id, name, city, __START_AT.seq, __END_AT.seq, __SYSTEM_START_AT, __SYSTEM_END_AT
        from beliefs
        order by __SYSTEM_START_AT, __START_AT
    """)
    assert rows == [
        (1, "Ann", "Bern", 1, None, 10, 11),
        (1, "Ann", "Bern", 1, 2, 11, None),
        (1, "Ann", "Basel", 2, None, 11, None),
        (2, "Bob", "Chur", 1, None, 12, None),
    ]


@pytest.mark.parametrize(
    ("name", "system_sequence"),
    [("beliefs", "known"), ("by_list", "STRUCT(known, seq)"), ("by_expression", "greatest(known, seq)")],
)
def test_a_system_sequence_is_a_column_an_expression_or_a_list(
    shop: ScratchProject, name: str, system_sequence: str
) -> None:
    assert f"SYSTEM SEQUENCE BY {system_sequence}" in flow_lines(shop, name)
    flow = parse_create_streaming_table(Reader(shop.statement(name))).auto_cdc
    assert flow is not None
    assert flow.system_sequence_by == system_sequence


def test_a_model_may_give_its_options_under_config_itself(shop: ScratchProject) -> None:
    assert "COLUMNS (`id`, `name`)" in flow_lines(shop, "plainly")


def test_the_channel_is_a_var_and_unset_unless_asked_for(shop: ScratchProject) -> None:
    assert "pipelines.channel" not in shop.statement("bare")
    shop.run("--select", "bare", "--vars", "auto_cdc_channel: PREVIEW")
    assert "TBLPROPERTIES ('pipelines.channel' = 'PREVIEW')" in shop.statement("bare")
