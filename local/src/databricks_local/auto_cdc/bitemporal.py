"""BITEMPORAL: what was believed when. A history of histories.

Each distinct system sequence of a key is a moment at which something was learned. The belief at a moment is the SCD
TYPE 2 history of all events known by then, where of two events with one business sequence the one learned last
counts. A record is in the target for as long as it is part of consecutive beliefs: from the moment at which it
entered (`__SYSTEM_START_AT`) to the one at which it was given up (`__SYSTEM_END_AT`, NULL while it is believed).

The work grows with the square of the moments of a key: meant for entities that are corrected now and then.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from databricks_local.auto_cdc.history import runs
from databricks_local.auto_cdc.inheritance import effective
from databricks_local.auto_cdc.layout import DIGEST, KIND, REMOVED, SEQUENCE, SYSTEM, UPSERT, Layout, names
from databricks_local.auto_cdc.plan import END_AT, START_AT, SYSTEM_END_AT, SYSTEM_START_AT
from databricks_local.auto_cdc.types import comparable
from databricks_local.sql.tokens import quote_identifier, quote_string

_MOMENT = "__cdc_moment"


def changes(layout: Layout, target: DataFrame, events: DataFrame) -> DataFrame:
    """Rows to put and rows to remove.

    Args:
        layout: the columns.
        target: the rows of the target before this batch.
        events: of the batch's keys, recorded and new, one per sequence and system sequence (`timelines`).
    """
    keys = [f.name for f in layout.keys]
    wanted = _rows(layout, events)
    identity = [*keys, START_AT, SYSTEM_START_AT]
    touched = target.join(events.selectExpr(*names(layout.keys)), keys, "left_semi")
    gone = touched.selectExpr(*map(quote_identifier, identity)).join(
        wanted.selectExpr(*map(quote_identifier, identity)), identity, "left_anti"
    )
    return wanted.selectExpr("*", f"false as {REMOVED}").unionByName(
        gone.selectExpr("*", f"true as {REMOVED}"), allowMissingColumns=True
    )


def _rows(layout: Layout, events: DataFrame) -> DataFrame:
    """The rows of the touched keys as they should be."""
    keys = names(layout.keys)
    shown = [*layout.payload, *layout.carried]
    values = ", ".join(f"{quote_string(f.name)}, {comparable(quote_identifier(f.name), f.dataType)}" for f in shown)
    records = (
        runs(layout, effective(layout, _beliefs(layout, events), [*keys, _MOMENT]), [*keys, _MOMENT])
        .where(f"{KIND} = {UPSERT} and coalesce(__cdc_next_bounds, true)")
        .selectExpr(
            "*",
            f"__cdc_run.start as {START_AT}",
            f"__cdc_next as {END_AT}",
            f"{f'named_struct({values})' if values else 'true'} as __cdc_shown",
        )
    )
    same = ", ".join([*keys, START_AT, END_AT, "__cdc_shown"])
    nth = f"row_number() over (partition by {same} order by __cdc_rank)"
    return (
        records.selectExpr("*", f"__cdc_rank - {nth} as __cdc_island")
        .groupBy(*keys, START_AT, END_AT, "__cdc_shown", "__cdc_island")
        .agg(
            expr(f"min({_MOMENT}) as {SYSTEM_START_AT}"),
            expr(f"max_by(__cdc_next_moment, __cdc_rank) as {SYSTEM_END_AT}"),
            *(expr(f"max_by({quote_identifier(f.name)}, __cdc_rank) as {quote_identifier(f.name)}") for f in shown),
        )
        .drop("__cdc_shown", "__cdc_island")
    )


def _beliefs(layout: Layout, events: DataFrame) -> DataFrame:
    """Per key and moment the events that counted then, with the moment's rank and the one that follows."""
    keys = ", ".join(names(layout.keys))
    moments = (
        events.selectExpr(*names(layout.keys), f"{SYSTEM} as {_MOMENT}")
        .distinct()
        .selectExpr(
            "*",
            f"lead({_MOMENT}) over (partition by {keys} order by {_MOMENT}) as __cdc_next_moment",
            f"row_number() over (partition by {keys} order by {_MOMENT}) as __cdc_rank",
        )
    )
    last_learned = (
        f"row_number() over (partition by {keys}, {_MOMENT}, {SEQUENCE} "
        f"order by {SYSTEM} desc, {KIND} desc, {DIGEST} desc)"
    )
    return (
        events.join(moments, [f.name for f in layout.keys])
        .where(f"{SYSTEM} <= {_MOMENT}")
        .selectExpr("*", f"{last_learned} as __cdc_nth")
        .where("__cdc_nth = 1")
        .drop("__cdc_nth")
    )
