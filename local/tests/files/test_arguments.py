"""Arguments of read_files, and stars over its views."""

from __future__ import annotations

import pytest

from databricks_local.errors import ProgrammingError
from databricks_local.files.star import hide_metadata
from databricks_local.sql.read_files import parse_arguments


def test_names_are_case_insensitive_and_may_be_quoted() -> None:
    parsed = parse_arguments(
        "'/a, b', FORMAT => 'json', `cloudFiles.maxFilesPerTrigger` => 10, multiline => TRUE -- end\n"
    )
    assert parsed.path == "/a, b"
    assert parsed.options == {"format": "json", "maxFilesPerTrigger": "10", "multiLine": "true"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format => 'json'",
        "'/a', 'b'",
        "'/a', format => f(1)",
        "'/a', header => true, HEADER => false",
    ],
)
def test_wrong_arguments_are_refused(text: str) -> None:
    with pytest.raises(ProgrammingError):
        parse_arguments(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select * from v", "select * except (_metadata) from v"),
        (
            "select x.*, a*2 from v as x join t using (id)",
            "select x.* except (_metadata), a*2 from v as x join t using (id)",
        ),
        ("select t.* from v x join t using (id)", "select t.* from v x join t using (id)"),
        ("select * except (a) from STREAM v", "select * except (_metadata, a) from STREAM v"),
        (
            "select *, '* from v' from STREAM(`v`)",
            "select * except (_metadata), '* from v' from STREAM(`v`)",
        ),
        (
            "with c as (select * from v) select * from c",
            "with c as (select * except (_metadata) from v) select * from c",
        ),
        ("select count(*) from v", "select count(*) from v"),
        (
            "select * from (select *, _metadata.file_path from v) where a > 1",
            "select * from (select * except (_metadata), _metadata.file_path from v) where a > 1",
        ),
    ],
)
def test_stars_over_a_view_leave_the_metadata_out(query: str, expected: str) -> None:
    assert hide_metadata(query, ["v"]) == expected
