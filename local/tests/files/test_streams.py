"""STREAM read_files: each file once, whatever happens to the directory."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import unquote

import pytest
from pyspark.errors import StreamingQueryException

from databricks_local.errors import NotSupportedError, OperationalError, ProgrammingError

GIVEN = "schema => 'a int, b string', format => 'json'"


def innermost(error: Any) -> str:
    """The message of the first cause of a stream's failure."""
    while getattr(error, "_cause", None) is not None:
        error = error._cause
    return str(error)


def values(rows: list[dict[str, Any]], key: str = "a") -> list[Any]:
    return sorted(row[key] for row in rows if row[key] is not None)


def test_each_file_is_read_once_also_when_rewritten_or_older_than_the_others(queries: Any) -> None:
    queries.put("1.json", '{"a":1}\n')
    assert values(queries.refresh(GIVEN)) == [1]
    queries.put("1.json", '{"a":100}\n{"a":101}\n')
    late = queries.put("0.json", '{"a":2}\n')
    os.utime(late, (1_000_000_000, 1_000_000_000))
    assert values(queries.refresh(GIVEN)) == [1, 2]
    assert values(queries.refresh(GIVEN)) == [1, 2]


def test_many_small_files_are_each_read_once_in_bounded_batches(queries: Any) -> None:
    for number in range(2500):
        queries.put(f"d{number % 7}/f{number}.json", f'{{"a":{number}}}\n')
    assert values(queries.refresh(GIVEN)) == list(range(2500))
    for number in range(2500, 2600):
        queries.put(f"g{number}.json", f'{{"a":{number}}}\n')
    assert values(queries.refresh(GIVEN)) == list(range(2600))


def test_names_are_only_names(queries: Any) -> None:
    names = [
        "it's.json",
        '"q".json',
        "a b.json",
        "ü☃.json",
        "'; drop table x.json",
        "100%20.json",
        "[ab]*?{c}.json",
        "a+b.json",
        "x=1.json",
    ]
    for number, name in enumerate(names):
        queries.put(name, f'{{"a":{number}}}\n')
    queries.put("_hidden.json", '{"a":90}\n')
    queries.put(".hidden.json", '{"a":91}\n')
    queries.put("_dir/x.json", '{"a":92}\n')
    query = "select a, _metadata.file_name as name from files"
    expected = dict(enumerate(names))
    # The metadata columns hold names as a URI does.
    assert {row["a"]: unquote(row["name"]) for row in queries.batch(GIVEN, query)} == expected
    assert {row["a"]: unquote(row["name"]) for row in queries.refresh(GIVEN, query)} == expected


def test_metadata_is_selectable_and_no_part_of_star(queries: Any) -> None:
    path = queries.put("x.json", '{"a":1}\n')
    (row,) = queries.batch(
        GIVEN,
        "select *, _metadata.file_path as p, _metadata.file_size as n, "
        "_metadata.file_modification_time as t from files",
    )
    assert row["p"] == f"file:{path}"
    assert row["n"] == 8
    assert round(row["t"].timestamp()) == round(path.stat().st_mtime)
    assert set(row) == {"a", "b", "p", "n", "t"}
    assert queries.refresh(GIVEN) == [{"a": 1, "b": None}]


def test_a_new_column_fails_the_run_once_and_is_there_in_the_next(queries: Any) -> None:
    queries.put("1.json", '{"a":1,"s":{"x":1}}\n')
    queries.refresh("format => 'json'")
    queries.put("2.json", '{"a":2,"n":"new","s":{"x":2,"y":3}}\n')
    with pytest.raises(ProgrammingError, match=r"UNKNOWN_FIELD.*n"):
        queries.refresh("format => 'json'")
    rows = queries.refresh("format => 'json'")
    assert values(rows) == [1, 2]
    assert values(rows, "n") == ["new"]
    assert {"x": 2, "y": 3} in [row["s"] for row in rows]
    assert all(row["_rescued_data"] is None for row in rows)


def test_a_csv_column_that_is_new_is_added_at_the_end(queries: Any) -> None:
    queries.put("1.csv", "id,name\n1,ann\n")
    queries.refresh("format => 'csv'")
    queries.put("2.csv", "lang,id\nde,2\n")
    with pytest.raises(ProgrammingError, match="lang"):
        queries.refresh("format => 'csv'")
    rows = queries.refresh("format => 'csv'")
    assert sorted((row["id"], row["name"], row["lang"]) for row in rows if row["id"] == 2) == [(2, None, "de")]
    assert len(rows) == 2


def test_fail_on_new_columns_fails_until_the_file_is_gone(queries: Any) -> None:
    options = f"{GIVEN}, schemaEvolutionMode => 'failOnNewColumns'"
    queries.put("1.json", '{"a":1}\n')
    queries.refresh(options)
    queries.put("2.json", '{"a":2,"new":1}\n')
    for _ in range(2):
        with pytest.raises(StreamingQueryException) as failure:
            queries.refresh(options)
        assert re.search(r"UNKNOWN_FIELD.*2\.json", innermost(failure.value))
    assert values(queries.loaded()) == [1]


