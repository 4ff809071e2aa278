"""A `CREATE OR REFRESH STREAMING TABLE … FLOW AUTO CDC …` read so far that it can be put to work on other tables."""

from __future__ import annotations

from dataclasses import dataclass

from databricks_local.sql.reader import Reader
from databricks_local.sql.splice import Edit, splice
from databricks_local.sql.streaming_table import (
    AutoCdcFlow,
    ColumnSelection,
    CreateStreamingTable,
    parse_create_streaming_table,
)
from databricks_local.sql.tokens import quote_identifier
from databricks_local.testing.oracle import FOLDS, Rules


@dataclass(frozen=True)
class Statement:
    """A parsed statement.

    Attributes:
        sql: as written.
        parsed: the whole.
        flow: its AUTO CDC flow.
    """

    sql: str
    parsed: CreateStreamingTable
    flow: AutoCdcFlow

    def between(self, source: str, target: str) -> str:
        """The same statement, reading and making other tables.

        Args:
            source: quoted name.
            target: quoted name.
        """
        reader = Reader(self.sql)
        edits = [_skip_name(reader, target)]
        _skip_to(reader, "FLOW", "AUTO", "CDC", "FROM", "STREAM")
        reader.accept_symbol("(")
        name = _skip_this_name(reader, source)
        return splice(self.sql, [*edits, name])

    def with_column(self, name: str, data_type: str) -> Statement:
        """What its author would write once the source has one more column: it is kept, and not tracked."""
        quoted = quote_identifier(name)
        reader = Reader(self.sql)
        _skip_name(reader, "")
        edits = []
        if self.parsed.columns:
            edits.append(_insert(reader, f"{quoted} {data_type}, ", behind=True))
        _skip_to(reader, "FLOW", "AUTO", "CDC")
        tracks = False
        while not reader.at_end:
            if reader.accept_words("COLUMNS", "TO", "UPDATE"):
                continue
            if reader.accept_words("COLUMNS"):
                if not reader.at_symbol("*"):
                    edits.append(_insert(reader, f"{quoted}, ", behind=reader.at_symbol("(")))
            elif reader.accept_words("TRACK", "HISTORY", "ON"):
                tracks = True
                if reader.accept_symbol("*"):
                    reader.expect_words("EXCEPT")
                    edits.append(_insert(reader, f"{quoted}, ", behind=True))
            _skip_one(reader)
        if self.flow.stored_as.value != "SCD TYPE 1" and not tracks:
            end = max(token.end for token in reader.tokens if not token.is_symbol(";"))
            edits.append(Edit(end, end, f"\nTRACK HISTORY ON * EXCEPT ({quoted})"))
        return read_statement(splice(self.sql, edits))


def read_statement(sql: str) -> Statement:
    """Parse a statement.

    Raises:
        ValueError: it is no AUTO CDC flow, or one that the oracle has no rules for.
        ProgrammingError: PARSE_SYNTAX_ERROR.
    """
    parsed = parse_create_streaming_table(Reader(sql))
    flow = parsed.auto_cdc
    if flow is None:
        raise ValueError(f"{parsed.name} is no AUTO CDC table; expected CREATE STREAMING TABLE … FLOW AUTO CDC …")
    if flow.stored_as.value not in FOLDS:
        raise ValueError(
            f"{parsed.name} is STORED AS {flow.stored_as.value}, for which there are no rules in "
            f"databricks_local.testing.oracle; expected {' or '.join(FOLDS)}"
        )
    if flow.columns_to_update is not None:
        raise ValueError(f"{parsed.name}: databricks_local.testing.oracle has no rules for COLUMNS TO UPDATE")
    return Statement(sql, parsed, flow)


def chosen(selection: ColumnSelection | None, columns: list[str]) -> list[str]:
    """What `cols` or `* EXCEPT (cols)` picks of columns, in their order; no selection picks all."""
    if selection is None:
        return columns
    named = {name.lower() for name in selection.columns}
    return [column for column in columns if (column.lower() in named) is not selection.is_except]


def rules_of(flow: AutoCdcFlow, columns: list[str]) -> tuple[list[str], Rules]:
    """The selected columns that are no keys, and what the flow asks for them.

    Args:
        flow: the flow.
        columns: all columns of the source.
    """
    keys = {key.lower() for key in flow.keys}
    selected = [column for column in chosen(flow.columns, columns) if column.lower() not in keys]
    ignored = [] if flow.ignore_null_updates is None else chosen(flow.ignore_null_updates, selected)
    return selected, Rules(
        stored_as=flow.stored_as.value,
        tracked=frozenset(chosen(flow.track_history_on, selected)),
        ignored=frozenset(ignored),
    )


def _skip_name(reader: Reader, replacement: str) -> Edit:
    """Skip to behind the name of the table."""
    reader.expect_words("CREATE")
    reader.accept_words("OR", "REFRESH")
    reader.expect_words("STREAMING", "TABLE")
    reader.accept_words("IF", "NOT", "EXISTS")
    return _skip_this_name(reader, replacement)


def _skip_this_name(reader: Reader, replacement: str) -> Edit:
    first = reader.tokens[reader.position]
    reader.name()
    return Edit(first.start, reader.tokens[reader.position - 1].end, replacement)


def _skip_one(reader: Reader) -> None:
    if reader.at_symbol("("):
        reader.skip_group()
    elif not reader.at_end:
        reader.next()


def _skip_to(reader: Reader, *words: str) -> None:
    """Skip to behind keywords that stand outside of brackets."""
    while not reader.accept_words(*words):
        _skip_one(reader)


def _insert(reader: Reader, text: str, *, behind: bool) -> Edit:
    """Put text before the next token, or behind it."""
    token = reader.tokens[reader.position]
    position = token.end if behind else token.start
    return Edit(position, position, text)
