"""One batch into the target, in two commits: first the state, then the target.

A crash between the two is repaired by running the batch again, which finds its events recorded and
derives the same changes; running it once more changes nothing. Readers of the target see a batch
whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from databricks_local.auto_cdc import history, latest
from databricks_local.auto_cdc.events import check, classify, reduce_events
from databricks_local.auto_cdc.layout import (
    KIND,
    LATEST,
    SEQUENCE,
    TRUNCATE,
    Layout,
    lay_out,
    names,
)
from databricks_local.auto_cdc.plan import CdcPlan
from databricks_local.auto_cdc.state import State
from databricks_local.auto_cdc.target import columns_of, evolve, merge


@dataclass(frozen=True)
class BatchCounts:
    """What one batch held and did.

    Attributes:
        events: source rows read; the sum of `upserts`, `deletes` and `truncates`.
        upserts: rows that upsert.
        deletes: rows that delete.
        truncates: rows that truncate.
        inserted: rows that the target got.
        updated: rows of the target that changed in place.
        deleted: rows that the target lost.
    """

    events: int
    upserts: int
    deletes: int
    truncates: int
    inserted: int
    updated: int
    deleted: int


def apply(
    spark: SparkSession,
    plan: CdcPlan,
    batch: DataFrame,
    *,
    target: str,
    state: Path,
    batch_id: int,
    application_id: str,
    tombstone_retention: timedelta | None = None,
) -> BatchCounts:
    """Bring one micro-batch into the target.

    Args:
        spark: the session that `batch` belongs to.
        plan: of the flow; `plan.check_against` was called where the table had a run before.
        batch: rows of the source; read more than once, so they must be the same each time.
        target: the Delta table, as a quoted name or delta.`path`; create it with
            `plan.output_schema` and TARGET_PROPERTIES.
        state: the directory of the hidden state; a full refresh removes it together with the
            target's rows.
        batch_id: of the micro-batch, for errors and the commit's metadata.
        application_id: of the flow, for the commit's metadata.
        tombstone_retention: how long SCD TYPE 1 remembers deletes; None: for ever.

    Raises:
        IntegrityError: AUTO_CDC_NULL_SEQUENCE or AUTO_CDC_NULL_KEY; nothing of the batch was
            applied.
        ProgrammingError: CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE: a column changed its type.
    """
    retention = None if plan.needs_every_event else tombstone_retention
    log = State(spark, state, retention)
    layout = lay_out(plan, columns_of(spark, target), log.columns())
    judged = _judge(layout, log, reduce_events(layout, classify(layout, batch))).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        read = check(layout, judged, target=target, batch_id=batch_id)
        if read.events == 0:
            return BatchCounts(0, 0, 0, 0, 0, 0, 0)
        evolve(spark, target, layout)
        log.create(layout)
        log.append(layout, judged.where("__cdc_is_new"), application_id=application_id, batch_id=batch_id)
        truncated = read.truncates > 0
        if plan.keeps_history:
            changes = history.changes(layout, log, judged)
        elif plan.inherits:
            changes = latest.changes_with_inheritance(layout, log, judged, truncated=truncated)
        else:
            changes = latest.changes(layout, log, judged, truncated=truncated)
        merged = merge(spark, target, layout, changes)
        log.compact(layout, batch_id)
    finally:
        judged.unpersist()
    return BatchCounts(
        events=read.events,
        upserts=read.upserts,
        deletes=read.deletes,
        truncates=read.truncates,
        inserted=merged.inserted,
        updated=merged.updated,
        deleted=merged.deleted,
    )


def _judge(layout: Layout, log: State, reduced: DataFrame) -> DataFrame:
    """Compare each reduced event with what is recorded: is it new, and does it stand against the
    greatest recorded one.
    """
    if not log.exists:
        return reduced.selectExpr("*", "true as __cdc_is_new", "true as __cdc_stands")
    key_names = [f.name for f in layout.keys]
    keys = names(layout.keys)
    if layout.plan.needs_every_event:
        key_names.append(SEQUENCE)
    touched = log.log().join(reduced.selectExpr(*keys).distinct(), [f.name for f in layout.keys], "left_semi")
    recorded = log.latest(layout, touched).withColumnRenamed(LATEST, "__cdc_recorded")
    return (
        reduced.join(recorded, key_names, "left")
        .crossJoin(log.mark())
        .selectExpr(
            "*",
            f"case when {LATEST}.{KIND} = {TRUNCATE} "
            f"then __cdc_mark is null or {LATEST}.{SEQUENCE} > __cdc_mark "
            f"else __cdc_recorded is null or {LATEST} > __cdc_recorded end as __cdc_is_new",
            f"__cdc_recorded is null or {LATEST} >= __cdc_recorded as __cdc_stands",
        )
        .drop("__cdc_mark", "__cdc_recorded")
    )
