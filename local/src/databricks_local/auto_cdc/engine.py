"""One batch into the target, in two commits: first the state, then the target.

A crash between the two is repaired by running the batch again, which finds its events recorded and
derives the same changes; running it once more changes nothing. Readers of the target see a batch
whole or not at all.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from databricks_local.auto_cdc import bitemporal, history, latest
from databricks_local.auto_cdc.events import Read, classify, read_once
from databricks_local.auto_cdc.layout import Layout, lay_out
from databricks_local.auto_cdc.materialized import materialized
from databricks_local.auto_cdc.plan import CdcPlan
from databricks_local.auto_cdc.state import State
from databricks_local.auto_cdc.target import Merged, columns_of, evolve, merge, size_in_bytes
from databricks_local.auto_cdc.timeline import arrivals, timelines
from databricks_local.runtime.session import session_conf

_SMALL_BATCH_EVENTS = 10_000
_SMALL_TARGET_BYTES = 4 * 1024 * 1024
# Few rows into a small table: generating and compiling Java for each expression costs more than interpreting it, and
# deletion vectors cost more Spark jobs than writing the few files anew.
_SMALL_CONF = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.merge.deletionVectors.persistent": "false",
}


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
    events = classify(layout, batch)
    with read_once(layout, events, log.progress(layout), target=target, batch_id=batch_id) as (reduced, read):
        if read.events == 0:
            return BatchCounts(0, 0, 0, 0, 0, 0, 0)
        evolve(spark, target, [*layout.keys, *layout.payload])
        small = read.events <= _SMALL_BATCH_EVENTS and size_in_bytes(spark, target) <= _SMALL_TARGET_BYTES
        with session_conf(spark, _SMALL_CONF if small else {}):
            log.prepare(layout, truncated=read.truncates > 0)
            merged = _fold(layout, log, reduced, read, target, batch_id, application_id)
            log.compact(layout, batch_id)
    return BatchCounts(
        events=read.events,
        upserts=read.upserts,
        deletes=read.deletes,
        truncates=read.truncates,
        inserted=merged.inserted,
        updated=merged.updated,
        deleted=merged.deleted,
    )


def _fold(
    layout: Layout, log: State, reduced: DataFrame, read: Read, target: str, batch_id: int, application_id: str
) -> Merged:
    """Record the events, then bring what follows from them into the target."""
    plan = layout.plan
    truncated = read.truncates > 0
    record = partial(log.append, layout, application_id=application_id, batch_id=batch_id, greatest=read.greatest)
    if not plan.needs_every_event:
        judged = latest.judged(layout, log, reduced, truncated=truncated, is_later=read.is_later)
        # Without a look at the log it is no more than the reduced events, which are kept already.
        with nullcontext(judged) if read.is_later else materialized(judged) as events:
            record(events)
            return merge(target, layout, latest.changes(layout, log, events, truncated=truncated))
    if plan.keeps_history and not plan.is_bitemporal and read.is_later and not log.is_empty:
        record(arrivals(layout, reduced))
        records = history.open_records(layout, reduced.sparkSession.table(target))
        events = timelines(layout, log, reduced, truncated=truncated, open_records=records)
        with materialized(history.changes(layout, events)) as changes:
            return merge(target, layout, changes, open_only=True)
    with materialized(timelines(layout, log, reduced, truncated=truncated)) as events:
        record(events)
        if plan.is_bitemporal:
            followed = bitemporal.changes(layout, events.sparkSession.table(target), events)
        elif plan.keeps_history:
            followed = history.changes(layout, events)
        else:
            followed = latest.changes_with_inheritance(layout, log, events)
        with materialized(followed) as changes:
            return merge(target, layout, changes)
