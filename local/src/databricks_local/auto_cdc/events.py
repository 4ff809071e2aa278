"""One micro-batch as events: classified, checked, and reduced to those that can matter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from databricks_local.auto_cdc.layout import (
    AUTHORED,
    CONTENT,
    DELETE,
    DIGEST,
    JSON_FORMATS,
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
from databricks_local.auto_cdc.materialized import materialized
from databricks_local.auto_cdc.progress import Progress
from databricks_local.errors import IntegrityError
from databricks_local.runtime.session import session_conf
from databricks_local.sql.tokens import quote_identifier

_AUTHORED_FIELD = StructField(AUTHORED, ArrayType(StringType()))

_JSON_WITH_NULLS = f"map('ignoreNullFields', 'false', {JSON_FORMATS})"
# A digest is of what an event says: the same event that is read again once its source has one more column, NULL in it,
# has the same one. A name without a NULL tells which field is left out, which a hash over columns would not.
_JSON_OF_CONTENT = f"map('ignoreNullFields', 'true', {JSON_FORMATS})"

_COUNTS = "__cdc_counts"

# Spark would look for the first row of each key before the shuffle too, which sorts once more.
_ONE_SORT = {"spark.sql.optimizer.windowGroupLimitThreshold": "-1"}


@dataclass(frozen=True)
class Read:
    """What a batch held.

    Attributes:
        events: source rows; the sum of the next three.
        upserts: rows that upsert.
        deletes: rows that delete.
        truncates: rows that truncate.
        is_later: whether every event is sequenced behind all that were recorded before, if any were.
        greatest: the greatest sequence recorded once this batch is, as progress.py writes it; None where it cannot.
    """

    events: int
    upserts: int
    deletes: int
    truncates: int
    is_later: bool
    greatest: str | None


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

    Columns: the keys (all NULL for truncates), `__cdc_latest` (sequence, kind, digest), the content, for BITEMPORAL the
    system sequence.
    """
    groups = layout.event if layout.plan.needs_every_event else names(layout.keys)
    # A window, not an aggregate: its values are too wide for a hash table, and it would sort before and behind the
    # shuffle what is mostly one row a key.
    best_first = f"over (partition by {', '.join(groups)} order by {SEQUENCE} desc, {KIND} desc, {DIGEST} desc)"
    return (
        events.selectExpr("*", f"row_number() {best_first} as __cdc_nth")
        .where("__cdc_nth = 1")
        .selectExpr(
            *names(layout.keys),
            *([SYSTEM] if layout.plan.is_bitemporal else []),
            f"{ORDER} as {LATEST}",
            CONTENT,
        )
    )


@contextmanager
def read_once(
    layout: Layout, events: DataFrame, recorded: Progress, *, target: str, batch_id: int
) -> Iterator[tuple[DataFrame, Read]]:
    """Reduce the batch's events, counting them on the way; refuse it whole if one has no sequence or no key.

    Args:
        layout: the columns.
        events: `classify`.
        recorded: what was recorded before this batch.
        target: for the error.
        batch_id: for the error.

    Returns:
        the reduced events, which may be read more than once within the block, and what the batch held.

    Raises:
        IntegrityError: AUTO_CDC_NULL_SEQUENCE (looked at first) or AUTO_CDC_NULL_KEY, naming the table, the batch and a
            key.
    """
    reducing = reduce_events(layout, _counted(layout, events, recorded))
    with ExitStack() as stack:
        with session_conf(events.sparkSession, _ONE_SORT):
            reduced = stack.enter_context(materialized(reducing))
        counts = json.loads(reducing._jdf.queryExecution().observedMetrics().apply(_COUNTS).json())
        _refuse_incomplete(layout, counts, target=target, batch_id=batch_id)
        yield (
            reduced,
            Read(
                events=counts["events"],
                upserts=counts["upserts"],
                deletes=counts["deletes"],
                truncates=counts["events"] - counts["upserts"] - counts["deletes"],
                is_later=counts["is_later"],
                greatest=counts["greatest"],
            ),
        )


def _counted(layout: Layout, events: DataFrame, recorded: Progress) -> DataFrame:
    """The events, which leave counts in the metrics of the query that reads them."""
    plan = layout.plan
    unsequenced = " or ".join(f"{name} is null" for name in [SEQUENCE, *([SYSTEM] if plan.is_bitemporal else [])])
    unkeyed = f"(({' or '.join(f'{key} is null' for key in names(layout.keys))}) and {KIND} <> {TRUNCATE})"
    key_text = f"to_json({packed(layout.keys)}, {_JSON_WITH_NULLS})"
    is_later, greatest = recorded.after(SEQUENCE, plan.sequence_type)
    return events.observe(
        _COUNTS,
        expr("count(*) as events"),
        expr(f"count_if({KIND} = {UPSERT}) as upserts"),
        expr(f"count_if({KIND} = {DELETE}) as deletes"),
        expr(f"count_if({unsequenced}) as unsequenced"),
        expr(f"min(if({unsequenced}, {key_text}, null)) as unsequenced_key"),
        expr(f"count_if({unkeyed}) as unkeyed"),
        expr(f"min(if({unkeyed}, {key_text}, null)) as unkeyed_key"),
        expr(f"{is_later} as is_later"),
        expr(f"{greatest} as greatest"),
    )


def _refuse_incomplete(layout: Layout, counts: Mapping[str, Any], *, target: str, batch_id: int) -> None:
    if counts["unsequenced"]:
        raise _refusal(
            "AUTO_CDC_NULL_SEQUENCE",
            f"batch {batch_id} for {target}: {_sequence_options(layout)} is NULL "
            f"in {counts['unsequenced']} of {counts['events']} rows, "
            f"such as key {counts['unsequenced_key']}",
        )
    if counts["unkeyed"]:
        raise _refusal(
            "AUTO_CDC_NULL_KEY",
            f"batch {batch_id} for {target}: a key column is NULL in {counts['unkeyed']} "
            f"of {counts['events']} rows, such as key {counts['unkeyed_key']}",
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
