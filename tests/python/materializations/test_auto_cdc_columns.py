"""The column list of an auto_cdc table: completed by the columns of its intervals, held against a contract."""

from __future__ import annotations

from typing import Any

import pytest
from scratch_project import STAGING, ScratchProject

HISTORY: dict[str, Any] = {"keys": "id", "sequence_by": "seq", "scd_type": 2}
BITEMPORAL = HISTORY | {"scd_type": "bitemporal", "system_sequence_by": "known", "preview": True}
TYPES = {"id": "int", "name": "string", "seq": "bigint", "known": "timestamp"}


def columns(**types: str) -> list[dict[str, str]]:
    """The columns of a YAML file."""
    return [{"name": name, "data_type": data_type} for name, data_type in types.items()]


@pytest.fixture(scope="module", autouse=True)
def changes(shop: ScratchProject) -> None:
    shop.query("create table changes (id int, name string, seq bigint, known timestamp)")
    shop.query(
        "insert into changes values (1, 'Ann', 1, timestamp'2026-01-01'), (1, 'Anna', 2, timestamp'2026-01-02'), "
        "(2, 'Bob', 1, timestamp'2026-01-01')"
    )
    shop.model("stg_changes", STAGING, columns=columns(**TYPES))
    # The same without a word on its columns.
    shop.model("stg_untold", STAGING)
    shop.run("--select", "stg_changes", "stg_untold")


def column_types(shop: ScratchProject, table: str) -> dict[str, str]:
    """Columns of a table with their types, in its order."""
    rows = shop.query(f"describe table {table}")
    return {name: data_type for name, data_type, *_ in rows if name and not name.startswith("#")}


def test_history_gets_its_interval_columns_in_the_type_of_the_sequence(shop: ScratchProject) -> None:
    shop.auto_cdc("versions", HISTORY, columns=columns(**TYPES))
    shop.run("--select", "versions")
    assert column_types(shop, "versions") == TYPES | {"__START_AT": "bigint", "__END_AT": "bigint"}
    assert shop.query("select name, __START_AT, __END_AT from versions where id = 1 order by 2") == [
        ("Ann", 1, 2),
        ("Anna", 2, None),
    ]


@pytest.mark.parametrize(("name", "sequence"), [("listed", ["seq", "known"]), ("written_out", "STRUCT(seq, known)")])
def test_the_type_for_several_columns_is_a_struct_of_them(shop: ScratchProject, name: str, sequence: Any) -> None:
    shop.auto_cdc(name, HISTORY | {"sequence_by": sequence}, columns=columns(**TYPES))
    shop.run("--select", name)
    assert column_types(shop, name)["__START_AT"] == "struct<seq:bigint,known:timestamp>"


def test_the_type_comes_from_the_models_own_columns_where_staging_tells_none(shop: ScratchProject) -> None:
    shop.auto_cdc("own", HISTORY, staging="stg_untold", columns=columns(**TYPES))
    shop.run("--select", "own")
    assert column_types(shop, "own")["__END_AT"] == "bigint"


def test_interval_columns_that_are_only_described_get_their_type_and_keep_their_place(shop: ScratchProject) -> None:
    described = {"name": "__START_AT", "description": "Since when."}
    shop.auto_cdc("described", HISTORY, columns=[described, *columns(**TYPES)])
    shop.run("--select", "described")
    assert list(column_types(shop, "described")) == ["__START_AT", *TYPES, "__END_AT"]
    comments = {row[0]: row[2] for row in shop.query("describe table described")}
    assert comments["__START_AT"] == "Since when."


def test_one_end_of_an_interval_tells_the_type_of_the_other(shop: ScratchProject) -> None:
    options = HISTORY | {"sequence_by": "seq * 2"}
    shop.auto_cdc("half", options, columns=columns(**TYPES, __START_AT="bigint"))
    shop.run("--select", "half")
    assert column_types(shop, "half")["__END_AT"] == "bigint"


def test_bitemporal_gets_the_columns_of_both_intervals(shop: ScratchProject) -> None:
    shop.auto_cdc("beliefs", BITEMPORAL, columns=columns(**TYPES))
    shop.run("--select", "beliefs")
    assert shop.statement("beliefs").splitlines()[1:11] == [
        "(",
        "  `id` int,",
        "  `name` string,",
        "  `seq` bigint,",
        "  `known` timestamp,",
        "  `__START_AT` bigint,",
        "  `__END_AT` bigint,",
        "  `__SYSTEM_START_AT` timestamp,",
        "  `__SYSTEM_END_AT` timestamp",
        ")",
    ]


def test_no_column_list_is_sent_where_yaml_gives_no_types(shop: ScratchProject) -> None:
    shop.auto_cdc("untyped", HISTORY, columns=[{"name": "id", "description": "The customer."}, {"name": "__START_AT"}])
    shop.run("--select", "untyped")
    assert shop.statement("untyped").splitlines()[1] == "FLOW AUTO CDC"


