"""COPY INTO.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/delta-copy-into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from databricks_local.errors import invalid, refused
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import Kind


@dataclass(frozen=True)
class CopyInto:
    """A whole statement.

    Attributes:
        target: the table, or `delta` and a path.
        columns: names given behind the target, or empty.
        by_position: match columns by place, not by name.
        path: where the files are.
        select: the select list before `FROM 'path'`, or None for all columns.
        file_format: as written.
        files: names relative to the path, or empty.
        pattern: glob below the path, or None.
        format_options, copy_options: as written, keys in lower case for copy options.
        validate: None, or how many rows to check: -1 for ALL.
    """

    target: Name
    path: str
    file_format: str
    columns: tuple[str, ...] = ()
    by_position: bool = False
    select: str | None = None
    files: tuple[str, ...] = ()
    pattern: str | None = None
    format_options: Mapping[str, str] = field(default_factory=dict)
    copy_options: Mapping[str, str] = field(default_factory=dict)
    validate: int | None = None


def parse_copy_into(sql: str) -> CopyInto:
    """Parse a statement.

    Raises:
        ProgrammingError: a syntax error, FILES together with PATTERN, an unknown copy option.
        NotSupportedError: credentials and encryption, which local files do not have.
    """
    reader = Reader(sql)
    reader.expect_words("COPY", "INTO")
    target = reader.name()
    columns: tuple[str, ...] = ()
    by_position = reader.accept_words("BY", "POSITION")
    if not by_position and reader.at_symbol("("):
        columns = tuple(reader.list_of(reader.identifier))
    reader.expect_words("FROM")
    select: str | None = None
    if reader.accept_symbol("("):
        reader.expect_words("SELECT")
        select = _select_list(reader)
        path = _source(reader)
        reader.expect_symbol(")")
    else:
        path = _source(reader)
    reader.expect_words("FILEFORMAT")
    reader.expect_symbol("=")
    file_format = reader.identifier()
    found: dict[str, object] = {}

    def put(clause: str, value: object) -> None:
        if clause in found:
            raise invalid("DUPLICATE_CLAUSES", f"COPY INTO: {clause} is given twice")
        found[clause] = value

    while not reader.at_end:
        if reader.accept_words("VALIDATE"):
            put("validate", _validated_rows(reader))
        elif reader.accept_words("FILES"):
            reader.expect_symbol("=")
            put("files", tuple(reader.list_of(reader.string)))
        elif reader.accept_words("PATTERN"):
            reader.expect_symbol("=")
            put("pattern", reader.string())
        elif reader.accept_words("FORMAT_OPTIONS"):
            put("format_options", reader.properties())
        elif reader.accept_words("COPY_OPTIONS"):
            put("copy_options", _copy_options(reader.properties()))
        else:
            reader.fail("unexpected clause of COPY INTO")
    if "files" in found and "pattern" in found:
        raise invalid("COPY_INTO_FILES_AND_PATTERN", "COPY INTO takes FILES or PATTERN, not both")
    return CopyInto(target, path, file_format, columns, by_position, select, **found)  # type: ignore[arg-type]


def _source(reader: Reader) -> str:
    token = reader.peek()
    quoted = token is not None and token.kind is Kind.QUOTED
    path = reader.identifier() if quoted else reader.string()
    if reader.at_words("WITH"):
        raise refused(
            "COPY_INTO_CREDENTIALS_NOT_SUPPORTED",
            "COPY INTO: local files need no WITH (CREDENTIAL …)",
        )
    return path


def _select_list(reader: Reader) -> str:
    first = reader.peek()
    start = first.start if first is not None else 0
    end = start
    while not reader.at_words("FROM"):
        token = reader.peek()
        if token is None:
            reader.fail("expected FROM")
        if token.is_symbol("(", "[", "{"):
            reader.skip_group()
        else:
            reader.next()
        end = reader.tokens[reader.position - 1].end
    if end == start:
        reader.fail("expected a select list")
    reader.expect_words("FROM")
    return reader.sql[start:end]


def _validated_rows(reader: Reader) -> int:
    if reader.accept_words("ALL"):
        return -1
    token = reader.peek()
    if token is None or token.kind is not Kind.NUMBER:
        return -1
    rows = reader.integer()
    reader.expect_words("ROWS")
    return rows


def _copy_options(written: Mapping[str, str]) -> dict[str, str]:
    options = {name.lower(): value.lower() for name, value in written.items()}
    unknown = sorted(set(options) - {"force", "mergeschema"})
    if unknown:
        raise invalid(
            "UNKNOWN_OPTION",
            f"COPY_OPTIONS: unknown option {unknown[0]!r}; known are force, mergeSchema",
        )
    return options
