"""Partial updates: the effective values of an event are those that it authored, and for the rest
the last ones authored.

A delete resets: what came before it is not inherited. Under IGNORE NULL UPDATES a NULL is not
authored, leaf by leaf in structs, while arrays and maps are leaves; under COLUMNS TO UPDATE a row
authors the columns that it names, explicit NULLs included, and all of them where the array is NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from databricks_local.auto_cdc.layout import AUTHORED, DELETE, KIND, SEQUENCE, Layout
from databricks_local.sql.tokens import quote_identifier, quote_string


def effective(layout: Layout, events: DataFrame, line: Sequence[str]) -> DataFrame:
    """Replace the payload of each event by its effective values.

    Args:
        layout: the columns.
        events: one row per sequence of a line, deletes included.
        line: quoted columns that identify a line: the keys, and what else divides their events.
    """
    if not layout.plan.inherits:
        return events
    keys = ", ".join(line)
    lives = f"count_if({KIND} = {DELETE}) over (partition by {keys} order by {SEQUENCE})"
    window = f"over (partition by {keys}, __cdc_life order by {SEQUENCE})"
    covered = {name.lower() for name in layout.plan.ignore_null}

    def value(name: str, data_type: DataType) -> str:
        column = quote_identifier(name)
        if layout.plan.columns_to_update is not None:
            if name.lower() == layout.plan.columns_to_update.lower():
                return column
            authored = f"{AUTHORED} is null or array_contains({AUTHORED}, {quote_string(name.lower())})"
            cell = f"if({KIND} <> {DELETE} and ({authored}), named_struct('v', {column}), null)"
            return f"(last_value({cell}, true) {window}).v"
        return _inherited(column, data_type, window) if name.lower() in covered else column

    types = {f.name: f.dataType for f in layout.payload}
    return events.selectExpr("*", f"{lives} as __cdc_life").selectExpr(
        *(
            f"{value(name, types[name])} as {quote_identifier(name)}" if name in types else quote_identifier(name)
            for name in events.columns
        )
    )


def _inherited(value: str, data_type: DataType, window: str) -> str:
    if not isinstance(data_type, StructType) or not data_type.fields:
        # An event that a truncate covers counts as a delete but still carries values.
        return f"last_value(if({KIND} <> {DELETE}, {value}, null), true) {window}"
    return _without_empty(_struct(value, data_type, window), data_type)


def _struct(value: str, data_type: StructType, window: str) -> str:
    fields = ", ".join(
        f"{quote_string(f.name)}, {_inherited(f'{value}.{quote_identifier(f.name)}', f.dataType, window)}"
        for f in data_type.fields
    )
    return f"named_struct({fields})"


def _without_empty(struct: str, data_type: StructType) -> str:
    nothing = " and ".join(f"s.{quote_identifier(f.name)} is null" for f in data_type.fields)
    return f"transform(array({struct}), s -> if({nothing}, null, s))[0]"
