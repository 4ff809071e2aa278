"""SCD TYPE 1: which rows of the target a batch changes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.functions import broadcast, expr

from databricks_local.auto_cdc.inheritance import effective
from databricks_local.auto_cdc.layout import (
    CONTENT,
    DELETE,
    IS_NEW,
    KIND,
    LATEST,
    REMOVED,
    SEQUENCE,
    TRUNCATE,
    Layout,
    names,
)
from databricks_local.auto_cdc.state import State
from databricks_local.sql.tokens import quote_identifier


def judged(layout: Layout, log: State, reduced: DataFrame, *, truncated: bool, is_later: bool) -> DataFrame:
    """Compare each reduced event with what is recorded of its key.

    Args:
        layout: the columns.
        log: as it was before this batch.
        reduced: the batch's reduced events.
        truncated: whether the batch truncates.
        is_later: whether all of the batch is sequenced behind what is recorded, if anything is.

    Returns:
        `reduced` with `__cdc_is_new` (the log lacks it) and `__cdc_stands` (no recorded event of the key is greater).
    """
    if is_later:
        return reduced.selectExpr("*", f"true as {IS_NEW}", "true as __cdc_stands")
    touched = log.log().join(reduced.selectExpr(*names(layout.keys)), [f.name for f in layout.keys], "left_semi")
    recorded = log.latest(layout, touched).withColumnRenamed(LATEST, "__cdc_recorded")
    compared = reduced.join(recorded, [f.name for f in layout.keys], "left")
    is_new = f"__cdc_recorded is null or {LATEST} > __cdc_recorded"
    if truncated:
        compared = compared.crossJoin(broadcast(log.mark()))
        newer_truncate = f"__cdc_mark is null or {LATEST}.{SEQUENCE} > __cdc_mark"
        is_new = f"case when {LATEST}.{KIND} = {TRUNCATE} then {newer_truncate} else {is_new} end"
    return compared.selectExpr(
        *names(layout.keys),
        LATEST,
        CONTENT,
        f"{is_new} as {IS_NEW}",
        f"__cdc_recorded is null or {LATEST} >= __cdc_recorded as __cdc_stands",
    )


def changes(layout: Layout, state: State, events: DataFrame, *, truncated: bool) -> DataFrame:
    """Rows to put and keys to remove, where only the last event of a key counts.

    Args:
        layout: the columns.
        state: as it is after this batch.
        events: the batch's reduced events, `judged`.
        truncated: whether the batch truncates, so that keys which it does not name may have to go.
    """
    keys = names(layout.keys)
    put = events.where(f"__cdc_stands and {LATEST}.{KIND} <> {TRUNCATE}")
    covered = "false"
    if state.has_truncates:
        put = put.crossJoin(broadcast(state.mark()))
        covered = f"coalesce({LATEST}.{SEQUENCE} <= __cdc_mark, false)"
    put = put.selectExpr(
        *keys,
        *(f"{CONTENT}.{quote_identifier(f.name)} as {quote_identifier(f.name)}" for f in layout.payload),
        f"{covered} as __cdc_truncated",
        f"{LATEST}.{KIND} = {DELETE} or {covered} as {REMOVED}",
    )
    if truncated:
        gone = state.latest(layout).crossJoin(broadcast(state.mark())).where(f"{LATEST}.{SEQUENCE} <= __cdc_mark")
        put = put.where("not __cdc_truncated").unionByName(
            gone.selectExpr(*keys, f"true as {REMOVED}"), allowMissingColumns=True
        )
    return put.drop("__cdc_truncated")


def changes_with_inheritance(layout: Layout, state: State, events: DataFrame) -> DataFrame:
    """Rows to put and keys to remove, where a row may hold values of several events.

    Args:
        layout: the columns.
        state: as it is after this batch.
        events: of the batch's keys, recorded and new, one per sequence (`timelines`).
    """
    keys = names(layout.keys)
    touched = events.where(f"{KIND} <> {TRUNCATE}")
    if state.has_truncates:
        # An event that a truncate covers is as good as a delete: it leaves no row, and nothing to
        # inherit.
        mark = events.where(f"{KIND} = {TRUNCATE}").selectExpr(f"max({SEQUENCE}) as __cdc_mark")
        touched = (
            touched.crossJoin(broadcast(mark))
            .withColumn(KIND, expr(f"if(coalesce({SEQUENCE} <= __cdc_mark, false), {DELETE}, {KIND})"))
            .drop("__cdc_mark")
        )
    last_of_key = f"row_number() over (partition by {', '.join(keys)} order by {SEQUENCE} desc)"
    return (
        effective(layout, touched, keys)
        .selectExpr("*", f"{last_of_key} as __cdc_nth")
        .where("__cdc_nth = 1")
        .selectExpr(*keys, *names(layout.payload), f"{KIND} = {DELETE} as {REMOVED}")
    )
