"""CREATE [OR REFRESH] STREAMING TABLE and REFRESH STREAMING TABLE by Structured Streaming.

A streaming table is a Delta table and a definition in the catalog file. Each refresh runs its query with
`trigger(availableNow=True)` against a checkpoint that belongs to the table's identity, so a table that was
dropped and made again, or fully refreshed, starts over. Delta's sink records the checkpoint's id and the batch in
the same commit as the rows: a batch that is repeated after a crash is not written twice. A refresh reads what the
owner of the table may read, whoever asks for it: see execution/owners.py.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter
from pyspark.sql.types import StructField, StructType

from databricks_local import auto_cdc
from databricks_local.catalog.store import Definition, utc_now
from databricks_local.errors import IntegrityError, OperationalError, from_spark, invalid, refused
from databricks_local.execution import annotations as attached
from databricks_local.execution import delta, owners, sources
from databricks_local.execution.context import Context, Outcome, Relation
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.prepared import PreparedQuery
from databricks_local.execution.queries import prepared
from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import (
    AutoCdcFlow,
    ColumnDefinition,
    CreateStreamingTable,
    Expectation,
    OnViolation,
    parse_create_streaming_table,
    parse_refresh,
)
from databricks_local.sql.tokens import quote_identifier, quote_string

KIND = "STREAMING TABLE"

_OBSERVATION = "expectations"
_PENDING = "pending"


def _create(context: Context, reader: Reader) -> Outcome:
    statement = parse_create_streaming_table(reader)
    StreamingTable(context, context.resolve(statement.name)).create_or_refresh(statement)
    return None


def _refresh(context: Context, reader: Reader) -> Outcome:
    statement = parse_refresh(reader)
    StreamingTable(context, context.resolve(statement.name)).refresh(full=statement.full)
    return None


HANDLERS = [
    Handler(
        begins(("CREATE", "STREAMING", "TABLE"), ("CREATE", "OR", "REFRESH", "STREAMING", "TABLE")),
        _create,
    ),
    Handler(begins(("REFRESH", "STREAMING", "TABLE")), _refresh),
]


@dataclass(frozen=True)
class _Flow:
    """What one refresh runs: a streaming frame and how its batches are written."""

    frame: DataFrame
    schema: StructType
    streams: list[str]
    plan: auto_cdc.CdcPlan | None = None


class StreamingTable:
    """One streaming table of a warehouse.

    Args:
        context: the session that refreshes it.
        relation: its name.
    """

    def __init__(self, context: Context, relation: Relation) -> None:
        self.context = context
        self.relation = relation
        # Whose permissions its query has: of who makes it, or of its owner.
        self.reader = context if self._definition() is None else owners.as_owner(context, relation)

    # statements

    def create_or_refresh(self, statement: CreateStreamingTable) -> None:
        """Make the table what the statement says, then refresh it.

        What the statement does not name is removed: the statement is declarative.
        https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-streaming-table

        Raises:
            ProgrammingError: the name is taken, the column list or query is wrong, or a column changed its type.
        """
        definition = self._definition()
        exists = self.context.exists(self.relation)
        if exists and definition is None:
            raise invalid(
                "TABLE_OR_VIEW_ALREADY_EXISTS",
                f"{self.relation} exists and is not a streaming table; drop it first or use another name",
            )
        if exists and not statement.or_refresh:
            if statement.if_not_exists:
                return
            raise invalid(
                "TABLE_OR_VIEW_ALREADY_EXISTS",
                f"streaming table {self.relation} exists; use CREATE OR REFRESH STREAMING TABLE",
            )
        if not exists:
            self.reader = self.context
            definition = self._make(statement)
        else:
            owners.refuse_unless_owner(self.context, self.relation, "define")
            if definition is not None and definition.body["sql"] != statement.sql:
                definition = self._change(definition, statement)
        assert definition is not None
        self._run(definition, statement)

    def refresh(self, *, full: bool) -> None:
        """Process what is new, or with `full` everything again.

        Raises:
            ProgrammingError: the table does not exist or is no streaming table.
        """
        definition = self._definition()
        if definition is None or not self.context.exists(self.relation):
            condition = "EXPECT_STREAMING_TABLE" if self.context.exists(self.relation) else "TABLE_OR_VIEW_NOT_FOUND"
            raise invalid(
                condition,
                f"{self.relation} is no streaming table; REFRESH STREAMING TABLE needs one",
            )
        statement = parse_create_streaming_table(Reader(definition.body["sql"]))
        if full:
            definition = replace(definition, body={**definition.body, "full_refresh": True})
            self.context.store.put_definition(definition)
        self._run(definition, statement)

    def _definition(self) -> Definition | None:
        definition = self.context.definition(self.relation)
        return definition if definition is not None and definition.kind == KIND else None

    # the table itself

    def _make(self, statement: CreateStreamingTable) -> Definition:
        if statement.query is None and statement.auto_cdc is None and not statement.columns:
            raise invalid(
                "STREAMING_TABLE_NEEDS_QUERY",
                f"{self.relation}: give AS query, FLOW or a column list",
            )
        flow = self._flow(statement, self.context.warehouse.checkpoints / _PENDING)
        self._check_references(statement, flow.schema)
        body = self._body(statement, flow, generation=1)
        owners.claim(self.context, self.relation)
        # The definition is durable before the table, so that a crash in between is finished by the next run.
        definition = Definition(self.relation.database, self.relation.table, KIND, _PENDING, body)
        self.context.store.put_definition(definition)
        self._create_table(statement, flow)
        definition = replace(definition, table_id=delta.table_id(self.context, self.relation))
        self.context.store.put_definition(definition)
        attached.declare(self.context, self.relation, statement)
        return definition

    def _create_table(self, statement: CreateStreamingTable, flow: _Flow, *, replace_existing: bool = False) -> None:
        declared = {c.name.lower(): c for c in statement.columns}
        columns = []
        for field in flow.schema.fields:
            column = declared.get(field.name.lower(), ColumnDefinition(field.name, None))
            columns.append(
                delta.column_text(
                    field.name,
                    column.data_type or delta.type_text(self.context, field),
                    not_null=column.not_null,
                    comment=column.comment if column.comment is not None else field.metadata.get("comment"),
                    generated_as=column.generated_as,
                )
            )
        clauses = statement.clauses
        names = flow.schema.fieldNames()
        properties = {
            **delta.column_mapping_properties(names),
            **(auto_cdc.TARGET_PROPERTIES if flow.plan is not None else {}),
            **clauses.properties,
        }
        text = "CREATE OR REPLACE TABLE" if replace_existing else "CREATE TABLE"
        text += f" {self.relation.quoted()} ({', '.join(columns)}) USING DELTA"
        if clauses.partitioned_by:
            text += f" PARTITIONED BY ({', '.join(map(quote_identifier, clauses.partitioned_by))})"
        if clauses.cluster_by:
            text += f" CLUSTER BY ({', '.join(clauses.cluster_by)})"
        if clauses.comment is not None:
            text += f" COMMENT {quote_string(clauses.comment)}"
        if properties:
            text += f" TBLPROPERTIES {delta.properties_text(properties)}"
        self.context.sql(text)

    def _body(self, statement: CreateStreamingTable, flow: _Flow, generation: int) -> dict[str, Any]:
        schedule = statement.clauses.schedule
        return {
            "sql": statement.sql,
            "database": self.context.current_database,
            "streams": flow.streams,
            "generation": generation,
            "schedule": None if schedule is None else schedule.text,
            "properties": statement.clauses.properties,
            "comment": statement.clauses.comment,
            "fingerprint": None if flow.plan is None else flow.plan.fingerprint,
        }

    def _change(self, definition: Definition, statement: CreateStreamingTable) -> Definition:
        """Apply a changed statement: it governs the rows that come from now on."""
        before = definition.body
        flow = self._flow(statement, self._state(definition))
        self._check_references(statement, flow.schema)
        self._check_sources(before["streams"], flow.streams)
        if flow.plan is not None:
            if before.get("fingerprint") is None:
                raise self._flow_changed("a query cannot become an AUTO CDC flow")
            flow.plan.check_against(before["fingerprint"], str(self.relation))
        elif before.get("fingerprint") is not None:
            raise self._flow_changed("an AUTO CDC flow cannot become a query")
        self._change_columns(statement, flow)
        self._change_table(before, statement)
        body = {
            **self._body(statement, flow, before["generation"]),
            "full_refresh": before.get("full_refresh", False),
        }
        changed = replace(definition, body=body)
        with self.context.store.transaction():
            self.context.store.put_definition(changed)
            attached.declare(self.context, self.relation, statement)
        return changed

    def _flow_changed(self, what: str) -> Exception:
        return invalid(
            "STREAMING_TABLE_FLOW_CHANGED",
            f"{self.relation}: {what}; drop the table first (dbt: --full-refresh)",
        )

    def _check_sources(self, before: list[str], after: list[str]) -> None:
        def comparable(streams: list[str]) -> list[str]:
            return [s if s.startswith("table ") else s.split(" ", 1)[0] for s in streams]

        if comparable(before) != comparable(after):
            raise invalid(
                "STREAMING_TABLE_SOURCES_CHANGED",
                f"{self.relation} read {', '.join(before)} and now reads {', '.join(after)}; its checkpoint cannot "
                f"follow: run REFRESH STREAMING TABLE {self.relation} FULL (dbt: --full-refresh)",
            )

    def _change_columns(self, statement: CreateStreamingTable, flow: _Flow) -> None:
        quoted = self.relation.quoted()
        existing = {f.name.lower(): f for f in delta.table_schema(self.context, self.relation).fields}
        declared = {c.name.lower(): c for c in statement.columns}
        added = []
        for field in flow.schema.fields:
            known = existing.get(field.name.lower())
            if known is None:
                column = declared.get(field.name.lower(), ColumnDefinition(field.name, None))
                data_type = column.data_type or delta.type_text(self.context, field)
                added.append(delta.column_text(field.name, data_type, comment=column.comment))
            elif known.dataType != field.dataType and _without_nullability(known) != _without_nullability(field):
                raise invalid(
                    "STREAMING_TABLE_COLUMN_TYPE_CHANGED",
                    f"{self.relation}: column {field.name} is {known.dataType.simpleString()} and the changed query "
                    f"gives {field.dataType.simpleString()}; cast it, or do a full refresh",
                )
        if added:
            self.context.sql(f"ALTER TABLE {quoted} ADD COLUMNS ({', '.join(added)})")
        for field in flow.schema.fields:
            known = existing.get(field.name.lower())
            if known is None:
                continue
            wanted = declared[field.name.lower()].comment if field.name.lower() in declared else None
            if (wanted or "") != known.metadata.get("comment", ""):
                column_name, comment = quote_identifier(known.name), quote_string(wanted or "")
                self.context.sql(f"ALTER TABLE {quoted} ALTER COLUMN {column_name} COMMENT {comment}")

    def _change_table(self, before: dict[str, Any], statement: CreateStreamingTable) -> None:
        quoted = self.relation.quoted()
        clauses = statement.clauses
        removed = [k for k in before["properties"] if k not in clauses.properties]
        changed = {k: v for k, v in clauses.properties.items() if before["properties"].get(k) != v}
        if removed:
            keys = ", ".join(quote_string(k) for k in removed)
            self.context.sql(f"ALTER TABLE {quoted} UNSET TBLPROPERTIES IF EXISTS ({keys})")
        if changed:
            self.context.sql(f"ALTER TABLE {quoted} SET TBLPROPERTIES {delta.properties_text(changed)}")
        if before["comment"] != clauses.comment:
            comment = "NULL" if clauses.comment is None else quote_string(clauses.comment)
            self.context.sql(f"COMMENT ON TABLE {quoted} IS {comment}")
        previous = parse_create_streaming_table(Reader(before["sql"])).clauses
        if previous.cluster_by != clauses.cluster_by and not clauses.cluster_by_auto:
            keys = f"({', '.join(clauses.cluster_by)})" if clauses.cluster_by else "NONE"
            self.context.sql(f"ALTER TABLE {quoted} CLUSTER BY {keys}")
        if previous.partitioned_by != clauses.partitioned_by:
            raise invalid(
                "STREAMING_TABLE_PARTITIONING_CHANGED",
                f"{self.relation}: PARTITIONED BY cannot change without a full refresh",
            )

    # what it reads

    def _flow(self, statement: CreateStreamingTable, state: Path) -> _Flow:
        if statement.auto_cdc is not None:
            return self._cdc_flow(statement, statement.auto_cdc)
        if statement.query is None:
            raise refused("STREAMING_TABLE_WITHOUT_QUERY", f"{self.relation}: a table for pipeline flows only")
        with prepared(self.reader, statement.query, state=state) as query:
            frame = self.context.sql(query.sql)
        if not frame.isStreaming:
            raise invalid(
                "STREAMING_TABLE_QUERY_INVALID",
                f"the query of streaming table {self.relation} reads nothing with STREAM; "
                "write FROM STREAM source, or make a materialized view",
            )
        schema = self._declared_schema(statement, frame.schema)
        return _Flow(self._cast(frame, statement, schema), schema, query.streams)

    def _cdc_flow(self, statement: CreateStreamingTable, flow: AutoCdcFlow) -> _Flow:
        source = self.context.resolve(flow.source)
        if not self.context.exists(source):
            raise invalid(
                "TABLE_OR_VIEW_NOT_FOUND",
                f"AUTO CDC into {self.relation}: source {source} cannot be found",
            )
        definition = self.context.definition(source)
        if definition is not None and definition.kind == KIND and definition.body.get("fingerprint") is not None:
            raise refused(
                "STREAMING_FROM_AUTO_CDC_TARGET",
                f"{self.relation} streams from {source}, an AUTO CDC target, which is not append-only; "
                "stage its source instead, or read it as a table",
            )
        query = PreparedQuery("")
        try:
            frame = sources.stream_of(self.reader, query, source, {})
        finally:
            query.drop_views(self.context)
        plan = auto_cdc.resolve(flow, frame.schema, statement.columns)
        return _Flow(frame, plan.output_schema, [f"table {source}"], plan)

    def _declared_schema(self, statement: CreateStreamingTable, query: StructType) -> StructType:
        if not statement.columns:
            return StructType([StructField(f.name, f.dataType, True, f.metadata) for f in query.fields])
        by_name = {f.name.lower(): f for f in query.fields}
        declared = {c.name.lower() for c in statement.columns if c.generated_as is None}
        missing = [c.name for c in statement.columns if c.generated_as is None and c.name.lower() not in by_name]
        extra = [f.name for f in query.fields if f.name.lower() not in declared]
        if missing or extra:
            raise invalid(
                "STREAMING_TABLE_COLUMNS_MISMATCH",
                f"{self.relation}: the column list must name every column of the query and no other; "
                f"not in the query: {', '.join(missing) or 'none'}; not in the list: {', '.join(extra) or 'none'}",
            )
        fields = []
        for column in statement.columns:
            if column.generated_as is not None:
                continue
            if column.data_type is None:
                data_type = by_name[column.name.lower()].dataType
            else:
                data_type = _parse_type(self.context, column.data_type)
            fields.append(StructField(column.name, data_type, not column.not_null))
        return StructType(fields)

    def _cast(self, frame: DataFrame, statement: CreateStreamingTable, schema: StructType) -> DataFrame:
        if not statement.columns:
            return frame
        columns = []
        for field in schema.fields:
            column = F.col(quote_identifier(field.name))
            columns.append(column.cast(field.dataType).alias(field.name))
        return frame.select(*columns)

    def _check_references(self, statement: CreateStreamingTable, schema: StructType) -> None:
        """Expectations, masks, filters and clustering may name only columns that are there."""
        known = {name.lower() for name in schema.fieldNames()}
        known |= {c.name.lower() for c in statement.columns}
        clauses = statement.clauses
        for clause, names in (
            ("PARTITIONED BY", clauses.partitioned_by),
            ("CLUSTER BY", clauses.cluster_by),
        ):
            for name in names:
                if name.split(".")[0].lower() not in known:
                    raise invalid(
                        "UNRESOLVED_COLUMN",
                        f"{self.relation}: {clause} names {name}, which is no column",
                    )
        probe = self.context.spark.createDataFrame([], schema)
        for expectation in statement.expectations:
            try:
                probe.filter(expectation.expression)
            except Exception as error:
                raise invalid(
                    "INVALID_EXPECTATION",
                    f"{self.relation}: expectation {expectation.name} cannot be evaluated: {from_spark(error)}",
                ) from error

    # a refresh

    def _state(self, definition: Definition) -> Path:
        return self.context.warehouse.checkpoints / definition.table_id / str(definition.body["generation"])

    def _run(self, definition: Definition, statement: CreateStreamingTable) -> None:
        if definition.table_id == _PENDING:
            definition = replace(definition, table_id=delta.table_id(self.context, self.relation))
            self.context.store.put_definition(definition)
            attached.declare(self.context, self.relation, statement)
        if definition.body.get("full_refresh"):
            definition = self._start_over(definition, statement)
        if statement.query is None and statement.auto_cdc is None:
            return
        started = utc_now()
        try:
            metrics = self._stream(definition, statement)
        except Exception as error:
            translated = error if isinstance(error, OperationalError | IntegrityError) else from_spark(error)
            self._record(definition, started, "FAILED", {"error": str(translated)})
            raise translated from error
        self._record(definition, started, "COMPLETED", metrics)

    def _record(self, definition: Definition, started: datetime, status: str, body: dict[str, Any]) -> None:
        self.context.store.add_refresh(
            self.relation.database, self.relation.table, definition.table_id, started, status, body
        )

    def _start_over(self, definition: Definition, statement: CreateStreamingTable) -> Definition:
        """Empty the table and forget its checkpoint; repeatable if it is cut off anywhere."""
        flow = self._flow(statement, self.context.warehouse.checkpoints / _PENDING)
        self._create_table(statement, flow, replace_existing=True)
        shutil.rmtree(self.context.warehouse.checkpoints / definition.table_id, ignore_errors=True)
        body = self._body(statement, flow, definition.body["generation"] + 1)
        renewed = replace(definition, table_id=delta.table_id(self.context, self.relation), body=body)
        self.context.store.put_definition(renewed)
        return renewed

    def _stream(self, definition: Definition, statement: CreateStreamingTable) -> dict[str, Any]:
        state = self._state(definition)
        flow = self._flow(statement, state)
        if flow.plan is not None:
            flow.plan.check_against(definition.body["fingerprint"], str(self.relation))
        writer = _apply_expectations(flow.frame, statement.expectations, str(self.relation)).writeStream
        writer = (
            writer.queryName(str(self.relation))
            .outputMode("append")
            .option("checkpointLocation", str(state / "checkpoint"))
            .trigger(availableNow=True)
        )
        if flow.plan is not None:
            retention = _tombstone_retention(statement.clauses.properties, self.relation)
            sink = _CdcSink(self.context, self.relation, flow.plan, state, retention)
            return self._await(writer.foreachBatch(sink.write), statement.expectations, sink)
        return self._await(writer.format("delta"), statement.expectations, None)

    def _await(
        self, writer: DataStreamWriter, expectations: tuple[Expectation, ...], sink: _CdcSink | None
    ) -> dict[str, Any]:
        try:
            query = writer.start() if sink is not None else writer.toTable(self.relation.quoted())
            with self.context.cancellable(query):
                query.awaitTermination()
        except Exception as error:
            if sink is not None and sink.error is not None:
                raise sink.error from error
            raise
        metrics = _metrics(query, expectations, self.relation.table)
        if sink is not None:
            metrics["auto_cdc"] = sink.counts
        return metrics


_TOMBSTONE_RETENTION = "pipelines.cdc.tombstoneGCThresholdInSeconds"
# https://docs.databricks.com/aws/en/ldp/cdc-advanced: "two days" by default.
_TOMBSTONE_SECONDS = str(2 * 24 * 60 * 60)


def _tombstone_retention(properties: Mapping[str, str], relation: Relation) -> timedelta:
    """How long a delete is remembered.

    Raises:
        ProgrammingError: INVALID_TABLE_PROPERTY names a value that is no number of seconds.
    """
    text = properties.get(_TOMBSTONE_RETENTION, _TOMBSTONE_SECONDS)
    if not text.strip().isdigit():
        raise invalid(
            "INVALID_TABLE_PROPERTY",
            f"{relation}: {_TOMBSTONE_RETENTION} is {text!r}; expected a number of seconds, like {_TOMBSTONE_SECONDS}",
        )
    return timedelta(seconds=int(text))


class _CdcSink:
    """Writes the micro-batches of an AUTO CDC flow, and keeps the error that Spark would wrap."""

    def __init__(
        self, context: Context, relation: Relation, plan: auto_cdc.CdcPlan, state: Path, retention: timedelta
    ) -> None:
        self._context = context
        self._relation = relation
        self._plan = plan
        self._state = state
        self._retention = retention
        self.error: Exception | None = None
        self.counts: dict[str, int] = {}

    def write(self, batch: DataFrame, batch_id: int) -> None:
        try:
            counts = auto_cdc.apply(
                batch.sparkSession,
                self._plan,
                batch,
                target=self._relation.quoted(),
                state=self._state / "state",
                batch_id=batch_id,
                application_id=str(self._relation),
                tombstone_retention=self._retention,
            )
        except Exception as error:
            self.error = error if isinstance(error, OperationalError) else from_spark(error)
            raise
        for name, value in asdict(counts).items():
            self.counts[name] = self.counts.get(name, 0) + value


def _apply_expectations(frame: DataFrame, expectations: tuple[Expectation, ...], table: str) -> DataFrame:
    """Count every expectation, drop or fail where it says so; NULL counts as broken.

    https://docs.databricks.com/aws/en/ldp/expectations
    """
    if not expectations:
        return frame
    counts = [F.count(F.lit(1)).alias("records")]
    for index, expectation in enumerate(expectations):
        counts.append(F.count_if(F.expr(f"({expectation.expression}) IS TRUE")).alias(f"passed_{index}"))
    dropping = [e for e in expectations if e.on_violation is OnViolation.DROP_ROW]
    if dropping:
        kept = " AND ".join(f"(({e.expression}) IS TRUE)" for e in dropping)
        counts.append(F.count_if(F.expr(f"NOT ({kept})")).alias("dropped"))
    frame = frame.observe(_OBSERVATION, *counts)
    for expectation in expectations:
        if expectation.on_violation is OnViolation.FAIL_UPDATE:
            message = quote_string(
                f"[EXPECTATION_VIOLATION] streaming table {table}: expectation {expectation.name} is broken "
                f"({expectation.expression}); ON VIOLATION FAIL UPDATE applies nothing of the batch"
            )
            frame = frame.filter(
                F.expr(f"IF(({expectation.expression}) IS TRUE, TRUE, CAST(raise_error({message}) AS BOOLEAN))")
            )
        elif expectation.on_violation is OnViolation.DROP_ROW:
            frame = frame.filter(F.expr(f"({expectation.expression}) IS TRUE"))
    return frame


def _metrics(query: StreamingQuery, expectations: tuple[Expectation, ...], table: str) -> dict[str, Any]:
    """What the refresh read and how its expectations fared, summed over its batches.

    The shape is that of `details:flow_progress` in the event log:
    https://docs.databricks.com/aws/en/ldp/monitor-event-log-schema
    """
    batches = 0
    by_source: Counter[str] = Counter()
    observed: Counter[str] = Counter()
    for progress in query.recentProgress:
        read = Counter({source.description: source.numInputRows for source in progress.sources})
        batches += 1 if read.total() else 0
        by_source.update(read)
        counts = progress.observedMetrics.get(_OBSERVATION)
        if counts is not None:
            observed.update(counts.asDict())
    return {
        "num_batches": batches,
        "num_input_rows": by_source.total(),
        "sources": dict(by_source),
        "dropped_records": observed["dropped"],
        "expectations": [
            {
                "name": expectation.name,
                "dataset": table,
                "passed_records": observed[f"passed_{index}"],
                "failed_records": observed["records"] - observed[f"passed_{index}"],
            }
            for index, expectation in enumerate(expectations)
        ],
    }


def _without_nullability(field: StructField) -> str:
    return field.dataType.simpleString().lower()


def _parse_type(context: Context, text: str) -> Any:
    from pyspark.sql.types import _parse_datatype_json_string

    jvm: Any = context.spark.sparkContext._jvm
    parsed = jvm.org.apache.spark.sql.types.DataType.fromDDL(text)
    return _parse_datatype_json_string(parsed.json())
