"""A warehouse outlives its connections and its process, and sets aside what a crash left."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import databricks_local

MASTER = "local[2]"


def run(warehouse: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on a connection of their own; returns the last one's rows."""
    with databricks_local.connect(warehouse, master=MASTER, schema="s") as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]


def test_what_was_made_is_there_when_the_warehouse_is_opened_again(tmp_path: Path) -> None:
    run(
        tmp_path,
        "create table t (id int, name string) comment 'kept'",
        "insert into t values (1, 'a'), (2, 'b')",
        "create view v as select * from t where id > 1",
        "create function shout(x string) returns string return upper(x)",
        "create streaming table st as select * from stream t",
        "create materialized view mv as select count(*) as n from t",
    )

    assert run(tmp_path, "select shout(name) from v") == [("B",)]
    assert run(tmp_path, "insert into t values (3, 'c')", "refresh streaming table st", "select count(*) from st") == [
        (3,)
    ]
    assert run(tmp_path, "refresh materialized view mv", "select n from mv") == [(3,)]


def test_drops_and_renames_are_remembered(tmp_path: Path) -> None:
    run(tmp_path, "create table a as select 1 as id", "create table b as select 2 as id", "create schema other")
    run(tmp_path, "drop table a", "alter table b rename to c", "drop schema other")

    assert run(tmp_path, "show tables in s") == [("s", "c", False)]
    assert run(tmp_path, "select * from c") == [(2,)]
    assert ("other",) not in run(tmp_path, "show schemas")


def test_two_warehouses_of_one_process_share_nothing(tmp_path: Path) -> None:
    run(tmp_path / "one", "create table t as select 1 as id")
    run(tmp_path / "two", "create table t as select 2 as id")

    assert run(tmp_path / "one", "select * from t") == [(1,)]
    assert run(tmp_path / "two", "select * from t") == [(2,)]


def test_the_directory_of_a_creation_that_was_cut_off_is_set_aside(tmp_path: Path) -> None:
    run(tmp_path, "create table t as select 1 as id")
    shutil.copytree(tmp_path / "s.db" / "t", tmp_path / "s.db" / "half")

    assert run(tmp_path, "create table half as select 5 as id", "select * from half") == [(5,)]
    assert [path.name.split(".")[:3] for path in (tmp_path / "_databricks_local" / "orphans").iterdir()] == [
        ["s", "db", "half"]
    ]


def test_a_table_whose_files_are_gone_is_dropped(tmp_path: Path) -> None:
    run(tmp_path, "create table t as select 1 as id")
    shutil.rmtree(tmp_path / "s.db" / "t")

    assert run(tmp_path, "create table t as select 2 as id", "select * from t") == [(2,)]


def test_a_path_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(databricks_local.OperationalError, match="must name a directory that can be written"):
        databricks_local.connect(tmp_path / "file", master=MASTER)


def test_a_wrong_master_is_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(databricks_local.OperationalError, match="'sparc://x' is no Spark master"):
        databricks_local.connect(tmp_path, master="sparc://x")


def test_another_master_in_one_process_is_refused(tmp_path: Path) -> None:
    run(tmp_path, "select 1")
    with pytest.raises(databricks_local.InterfaceError, match="needs a process of its own"):
        databricks_local.connect(tmp_path, master="local[1]")


def test_tables_are_plain_delta_directories_readable_by_path(tmp_path: Path) -> None:
    run(tmp_path, "create table t as select 1 as id")

    log = tmp_path / "s.db" / "t" / "_delta_log" / "00000000000000000000.json"
    assert any("metaData" in json.loads(line) for line in log.read_text().splitlines())
