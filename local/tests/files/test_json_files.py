"""JSON files: what a query over read_files then shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

BOTH = (
    "schema => 'a int, b string, _corrupt_record string', columnNameOfCorruptRecord => '_corrupt_record', "
    "rescuedDataColumn => '_rescued_data', format => 'json'"
)


def by(rows: list[dict[str, Any]], key: str) -> list[Any]:
    return sorted(row[key] for row in rows if row[key] is not None)


def rescued(row: dict[str, Any], column: str = "_rescued_data") -> dict[str, Any]:
    value = json.loads(row[column])
    assert value.pop("_file_path").startswith("file:/")
    return dict(value)


def test_columns_are_inferred_and_unknown_fields_of_later_files_are_rescued(queries: Any) -> None:
    queries.put("one.json", '{"a":1,"s":{"x":1}}\n{"a":2,"s":{"x":2}}\n')
    first = queries.refresh("format => 'json', schemaEvolutionMode => 'rescue'")
    assert by(first, "a") == [1, 2]
    queries.put("two.json", '{"a":"no","b":[1,2],"s":{"x":3,"y":"new"},"A":9}\n')
    rows = queries.refresh("format => 'json', schemaEvolutionMode => 'rescue'")
    assert len(rows) == 3
    late = next(row for row in rows if row["_rescued_data"])
    assert late["a"] is None
    assert late["s"] == {"x": 3}
    assert rescued(late) == {"a": "no", "b": [1, 2], "s": {"y": "new"}, "A": 9}


def test_malformed_records_go_to_the_corrupt_column_and_not_to_rescued_data(queries: Any) -> None:
    queries.put(
        "x.json",
        '{"a":1,"b":"good"}\n{"a":\n{"a":2}{"a":3}\n{"a":"text","b":"kept"}\n\n   \n"scalar"\n{"a":4',
    )
    rows = queries.batch(BOTH)
    assert len(rows) == 6
    broken = [row for row in rows if row["_corrupt_record"]]
    assert by(broken, "_corrupt_record") == ['"scalar"', '{"a":', '{"a":2}{"a":3}', '{"a":4']
    assert all(row["_rescued_data"] is None for row in broken)
    unfit = next(row for row in rows if row["b"] == "kept")
    assert unfit["a"] is None
    assert rescued(unfit) == {"a": "text"}


def test_without_either_column_unknown_fields_and_malformed_records_become_nulls(
    queries: Any,
) -> None:
    queries.put("x.json", '{"a":1,"c":5}\n{bad\n')
    rows = queries.batch("schema => 'a int', format => 'json'")
    assert sorted(rows, key=str) == [{"a": 1}, {"a": None}]


def test_without_rescued_data_a_type_that_does_not_fit_makes_the_record_corrupt(
    queries: Any,
) -> None:
    queries.put("x.json", '{"a":"q","b":"z"}\n')
    rows = queries.batch(
        "schema => 'a int, b string, bad string', columnNameOfCorruptRecord => 'bad', format => 'json'"
    )
    assert rows == [{"a": None, "b": "z", "bad": '{"a":"q","b":"z"}'}]


def test_mode_decides_over_malformed_records(queries: Any) -> None:
    queries.put("x.json", '{"a":1}\n{bad\n{"a":"unfit"}\n')
    dropped = queries.batch("schema => 'a int', rescuedDataColumn => 'r', mode => 'DROPMALFORMED', format => 'json'")
    assert sorted((row["a"], row["r"] is None) for row in dropped if row["a"]) == [(1, True)]
    assert len(dropped) == 2
    with pytest.raises(Exception, match=r"FAILFAST.*x\.json"):
        queries.batch("schema => 'a int', rescuedDataColumn => 'r', mode => 'FAILFAST', format => 'json'")


def test_arrays_and_multi_line_documents_give_one_row_per_record(queries: Any) -> None:
    queries.put("x.json", '[\n {"a": 1},\n {"a": 2, "b": "two\\nlines"}\n]')
    queries.put("y.json", '{\n "a": 3\n}')
    rows = queries.batch("format => 'json', multiLine => true")
    assert by(rows, "a") == [1, 2, 3]
    assert by(rows, "b") == ["two\nlines"]


def test_bytes_that_are_not_utf8_are_kept_in_the_corrupt_column(queries: Any) -> None:
    queries.put("x.json", '{"a":1,"b":"é"}\r\n'.encode() + b'{"a":2,"b":"caf\xe9"}\r\n')
    rows = queries.batch(BOTH)
    assert [row["b"] for row in rows if row["a"] == 1] == ["é"]
    assert by(rows, "_corrupt_record")[0].encode("latin-1") == b'{"a":2,"b":"caf\xe9"}'
    assert by(queries.batch("schema => 'a int, b string', format => 'json'"), "b") == [
        "caf\ufffd",
        "é",
    ]


def test_other_encodings_and_a_byte_order_mark_are_understood(queries: Any) -> None:
    queries.put("bom.json", b"\xef\xbb\xbf" + b'{"a":1}\n')
    assert queries.batch(BOTH)[0]["a"] == 1
    (queries.landing / "bom.json").unlink()
    queries.put("wide.json", '{"a":2,"b":"ü"}\n{"a":3}\n'.encode("utf-16"))
    rows = queries.batch("schema => 'a int, b string', format => 'json', encoding => 'UTF-16'")
    assert by(rows, "a") == [2, 3]
    assert by(rows, "b") == ["ü"]


def test_a_line_of_fifty_megabytes_is_read_whole(queries: Any) -> None:
    queries.put("x.json", json.dumps({"a": 1, "b": "x" * 50_000_000}) + '\n{"a":2,"b":"y","c":5}\n')
    queries.put("y.json", '{"a":' + "9" * 50_000_000 + "\n")
    query = (
        "select a, length(b) as n, length(_corrupt_record) as m, get_json_object(_rescued_data, '$.c') as c from files"
    )
    rows = queries.batch(BOTH, query)
    assert sorted(rows, key=str) == [
        {"a": 1, "n": 50_000_000, "m": None, "c": None},
        {"a": 2, "n": 1, "m": None, "c": "5"},
        {"a": None, "n": None, "m": 50_000_005, "c": None},
    ]


def test_a_repeated_name_in_one_object_loses_no_record(queries: Any) -> None:
    queries.put("x.json", '{"a":1,"a":2,"z":3}\n')
    (row,) = queries.batch(BOTH)
    assert row["a"] in (1, 2)
    assert row["_corrupt_record"] is None
    assert rescued(row) == {"z": 3}


def test_elements_of_arrays_are_checked_too(queries: Any) -> None:
    queries.put("x.json", '{"l":[{"x":1},{"x":2,"y":3}],"n":[1,"two"]}\n{"l":[{"x":1}],"n":[1,null]}\n')
    rows = queries.batch(
        "schema => 'l array<struct<x int>>, n array<int>', rescuedDataColumn => 'r', format => 'json'".replace(
            "x int", "x:int"
        )
    )
    kept = [rescued(row, "r") for row in rows if row["r"]]
    assert kept == [{"l": [{"x": 1}, {"x": 2, "y": 3}], "n": [1, "two"]}]
