"""SCD TYPE 2: the timeline of each key, and which records of the target a batch changes.

Per key the upserts and deletes form a line. A run is a stretch of upserts with equal tracked
values; it is one record, from the sequence of its first event to that of the event behind its last
one, with the values of its last one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from databricks_local.auto_cdc.inheritance import effective
from databricks_local.auto_cdc.layout import (
    AUTHORED,
    DIGEST,
    FIRST,
    KIND,
    LAST,
    REMOVED,
    SEQUENCE,
    UPSERT,
    Layout,
    names,
)
from databricks_local.auto_cdc.plan import END_AT, START_AT
from databricks_local.auto_cdc.types import comparable
from databricks_local.sql.tokens import quote_identifier, quote_string


def changes(layout: Layout, events: DataFrame) -> DataFrame:
    """Records to put, and starts at which no record may be, around the batch's events.

    What lies wholly before the first event of a key in the batch stays as it is, and so does what
    begins behind the event that follows its last one; inherited values reach further, so with them
    everything behind counts as touched.

    Args:
        layout: the columns.
        events: of the batch's keys, recorded and new, one per sequence (`timelines`).
    """
    keys = names(layout.keys)
    lines = runs(layout, effective(layout, events, keys), keys)
    shown = [quote_identifier(f.name) for f in (*layout.payload, *layout.carried)]
    reaches = "true" if layout.plan.inherits else f"(__cdc_before is null or __cdc_before <= {LAST})"
    reaches_start = "true" if layout.plan.inherits else f"(__cdc_run.before is null or __cdc_run.before <= {LAST})"
    record = f"{KIND} = {UPSERT} and coalesce(__cdc_next_bounds, true)"
    puts = f"{record} and (__cdc_next is null or __cdc_next >= {FIRST}) and {reaches_start}"
    removes = f"not __cdc_starts and {SEQUENCE} >= {FIRST} and {reaches}"
    put = f"if({puts}, named_struct('start', __cdc_run.start, 'removed', false), null)"
    remove = f"if({removes}, named_struct('start', {SEQUENCE}, 'removed', true), null)"
    return lines.selectExpr(
        *keys,
        *shown,
        f"__cdc_next as {END_AT}",
        f"explode(filter(array({put}, {remove}), c -> c is not null)) as __cdc_change",
    ).selectExpr(
        *keys,
        *shown,
        f"__cdc_change.start as {START_AT}",
        END_AT,
        f"__cdc_change.removed as {REMOVED}",
    )


def open_records(layout: Layout, target: DataFrame) -> DataFrame:
    """What an SCD TYPE 2 target says of events so far, to a batch that is sequenced behind all of them.

    An open record is the run that such a batch may go on with or end, and holds what it may inherit. Closed ones are of
    the past, and a key without an open one begins anew.

    Args:
        layout: the columns.
        target: its rows before this batch.

    Returns:
        events as the state keeps them, one per key: an upsert where the open record started.
    """
    return target.where(f"{END_AT} is null").selectExpr(
        *names(layout.keys),
        f"{START_AT} as {SEQUENCE}",
        f"cast({UPSERT} as tinyint) as {KIND}",
        f"'' as {DIGEST}",
        *names(layout.kept),
        f"cast(null as array<string>) as {AUTHORED}",
    )


def runs(layout: Layout, events: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Mark on each event whether a run starts there, where its run started, and what follows it.

    Args:
        layout: the columns.
        events: one per sequence of a line.
        keys: quoted columns that identify a line.

    Returns:
        `events` with `__cdc_starts`, `__cdc_before` and `__cdc_next` (sequences of the neighbours), `__cdc_next_bounds`
        (the next event ends the run) and `__cdc_run` (where the run started, and the sequence before that).
    """
    window = f"over (partition by {', '.join(keys)} order by {SEQUENCE})"
    tracked_names = {name.lower() for name in layout.plan.tracked}
    tracked = [
        f"{quote_string(f.name)}, {comparable(quote_identifier(f.name), f.dataType)}"
        for f in (*layout.payload, *layout.carried)
        if f.name.lower() in tracked_names
    ]
    values = f"named_struct({', '.join(tracked)})" if tracked else "true"
    return (
        events.selectExpr("*", f"{values} as __cdc_values")
        .selectExpr(
            "*",
            f"lag({KIND}) {window} as __cdc_kind_before",
            f"lag(__cdc_values) {window} as __cdc_values_before",
            f"lag({SEQUENCE}) {window} as __cdc_before",
            f"lead({SEQUENCE}) {window} as __cdc_next",
        )
        .selectExpr(
            "*",
            f"{KIND} = {UPSERT} and (__cdc_kind_before is null or __cdc_kind_before <> {UPSERT} "
            "or not (__cdc_values <=> __cdc_values_before)) as __cdc_starts",
        )
        .selectExpr(
            "*",
            f"lead(__cdc_starts or {KIND} <> {UPSERT}) {window} as __cdc_next_bounds",
            f"last_value(if(__cdc_starts, named_struct('start', {SEQUENCE}, 'before', "
            f"__cdc_before), null), true) {window} as __cdc_run",
        )
    )
