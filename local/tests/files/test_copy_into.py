"""COPY INTO: what the table then holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession

from databricks_local.errors import NotSupportedError, ProgrammingError
from databricks_local.files import copy_into as copying
from databricks_local.sql.copy_into import parse_copy_into


class Copies:
    def __init__(self, spark: SparkSession, queries: Any) -> None:
        self.spark = spark
        self.queries = queries
        self.put = queries.put

    def run(self, statement: str, **more: Any) -> tuple[Any, ...]:
        parsed = parse_copy_into(statement.replace("PATH", f"'{self.queries.landing}'"))
        return tuple(
            copying.copy_into(self.spark, parsed, ledger=self.queries.directory / "ledger", **more).collect()[0]
        )

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.spark.table("copied").collect())


@pytest.fixture
def copies(spark: SparkSession, queries: Any) -> Iterator[Copies]:
    spark.sql("drop table if exists copied")
    spark.sql("create table copied (id bigint, name string) using delta")
    yield Copies(spark, queries)
    spark.sql("drop table copied")


def test_a_loaded_file_is_skipped_even_if_it_changed_unless_forced(copies: Copies) -> None:
    copies.put("1.json", '{"id":1,"name":"a"}\n')
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON") == (1, 1, 0)
    copies.put("1.json", '{"id":9,"name":"z"}\n')
    copies.put("2.json", '{"id":2,"name":"b"}\n')
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON") == (1, 1, 0)
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON") == (0, 0, 0)
    assert copies.rows() == [(1, "a"), (2, "b")]
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON COPY_OPTIONS ('force' = 'true')") == (2, 2, 0)
    assert copies.rows() == [(1, "a"), (2, "b"), (2, "b"), (9, "z")]


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_around_the_commit_neither_loads_twice_nor_loses(
    copies: Copies, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    copies.put("1.json", '{"id":1,"name":"a"}\n')
    announce = copying._Book.announce

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    def announce_then_crash(book: Any, files: Any) -> str:
        announce(book, files)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if committed:
            patch.setattr(copying._Book, "confirm", crash)
        else:
            patch.setattr(copying._Book, "announce", announce_then_crash)
        with pytest.raises(KeyboardInterrupt):
            copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON")
    copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON")
    assert copies.rows() == [(1, "a")]


def test_a_select_list_shapes_csv_and_sees_file_metadata(copies: Copies) -> None:
    copies.put("a.csv", "id,name\n7,x\n")
    copies.run(
        "COPY INTO copied FROM (SELECT id::bigint, _metadata.file_name as name FROM PATH) FILEFORMAT = CSV "
        "FORMAT_OPTIONS ('header' = 'true')"
    )
    assert copies.rows() == [(7, "a.csv")]


def test_new_columns_need_merge_schema(copies: Copies) -> None:
    copies.put("1.json", '{"id":1,"name":"a","more":true}\n')
    with pytest.raises(Exception, match=r"(?i)schema"):
        copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON")
    copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON COPY_OPTIONS ('mergeSchema' = 'true')")
    assert copies.rows() == [(1, "a", True)]


def test_files_and_pattern_choose(copies: Copies) -> None:
    for number in (1, 2, 3):
        copies.put(f"f{number}.json", f'{{"id":{number},"name":"n"}}\n')
    copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON FILES = ('f2.json')")
    assert copies.rows() == [(2, "n")]
    copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON PATTERN = 'f[23].json'")
    assert copies.rows() == [(2, "n"), (3, "n")]


def test_a_table_created_anew_loads_all_files_again(copies: Copies, spark: SparkSession) -> None:
    copies.put("1.json", '{"id":1,"name":"a"}\n')
    copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON")
    spark.sql("drop table copied")
    spark.sql("create table copied (id bigint, name string) using delta")
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON") == (1, 1, 0)


def test_validate_shows_rows_and_loads_none(copies: Copies) -> None:
    copies.put("1.json", '{"id":1,"name":"a"}\n')
    assert copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON VALIDATE 10 ROWS") == (1, "a")
    assert copies.rows() == []


def test_streaming_tables_and_unknown_options_are_refused_by_name(copies: Copies) -> None:
    with pytest.raises(NotSupportedError, match="copied"):
        copies.run(
            "COPY INTO copied FROM PATH FILEFORMAT = JSON",
            is_streaming_table=lambda name: name == "copied",
        )
    with pytest.raises(ProgrammingError, match="forse"):
        copies.run("COPY INTO copied FROM PATH FILEFORMAT = JSON COPY_OPTIONS ('forse' = 'true')")
