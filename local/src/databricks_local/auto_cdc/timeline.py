"""What is known of the keys that a batch touches: recorded events and new ones, one per key and sequence."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from databricks_local.auto_cdc.layout import (
    AUTHORED,
    CONTENT,
    DIGEST,
    FIRST,
    IS_NEW,
    KIND,
    LAST,
    LATEST,
    SEQUENCE,
    SYSTEM,
    TRUNCATE,
    Layout,
    names,
)
from databricks_local.auto_cdc.state import State
from databricks_local.auto_cdc.types import ddl
from databricks_local.sql.tokens import quote_identifier


def arrivals(layout: Layout, reduced: DataFrame) -> DataFrame:
    """The batch's events as the state keeps them: keys, sequences, kind, digest, the kept columns; all `__cdc_is_new`.

    Args:
        layout: the columns.
        reduced: the batch's reduced events.
    """
    authored = [f"{CONTENT}.{AUTHORED} as {AUTHORED}"] if layout.plan.columns_to_update is not None else []
    return reduced.selectExpr(
        *names(layout.keys),
        *([SYSTEM] if layout.plan.is_bitemporal else []),
        *(f"{LATEST}.{name} as {name}" for name in (SEQUENCE, KIND, DIGEST)),
        *(f"{CONTENT}.{name} as {name}" for name in names(layout.payload)),
        *(f"cast(null as {ddl(f.dataType)}) as {quote_identifier(f.name)}" for f in layout.carried),
        *authored,
    ).selectExpr(*_columns(layout), f"true as {IS_NEW}")


def _columns(layout: Layout) -> list[str]:
    authored = [AUTHORED] if layout.plan.columns_to_update is not None else []
    return [*layout.event, KIND, DIGEST, *names(layout.kept), *authored]


def timelines(
    layout: Layout, log: State, reduced: DataFrame, *, truncated: bool, open_records: DataFrame | None = None
) -> DataFrame:
    """All events of the batch's keys.

    Args:
        layout: the columns.
        log: as it was before this batch.
        reduced: the batch's reduced events.
        truncated: whether the batch truncates; every key is then touched.
        open_records: what stands for the recorded events where the batch is sequenced behind all of them
            (`history.open_records`).

    Returns:
        keys, `__cdc_sequence` (`__cdc_system`), `__cdc_kind`, `__cdc_digest`, the kept columns; `__cdc_is_new` (the log
        lacks the event), `__cdc_first` and `__cdc_last` (least and greatest sequence of the key's events in the batch).
        Truncates, recorded ones too, are rows without a key.
    """
    keys = names(layout.keys)
    events = arrivals(layout, reduced).withColumnRenamed(IS_NEW, "__cdc_in_batch")
    columns = _columns(layout)
    if not log.is_empty:
        recorded = log.log() if open_records is None else open_records
        recorded = recorded.selectExpr(*columns, "false as __cdc_in_batch")
        if not truncated:
            touched = recorded.join(reduced.selectExpr(*keys), [f.name for f in layout.keys], "left_semi")
            # A truncate has no key to be found by.
            recorded = touched.unionByName(recorded.where(f"{KIND} = {TRUNCATE}")) if log.has_truncates else touched
        events = recorded.unionByName(events)
    of_key = f"over (partition by {', '.join(keys)})"
    # The greatest event of a sequence counts; of two equal ones the recorded one, so that it is not new.
    best_first = f"over (partition by {', '.join(layout.event)} order by {KIND} desc, {DIGEST} desc, __cdc_in_batch)"
    in_batch = f"if(__cdc_in_batch, {SEQUENCE}, null)"
    return (
        events.withColumns(
            {
                FIRST: expr(f"min({in_batch}) {of_key}"),
                LAST: expr(f"max({in_batch}) {of_key}"),
                "__cdc_nth": expr(f"row_number() {best_first}"),
            }
        )
        .where("__cdc_nth = 1")
        .withColumnRenamed("__cdc_in_batch", IS_NEW)
        .drop("__cdc_nth")
    )