def test_type_widening_widens_a_column_and_rescues_what_it_cannot(queries: Any) -> None:
    options = "format => 'csv', schemaEvolutionMode => 'addNewColumnsWithTypeWidening'"
    queries.put("1.csv", "id,n\n1,5\n")
    queries.refresh(options)
    queries.put("2.csv", "id,n\n2,5000000000\n")
    with pytest.raises(ProgrammingError, match="bigint"):
        queries.refresh(options)
    queries.put("3.csv", "id,n\n3,text\n")
    rows = queries.batch("format => 'csv', schema => 'id int, n bigint', header => true, rescuedDataColumn => 'r'")
    assert values(rows, "n") == [5, 5_000_000_000]
    assert json.loads(next(row["r"] for row in rows if row["r"]))["n"] == "text"


def test_a_missing_or_empty_directory_is_an_error_only_without_a_schema(queries: Any) -> None:
    with pytest.raises(OperationalError, match=f"CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE.*{queries.landing}"):
        queries.batch("format => 'json'")
    queries.landing.rmdir()
    with pytest.raises(OperationalError, match="CF_EMPTY_DIR"):
        queries.refresh("format => 'json'")
    assert queries.batch(GIVEN, "select *, _metadata.file_path as p from files") == []
    assert queries.refresh(GIVEN) == []
    queries.landing.mkdir()
    queries.put("1.json", '{"a":1}\n')
    assert values(queries.refresh(GIVEN)) == [1]


def test_existing_files_can_be_left_out(queries: Any) -> None:
    options = f"{GIVEN}, includeExistingFiles => false"
    queries.put("old é.json", '{"a":1}\n')
    assert queries.refresh(options) == []
    queries.put("new.json", '{"a":2}\n')
    assert values(queries.refresh(options)) == [2]


def test_directories_name_partition_columns(queries: Any) -> None:
    queries.put("day=2026-01-02/region=a b/x.json", '{"a":1}\n')
    query = "select a, cast(day as string) as day, typeof(day) as kind, region from files"
    expected = [{"a": 1, "day": "2026-01-02", "kind": "date", "region": "a b"}]
    assert queries.batch("format => 'json'", query) == expected
    assert queries.refresh("format => 'json'", query) == expected
    assert "day" not in queries.batch("format => 'json', partitionColumns => ''")[0]


def test_other_formats_are_read(queries: Any) -> None:
    spark = queries.spark
    spark.sql("select 1 as a, 'x' as b").coalesce(1).write.parquet(str(queries.landing / "p"))
    spark.sql("select 2 as a, 5 as c").coalesce(1).write.parquet(str(queries.landing / "q"))
    rows = queries.refresh("format => 'parquet', schema => 'a int, b string', rescuedDataColumn => 'r'")
    assert sorted((row["a"], row["b"]) for row in rows) == [(1, "x"), (2, None)]
    rescued = json.loads(next(row["r"] for row in rows if row["r"]))
    assert rescued.pop("_file_path").startswith("file:/")
    assert rescued == {"c": 5}
    assert values(queries.batch("format => 'parquet'"), "a") == [1, 2]


def test_text_and_binary_files_have_fixed_columns(queries: Any) -> None:
    queries.put("x.txt", "one\ntwo\n")
    assert values(queries.batch("format => 'text'"), "value") == ["one", "two"]
    assert queries.batch("format => 'text', wholeText => true") == [{"value": "one\ntwo\n"}]
    (row,) = queries.batch("format => 'binaryFile'", "select *, _metadata.file_name as name from files")
    assert bytes(row["content"]) == b"one\ntwo\n"
    assert (row["length"], row["name"]) == (8, "x.txt")


def test_patterns_choose_files(queries: Any) -> None:
    queries.put("in/1.json", '{"a":1}\n')
    queries.put("in/1.bak", '{"a":2}\n')
    queries.put("out/2.json", '{"a":3}\n')
    assert values(queries.batch(f"{GIVEN}, fileNamePattern => '*.json'")) == [1, 3]
    assert values(queries.batch(f"'{queries.landing}/i*', {GIVEN}")) == [1, 2]
    assert values(queries.refresh(f"'{queries.landing}/i*', {GIVEN}, pathGlobFilter => '*.json'")) == [1]


@pytest.mark.parametrize(
    "option",
    ["schemaEvolutionMode => 'rescue'", "includeExistingFiles => true", "maxFilesPerTrigger => 5"],
)
def test_options_of_streams_are_refused_in_batch(queries: Any, option: str) -> None:
    with pytest.raises(NotSupportedError, match=option.split()[0]):
        queries.batch(f"{GIVEN}, {option}")


def test_unknown_options_and_formats_are_named(queries: Any) -> None:
    with pytest.raises(ProgrammingError, match=r"schemaHint'; known are .*schemaHints"):
        queries.batch("schemaHint => 'a int'")
    with pytest.raises(NotSupportedError, match="avro"):
        queries.batch("format => 'avro'")
    with pytest.raises(ProgrammingError, match="schemaEvolutionMode"):
        queries.refresh(f"{GIVEN}, schemaEvolutionMode => 'addNewColumns'")
