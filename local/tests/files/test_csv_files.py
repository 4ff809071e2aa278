"""CSV files: what a query over read_files then shows."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def test_each_file_is_read_by_its_own_header(queries: Any) -> None:
    queries.put("1.csv", "id,name,day\n1,ann,2026-01-02\n")
    queries.put("2.csv", "name,id\nbob,2\n")
    queries.put("3.csv", "day,phone,id\n2026-03-04,55,3\n")
    rows = queries.batch("format => 'csv'", "select * except (_rescued_data) from files order by id")
    assert rows == [
        {"id": 1, "name": "ann", "day": date(2026, 1, 2), "phone": None},
        {"id": 2, "name": "bob", "day": None, "phone": None},
        {"id": 3, "name": None, "day": date(2026, 3, 4), "phone": 55},
    ]


def test_a_column_that_appears_later_is_rescued_with_the_path_of_its_file(queries: Any) -> None:
    queries.put("1.csv", "id,name\n1,ann\n")
    options = "schema => 'id int, name string', header => true, rescuedDataColumn => '_rescued_data', format => 'csv'"
    queries.refresh(options)
    queries.put("2.csv", "NAME,id,lang\nbob,x2,de\n")
    rows = queries.refresh(options)
    late = json.loads(next(row["_rescued_data"] for row in rows if row["_rescued_data"]))
    assert late.pop("_file_path").endswith("/2.csv")
    assert late == {"NAME": "bob", "id": "x2", "lang": "de"}
    assert len(rows) == 2


@pytest.mark.parametrize("corrupt", [True, False])
def test_rows_with_missing_or_extra_values_are_kept(queries: Any, corrupt: bool) -> None:
    queries.put("x.csv", 'id,name\n1,ann\n2\n3,cy,extra\n4,"open\n')
    schema = "id int, name string" + (", bad string" if corrupt else "")
    option = "columnNameOfCorruptRecord => 'bad', " if corrupt else ""
    rows = queries.batch(f"schema => '{schema}', header => true, {option} rescuedDataColumn => 'r', format => 'csv'")
    assert len(rows) == 4
    assert {row["id"] for row in rows} >= {1, 2, 3}
    if corrupt:
        assert sorted(row["bad"] for row in rows if row["bad"]) == ["2", "3,cy,extra", '4,"open']
        assert all(row["r"] is None for row in rows)
    else:
        assert json.loads(next(row["r"] for row in rows if row["id"] == 3))["_c2"] == "extra"


def test_empty_and_header_only_files_give_no_rows(queries: Any) -> None:
    queries.put("empty.csv", "")
    queries.put("blank.csv", "\n\r\n")
    queries.put("header.csv", "id,name\n")
    options = "schema => 'id int, name string', header => true, format => 'csv'"
    assert queries.batch(options) == []
    queries.put("one.csv", "id,name\r\n1,ann\r\n")
    assert queries.batch(options) == [{"id": 1, "name": "ann"}]


def test_quoted_line_breaks_belong_to_the_value_with_multi_line(queries: Any) -> None:
    queries.put("x.csv", 'id,note\r\n1,"two\r\nlines, a comma"\r\n2,it"s\n3,"esc \\" aped"\n')
    rows = queries.batch("format => 'csv', multiLine => true", "select id, note from files order by id")
    assert rows == [
        {"id": 1, "note": "two\r\nlines, a comma"},
        {"id": 2, "note": 'it"s'},
        {"id": 3, "note": 'esc " aped'},
    ]


def test_bytes_that_are_not_utf8_spoil_their_own_row_only(queries: Any) -> None:
    queries.put("x.csv", "id,name\n1,zoë\n".encode() + b"2,caf\xe9\n")
    options = (
        "schema => 'id int, name string, bad string', header => true, "
        "columnNameOfCorruptRecord => 'bad', format => 'csv'"
    )
    rows = queries.batch(options, "select * from files order by bad nulls first")
    assert rows[0] == {"id": 1, "name": "zoë", "bad": None}
    assert rows[1]["bad"].encode("latin-1") == b"2,caf\xe9"


def test_a_byte_order_mark_is_no_part_of_the_first_column(queries: Any) -> None:
    queries.put("x.csv", b"\xef\xbb\xbfid,name\n1,ann\n")
    assert queries.batch("format => 'csv'", "select id, name from files") == [{"id": 1, "name": "ann"}]


def test_files_without_header_are_read_by_position(queries: Any) -> None:
    queries.put("x.csv", "1;ann\n2;bob;more\n")
    rows = queries.batch("format => 'csv', schema => 'id int, name string', sep => ';', rescuedDataColumn => 'r'")
    assert sorted(row["id"] for row in rows) == [1, 2]
    assert json.loads(next(row["r"] for row in rows if row["r"]))["_c2"] == "more"


def test_types_are_inferred_over_all_values(queries: Any) -> None:
    queries.put(
        "x.csv",
        "a,b,c,d,e,f,g\n1,2147483648,1.5,true,2026-01-01 10:00:00,x,\n2,1,2,false,2026-01-02,7,\n",
    )
    (kinds,) = queries.batch(
        "format => 'csv'",
        "select distinct typeof(a) a, typeof(b) b, typeof(c) c, typeof(d) d, typeof(e) e, typeof(f) f, "
        "typeof(g) g from files",
    )
    assert kinds == {
        "a": "int",
        "b": "bigint",
        "c": "double",
        "d": "boolean",
        "e": "timestamp",
        "f": "string",
        "g": "string",
    }
    (plain,) = queries.batch("format => 'csv', inferColumnTypes => false", "select distinct typeof(a) a from files")
    assert plain == {"a": "string"}


def test_formats_of_dates_and_hints_are_applied(queries: Any) -> None:
    queries.put("x.csv", "amount,day\n1.50,02/01/2026\n")
    rows = queries.batch(
        "format => 'csv', schemaHints => 'amount decimal(10,2), day date, more string', dateFormat => 'dd/MM/yyyy'",
        "select amount, day, more from files",
    )
    assert rows == [{"amount": Decimal("1.50"), "day": date(2026, 1, 2), "more": None}]
