"""SCD TYPE 1: which rows of the target a batch changes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.functions import broadcast, expr

from databricks_local.auto_cdc.inheritance import effective
from databricks_local.auto_cdc.layout import (
    CONTENT,
    DELETE,
    DIGEST,
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


def changes(layout: Layout, state: State, judged: DataFrame, *, truncated: bool) -> DataFrame:
    """Rows to put and keys to remove, where only the last event of a key counts.

    Args:
        layout: the columns.
        state: as it is after this batch.
        judged: the batch's reduced events with `__cdc_stands`: no recorded event of the key is
            greater.
        truncated: whether the batch truncates, so that keys which it does not name may have to go.
    """
    keys = names(layout.keys)
    put = (
        judged.where(f"__cdc_stands and {LATEST}.{KIND} <> {TRUNCATE}")
        .crossJoin(broadcast(state.mark()))
        .selectExpr(
            *keys,
            *(f"{CONTENT}.{quote_identifier(f.name)} as {quote_identifier(f.name)}" for f in layout.payload),
            f"coalesce({LATEST}.{SEQUENCE} <= __cdc_mark, false) as __cdc_truncated",
            f"{LATEST}.{KIND} = {DELETE} or coalesce({LATEST}.{SEQUENCE} <= __cdc_mark, false) as {REMOVED}",
        )
    )
    if truncated:
        gone = state.latest(layout).crossJoin(broadcast(state.mark())).where(f"{LATEST}.{SEQUENCE} <= __cdc_mark")
        put = put.where("not __cdc_truncated").unionByName(
            gone.selectExpr(*keys, f"true as {REMOVED}"), allowMissingColumns=True
        )
    return put.drop("__cdc_truncated")


def changes_with_inheritance(layout: Layout, state: State, batch: DataFrame, *, truncated: bool) -> DataFrame:
    """Rows to put and keys to remove, where a row may hold values of several events.

    Args:
        layout: the columns.
        state: as it is after this batch.
        batch: the batch's reduced events.
        truncated: whether the batch truncates; every key is then looked at.
    """
    keys = names(layout.keys)
    touched = state.log().where(f"{KIND} <> {TRUNCATE}")
    if not truncated:
        touched = touched.join(batch.selectExpr(*keys).distinct(), [f.name for f in layout.keys], "left_semi")
    # An event that a truncate covers is as good as a delete: it leaves no row, and nothing to
    # inherit.
    touched = (
        touched.crossJoin(broadcast(state.mark()))
        .withColumn(KIND, expr(f"if(coalesce({SEQUENCE} <= __cdc_mark, false), {DELETE}, {KIND})"))
        .drop("__cdc_mark")
    )
    last_of_key = f"row_number() over (partition by {', '.join(keys)} order by {SEQUENCE} desc)"
    return (
        effective(layout, one_per_sequence(layout, touched))
        .selectExpr("*", f"{last_of_key} as __cdc_nth")
        .where("__cdc_nth = 1")
        .selectExpr(*keys, *names(layout.payload), f"{KIND} = {DELETE} as {REMOVED}")
    )


def one_per_sequence(layout: Layout, events: DataFrame) -> DataFrame:
    """Of recorded events with equal key and sequence, the one that counts."""
    keys = ", ".join(names(layout.keys))
    following = f"lead({SEQUENCE}) over (partition by {keys} order by {SEQUENCE}, {KIND}, {DIGEST})"
    return (
        events.selectExpr("*", f"{following} as __cdc_following")
        .where(f"__cdc_following is null or __cdc_following <> {SEQUENCE}")
        .drop("__cdc_following")
    )
