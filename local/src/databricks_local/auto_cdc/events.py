"""One micro-batch as events: classified, checked, and reduced to those that can matter."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from databricks_local.auto_cdc.layout import (
    AUTHORED,
    CONTENT,
    DELETE,
    DIGEST,
    KIND,
    LATEST,
    ORDER,
    SEQUENCE,
    SYSTEM,
    TRUNCATE,
    UPSERT,
    Layout,
    delivered_as,
    names,
    packed,
)
from databricks_local.errors import IntegrityError
from databricks_local.sql.tokens import quote_identifier

_AUTHORED_FIELD = StructField(AUTHORED, ArrayType(StringType()))

# Microseconds are not the default of JSON.
_JSON_FORMATS = (
    "'timeZone', 'UTC', "
    "'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX', "
    "'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS'"
)
_JSON_WITH_NULLS = f"map('ignoreNullFields', 'false', {_JSON_FORMATS})"
# A digest is of what an event says: the same event that is read again once its source has one more column, NULL in it,
# has the same one. A name without a NULL tells which field is left out, which a hash over columns would not.
_JSON_OF_CONTENT = f"map('ignoreNullFields', 'true', {_JSON_FORMATS})"


@dataclass(frozen=True)
class Read:
    """How many rows of a batch were what."""

    events: int
    upserts: int
    deletes: int
    truncates: int


def content_fields(layout: Layout) -> tuple[StructField, ...]:
    """What is kept of an event while a batch is worked on."""
    if layout.plan.columns_to_update is None:
        return layout.payload
    return (*layout.payload, _AUTHORED_FIELD)


def classify(layout: Layout, batch: DataFrame) -> DataFrame:
    """Give each source row its key, sequence, kind, digest and content.

    A condition that is NULL is false; truncate is looked at first. A delete keeps no content, a
    truncate no key either. A STRUCT of NULLs only is no sequence; a NULL beside a value sorts
    first.
    """
    plan = layout.plan
    truncate = _holds(plan.flow.apply_as_truncate_when)
    delete = _holds(plan.flow.apply_as_delete_when)
    sources = {f.name.lower(): f for f in batch.schema.fields}
    columns = [
        f"{plan.flow.sequence_by} as {SEQUENCE}",
        *([f"{plan.flow.system_sequence_by} as {SYSTEM}"] if plan.is_bitemporal else []),
        f"cast(case when {truncate} then {TRUNCATE} when {delete} then {DELETE} "
        f"else {UPSERT} end as tinyint) as {KIND}",
        *(delivered_as(sources[f.name.lower()], f) for f in (*layout.keys, *layout.payload)),
    ]
    if plan.columns_to_update is not None:
        columns.append(f"transform({quote_identifier(plan.columns_to_update)}, c -> lower(c)) as {AUTHORED}")
    content = packed(content_fields(layout))
    return batch.selectExpr(*columns).selectExpr(
        f"{_sequence(SEQUENCE, plan.sequence_type)} as {SEQUENCE}",
        *(
            [f"{_sequence(SYSTEM, plan.system_sequence_type)} as {SYSTEM}"]
            if plan.system_sequence_type is not None
            else []
        ),
        KIND,
        *(f"if({KIND} = {TRUNCATE}, null, {key}) as {key}" for key in names(layout.keys)),
        f"if({KIND} = {UPSERT}, md5(to_json({content}, {_JSON_OF_CONTENT})), '') as {DIGEST}",
        f"if({KIND} = {UPSERT}, {content}, null) as {CONTENT}",
    )


def _holds(condition: str | None) -> str:
    return "false" if condition is None else f"coalesce(({condition}), false)"


def _sequence(column: str, sequence_type: DataType) -> str:
    if not isinstance(sequence_type, StructType):
        return column
    parts = " and ".join(f"{column}.{quote_identifier(f.name)} is null" for f in sequence_type.fields)
    return f"if({parts}, null, {column})"


def reduce_events(layout: Layout, events: DataFrame) -> DataFrame:
    """Keep the greatest event per key, or (where every event counts) per key and sequence.

    Columns: the keys (all NULL for truncates), `__cdc_latest` (sequence, kind, digest), the
    content, for BITEMPORAL the system sequence, and `__cdc_events`, `__cdc_upserts`,
    `__cdc_deletes`, `__cdc_unsequenced`: counts of source rows.
    """
    groups = [*(layout.event if layout.plan.needs_every_event else names(layout.keys)), "__cdc_truncates"]
    unsequenced = " or ".join(
        f"{name} is null" for name in [SEQUENCE, *([SYSTEM] if layout.plan.is_bitemporal else [])]
    )
    return (
        events.selectExpr("*", f"{KIND} = {TRUNCATE} as __cdc_truncates")
        .groupBy(*groups)
        .agg(
            expr(f"max({ORDER}) as {LATEST}"),
            expr(f"max_by({CONTENT}, {ORDER}) as {CONTENT}"),
            expr("count(*) as __cdc_events"),
            expr(f"count_if({KIND} = {UPSERT}) as __cdc_upserts"),
            expr(f"count_if({KIND} = {DELETE}) as __cdc_deletes"),
            expr(f"count_if({unsequenced}) as __cdc_unsequenced"),
        )
    )


def refuse_incomplete(layout: Layout, reduced: DataFrame, *, target: str, batch_id: int) -> Read:
    """Count the batch, and refuse it whole if an event has no sequence or no key.

    Raises:
        IntegrityError: AUTO_CDC_NULL_SEQUENCE (looked at first) or AUTO_CDC_NULL_KEY, naming the
            table, the batch and a key.
    """
    keys = names(layout.keys)
    any_null = " or ".join(f"{key} is null" for key in keys)
    unkeyed = f"(({any_null}) and {LATEST}.{KIND} <> {TRUNCATE})"
    key_text = f"to_json({packed(layout.keys)}, {_JSON_WITH_NULLS})"
    row = reduced.selectExpr(
        "coalesce(sum(__cdc_events), 0) as events",
        "coalesce(sum(__cdc_upserts), 0) as upserts",
        "coalesce(sum(__cdc_deletes), 0) as deletes",
        "coalesce(sum(__cdc_unsequenced), 0) as unsequenced",
        f"min({key_text}) filter (where __cdc_unsequenced > 0) as unsequenced_key",
        f"coalesce(sum(__cdc_events) filter (where {unkeyed}), 0) as unkeyed",
        f"min({key_text}) filter (where {unkeyed}) as unkeyed_key",
    ).first()
    assert row is not None  # an aggregate without groups has one row
    if row["unsequenced"]:
        raise _refusal(
            "AUTO_CDC_NULL_SEQUENCE",
            f"batch {batch_id} for {target}: {_sequence_options(layout)} is NULL "
            f"in {row['unsequenced']} of {row['events']} rows, "
            f"such as key {row['unsequenced_key']}",
        )
    if row["unkeyed"]:
        raise _refusal(
            "AUTO_CDC_NULL_KEY",
            f"batch {batch_id} for {target}: a key column is NULL in {row['unkeyed']} "
            f"of {row['events']} rows, such as key {row['unkeyed_key']}",
        )
    return Read(
        events=row["events"],
        upserts=row["upserts"],
        deletes=row["deletes"],
        truncates=row["events"] - row["upserts"] - row["deletes"],
    )


def _sequence_options(layout: Layout) -> str:
    flow = layout.plan.flow
    system = "" if flow.system_sequence_by is None else f" or SYSTEM SEQUENCE BY {flow.system_sequence_by}"
    return f"SEQUENCE BY {flow.sequence_by}{system}"


def _refusal(condition: str, message: str) -> IntegrityError:
    error = IntegrityError(
        f"[{condition}] {message}; nothing of the batch was applied: filter or quarantine such rows upstream"
    )
    error.tagged(condition)
    return error