@pytest.mark.parametrize(
    ("name", "options", "staging", "unknown"),
    [
        ("of_expression", HISTORY | {"sequence_by": "seq * 2"}, "stg_changes", "__START_AT, __END_AT"),
        ("of_nothing", HISTORY | {"sequence_by": "later"}, "stg_untold", "__START_AT, __END_AT"),
        (
            "of_system",
            BITEMPORAL | {"system_sequence_by": "now()"},
            "stg_changes",
            "__SYSTEM_START_AT, __SYSTEM_END_AT",
        ),
    ],
)
def test_interval_columns_whose_type_nobody_knows_are_named_when_compiled(
    shop: ScratchProject, name: str, options: dict[str, Any], staging: str, unknown: str
) -> None:
    shop.auto_cdc(name, options, staging=staging, columns=columns(**TYPES))
    said = shop.compile(name)
    assert f"has to name {unknown} as well" in said
    assert f"YAML of {staging}" in said


def test_a_staging_column_with_the_name_of_an_interval_column_has_to_be_left_out(shop: ScratchProject) -> None:
    shop.model("stg_versions", STAGING, columns=columns(**TYPES, __end_at="bigint"))
    shop.auto_cdc("of_versions", HISTORY, staging="stg_versions")
    assert "the column __END_AT of stg_versions to be left out" in shop.compile("of_versions")
    shop.auto_cdc("of_versions", HISTORY | {"except_columns": ["__END_AT"]}, staging="stg_versions")
    assert shop.compile("of_versions") == ""


def test_a_column_list_that_leaves_out_what_the_flow_writes_is_refused_when_compiled(shop: ScratchProject) -> None:
    shop.auto_cdc("short", HISTORY, columns=columns(id="int", seq="bigint"))
    said = shop.compile("short")
    assert "leave out name, known, which the flow writes from stg_changes" in said
    shop.auto_cdc("short", HISTORY | {"except_columns": ["name", "known"]}, columns=columns(id="int", seq="bigint"))
    assert shop.compile("short") == ""


def test_a_contract_knows_the_struct_of_several_sequence_columns(shop: ScratchProject) -> None:
    config = {"contract": {"enforced": True}}
    options = HISTORY | {"sequence_by": ["seq", "known"], "columns": ["id", "seq"]}
    interval = {
        "__START_AT": "struct<seq: bigint, known: timestamp>",
        "__END_AT": "struct<seq: bigint, known: timestamp>",
    }
    shop.auto_cdc("struct_agreed", options, config=config, columns=columns(id="int", seq="bigint", **interval))
    shop.run("--select", "struct_agreed")
    assert column_types(shop, "struct_agreed")["__END_AT"] == "struct<seq:bigint,known:timestamp>"


def test_a_contract_that_holds_sends_the_columns_with_their_types(shop: ScratchProject) -> None:
    config = {"contract": {"enforced": True}}
    listed = columns(id="int", name="string", seq="bigint", __START_AT="bigint", __END_AT="bigint")
    shop.auto_cdc("agreed", HISTORY | {"except_columns": "known"}, config=config, columns=listed)
    shop.run("--select", "agreed")
    assert "`id` int,\n  `name` string,\n  `seq` bigint,\n  `__START_AT` bigint" in shop.statement("agreed")


def test_a_contract_may_leave_the_interval_columns_to_auto_cdc(shop: ScratchProject) -> None:
    config = {"contract": {"enforced": True}}
    shop.auto_cdc("agreed_shortly", HISTORY, config=config, columns=columns(**TYPES))
    shop.run("--select", "agreed_shortly")
    assert list(column_types(shop, "agreed_shortly")) == [*TYPES, "__START_AT", "__END_AT"]


def test_a_contract_with_another_type_is_refused_before_anything_is_made(shop: ScratchProject) -> None:
    config = {"contract": {"enforced": True}}
    shop.auto_cdc("mistyped", HISTORY, config=config, columns=columns(**TYPES | {"name": "int"}))
    said = shop.refused("--select", "mistyped")
    assert "This model has an enforced contract that failed" in said
    assert "| name | string | int | data type mismatch |" in said
    assert "__START_AT" not in said
    assert shop.query("show tables like 'mistyped'") == []


def test_a_contract_with_a_column_that_the_flow_does_not_write_is_refused_when_compiled(shop: ScratchProject) -> None:
    config = {"contract": {"enforced": True}}
    shop.auto_cdc("promised", HISTORY, config=config, columns=columns(**TYPES, email="string"))
    assert "its contract promises email, which the flow does not write" in shop.compile("promised")


def test_an_empty_build_makes_a_table_with_the_interval_columns(shop: ScratchProject) -> None:
    shop.auto_cdc("hollow", HISTORY, columns=columns(**TYPES))
    shop.run("--empty", "--select", "hollow")
    assert list(column_types(shop, "hollow")) == [*TYPES, "__START_AT", "__END_AT"]
    assert shop.query("select * from hollow") == []
    shop.run("--select", "hollow")
    assert shop.query("select count(*) from hollow") == [(3,)]
