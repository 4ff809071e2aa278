"""Relations in a query that only Databricks has, each replaced by a temporary view of what it stands for.

`read_files(…)`, `read_kafka(…)`, `event_log(TABLE(…))`, `STREAM t WITH (…)` and `information_schema` are found in
the token stream, so that strings, comments and columns of those names are never touched.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame

from databricks_local.errors import invalid, refused
from databricks_local.execution import catalog_entries, governed_paths, information_schema, secured
from databricks_local.execution.context import Context, Relation, Result
from databricks_local.execution.prepared import PreparedQuery
from databricks_local.files.star import hide_metadata
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.splice import Edit, splice
from databricks_local.sql.tokens import Kind, quote_identifier

_view_numbers = itertools.count()

# Options of `STREAM t WITH (…)`, https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-qry-select-stream,
# by their name in lower case: the reader option of Delta's source, and whether it stands without a value.
_STREAM_OPTIONS: dict[str, str] = {
    "skipchangecommits": "skipChangeCommits",
    "startingversion": "startingVersion",
    "startingtimestamp": "startingTimestamp",
    "readchangefeed": "readChangeFeed",
    "maxfilespertrigger": "maxFilesPerTrigger",
    "maxbytespertrigger": "maxBytesPerTrigger",
    "witheventtimeorder": "withEventTimeOrder",
    "schematrackinglocation": "schemaTrackingLocation",
}


def prepare(context: Context, query: str, *, state: Path | None = None) -> PreparedQuery:
    """Replace what Spark does not know in a query.

    Args:
        context: the session; the views are made in it.
        query: a query, or any statement that contains one.
        state: directory of a streaming table for what its file sources remember; None outside of one.
    """
    preparation = _Preparation(context, Reader(query), state)
    return preparation.run()


class _Preparation:
    def __init__(self, context: Context, reader: Reader, state: Path | None) -> None:
        self.context = context
        self.reader = reader
        self.state = state
        self.edits: list[Edit] = []
        self.prepared = PreparedQuery(reader.sql)
        self.file_views: list[str] = []

    def run(self) -> PreparedQuery:
        try:
            while not self.reader.at_end:
                self._step()
        except BaseException:
            self.prepared.drop_views(self.context)
            raise
        self.prepared.sql = splice(self.reader.sql, self.edits)
        if self.file_views:
            self.prepared.sql = hide_metadata(self.prepared.sql, self.file_views)
        return self.prepared

    def _step(self) -> None:
        reader = self.reader
        token = reader.peek()
        assert token is not None
        if reader.at_words("STREAM") and self._is_stream_relation():
            self._stream()
        elif token.is_word("READ_FILES", "READ_KAFKA", "EVENT_LOG", "CLOUD_FILES") and self._is_call():
            self._function(token.start, streaming=False)
        elif information_schema.at_reference(reader):
            start, end, frame = information_schema.read_reference(self.context, reader)
            self._put(start, end, frame)
        else:
            reader.position += 1

    def _is_call(self) -> bool:
        after = self.reader.peek(1)
        before = self.reader.peek(-1) if self.reader.position else None
        return after is not None and after.is_symbol("(") and not (before is not None and before.is_symbol("."))

    def _is_stream_relation(self) -> bool:
        """`STREAM t`, `STREAM(t)` and `STREAM f(…)` follow FROM, JOIN or a comma; a column of that name does not."""
        before = self.reader.peek(-1) if self.reader.position else None
        after = self.reader.peek(1)
        if before is None or after is None:
            return False
        if not (before.is_word("FROM", "JOIN") or before.is_symbol(",", "(")):
            return False
        if after.kind not in (Kind.WORD, Kind.QUOTED) and not after.is_symbol("("):
            return False
        return not after.is_word("AS", "WHERE", "ON", "GROUP", "ORDER", "LIMIT", "JOIN", "UNION")

    def _stream(self) -> None:
        reader = self.reader
        start = reader.next().start
        bracketed = reader.accept_symbol("(")
        token = reader.peek()
        assert token is not None
        if token.is_word("READ_FILES", "READ_KAFKA", "CLOUD_FILES") and self._is_call():
            self._function(start, streaming=True)
            if bracketed:
                closing = reader.next()
                edit = self.edits.pop()
                self.edits.append(Edit(edit.start, closing.end, edit.text))
            return
        name = reader.name()
        if bracketed:
            reader.expect_symbol(")")
        end = reader.tokens[reader.position - 1].end
        options: dict[str, str] = {}
        if reader.at_words("WITH") and (after := reader.peek(1)) is not None and after.is_symbol("("):
            reader.next()
            options = _stream_options(reader)
            end = reader.tokens[reader.position - 1].end
        self._stream_table(start, end, name, options)

    def _stream_table(self, start: int, end: int, name: Name, options: dict[str, str]) -> None:
        relation = self.context.resolve(name)
        definition = self.context.definition(relation)
        if definition is not None and definition.kind == "MATERIALIZED VIEW":
            raise refused(
                "STREAMING_FROM_MATERIALIZED_VIEW",
                f"STREAM {name} reads a materialized view, which is not append-only; read it without STREAM",
            )
        follows_changes = "readChangeFeed" in options or "skipChangeCommits" in options
        if definition is not None and definition.body.get("fingerprint") is not None and not follows_changes:
            raise refused(
                "STREAMING_FROM_AUTO_CDC_TARGET",
                f"STREAM {name} reads an AUTO CDC target, which is not append-only; read it as a table, or its change "
                "feed by STREAM … WITH (readChangeFeed = true)",
            )
        if not self.context.exists(relation):
            raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"the table or view {relation} cannot be found")
        self.prepared.streams.append(f"table {relation}")
        self.prepared.tables.append(relation)
        self._put(start, end, stream_of(self.context, self.prepared, relation, options))

    def _function(self, start: int, *, streaming: bool) -> None:
        reader = self.reader
        function = reader.next().text.lower()
        inside_start, inside_end = reader.skip_group()
        end = reader.tokens[reader.position - 1].end
        arguments = reader.sql[inside_start:inside_end]
        if function == "event_log":
            self._put(start, end, _event_log(self.context, Reader(arguments)))
            return
        frame, identity = _TABLE_FUNCTIONS[function](self.context, arguments, streaming, self.state)
        if streaming:
            self.prepared.streams.append(identity)
        self._put(start, end, frame)
        if function == "read_files":
            self.file_views.append(self.prepared.views[-1])

    def _put(self, start: int, end: int, frame: DataFrame) -> None:
        view = f"__databricks_local_{next(_view_numbers)}"
        frame.createOrReplaceTempView(view)
        self.prepared.views.append(view)
        self.edits.append(Edit(start, end, quote_identifier(view)))


def stream_of(context: Context, prepared: PreparedQuery, relation: Relation, options: dict[str, str]) -> DataFrame:
    """A table as a stream, with its masks and row filter applied to the context's principal.

    Args:
        context: the session, and who reads.
        prepared: gets the temporary views and functions that the stream needs until it is analyzed.
        relation: an existing table.
        options: of Delta's source.

    Raises:
        NotSupportedError: a principal asks for the change feed of a masked or filtered table.
    """
    frame = context.spark.readStream.options(**options).table(relation.quoted())
    if context.principal is None or not catalog_entries.is_secured(context, relation):
        return frame
    if "readChangeFeed" in options:
        raise secured.refusal(relation, "CHANGE_FEED", "its change feed")
    return secured.secure_stream(context, prepared, relation, frame)


def _stream_options(reader: Reader) -> dict[str, str]:
    def option() -> tuple[str, str]:
        token = reader.peek()
        name = reader.string() if token is not None and token.kind is Kind.STRING else reader.identifier()
        known = _STREAM_OPTIONS.get(name.lower())
        if known is None:
            raise invalid(
                "STREAM_OPTION_UNKNOWN",
                f"STREAM … WITH does not know the option {name}; known are {', '.join(_STREAM_OPTIONS.values())}",
            )
        if not reader.accept_symbol("="):
            return known, "true"
        token = reader.peek()
        if token is not None and token.kind is Kind.STRING:
            return known, reader.string()
        return known, reader.next().text

    return dict(reader.list_of(option))


def _read_files(context: Context, arguments: str, streaming: bool, state: Path | None) -> tuple[DataFrame, str]:
    from databricks_local.files.reader import read_files
    from databricks_local.sql.read_files import parse_arguments

    parsed = parse_arguments(arguments)
    governed_paths.refuse_path(context, parsed.path)
    return read_files(context.spark, parsed, streaming=streaming, state=state), f"files {parsed.path}"


def _read_kafka(context: Context, arguments: str, streaming: bool, state: Path | None) -> tuple[DataFrame, str]:
    from databricks_local.execution.kafka import read_kafka

    return read_kafka(context.spark, arguments, streaming=streaming)


def _cloud_files(context: Context, arguments: str, streaming: bool, state: Path | None) -> tuple[DataFrame, str]:
    raise refused("CLOUD_FILES_NOT_SUPPORTED", "cloud_files() is for pipelines only; use read_files()")


_TABLE_FUNCTIONS: dict[str, Callable[[Context, str, bool, Path | None], tuple[DataFrame, str]]] = {
    "read_files": _read_files,
    "read_kafka": _read_kafka,
    "cloud_files": _cloud_files,
}

_EVENT_LOG = "id bigint, timestamp timestamp, message string, level string, event_type string, details string"


def _event_log(context: Context, reader: Reader) -> DataFrame:
    """`event_log(TABLE(t))`: one row a refresh, with the shape of the documented table function.

    https://docs.databricks.com/aws/en/sql/language-manual/functions/event_log
    """
    import json

    reader.expect_words("TABLE")
    reader.expect_symbol("(")
    relation = context.resolve(reader.name())
    reader.expect_symbol(")")
    rows = []
    for refresh in context.store.refreshes(relation.database, relation.table):
        details = {k: v for k, v in refresh.items() if k not in ("id", "started_at", "ended_at", "status", "table_id")}
        failed = refresh["status"] == "FAILED"
        rows.append(
            (
                refresh["id"],
                refresh["ended_at"],
                f"Flow '{relation}' has {refresh['status']}.",
                "ERROR" if failed else "INFO",
                "flow_progress",
                json.dumps({"flow_progress": {"status": refresh["status"], **details}}),
            )
        )
    return frame_of(context, Result(_EVENT_LOG, rows))


def frame_of(context: Context, result: Result) -> DataFrame:
    """A DataFrame of rows made here."""
    return context.spark.createDataFrame(result.rows, result.schema)
