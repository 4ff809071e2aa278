"""What a CREATE statement attaches to its table beside Delta's own metadata: masks, row filter, keys.

Kinds of annotation in the catalog file: `mask` (column), `row_filter`, `key` (PRIMARY KEY, FOREIGN KEY), `tag`.
"""

from __future__ import annotations

from databricks_local.execution.context import Context, Relation
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.materialized_view import CreateMaterializedView
from databricks_local.sql.reader import Name
from databricks_local.sql.streaming_table import (
    ColumnMask,
    CreateStreamingTable,
    KeyConstraint,
    RowFilter,
)

TABLE = "TABLE"
COLUMN = "COLUMN"
MASK = "mask"
ROW_FILTER = "row_filter"
KEY = "key"
TAG = "tag"


def declare(context: Context, relation: Relation, statement: CreateStreamingTable | CreateMaterializedView) -> None:
    """Make masks, filter and keys exactly those of the statement; what it does not name is removed."""
    clear(context, relation)
    for column in statement.columns:
        if column.mask is not None:
            set_mask(context, relation, column.name, column.mask)
    if statement.clauses.row_filter is not None:
        set_row_filter(context, relation, statement.clauses.row_filter)
    for key in statement.key_constraints:
        add_key(context, relation, key)


def clear(context: Context, relation: Relation) -> None:
    """Remove masks, filter and keys; tags stay, as they do when Databricks replaces a table."""
    with context.store.transaction():
        context.store.unannotate(COLUMN, relation.database, relation.table, MASK)
        context.store.unannotate(TABLE, relation.database, relation.table, ROW_FILTER)
        context.store.unannotate(TABLE, relation.database, relation.table, KEY)


def set_mask(context: Context, relation: Relation, column: str, mask: ColumnMask) -> None:
    """Attach a mask to a column, in place of another one."""
    body = {"function": list(_function(context, mask.function.parts)), "using": list(mask.using)}
    context.store.annotate(COLUMN, relation.database, relation.table, MASK, body, column=column)


def set_row_filter(context: Context, relation: Relation, row_filter: RowFilter) -> None:
    """Attach a row filter to a table, in place of another one."""
    body = {
        "function": list(_function(context, row_filter.function.parts)),
        "columns": list(row_filter.columns),
    }
    context.store.annotate(TABLE, relation.database, relation.table, ROW_FILTER, body)


def add_key(context: Context, relation: Relation, key: KeyConstraint) -> None:
    """Record an informational key; Databricks does not enforce it either."""
    name = key.name or f"{relation.table}_{'pk' if key.kind == 'PRIMARY KEY' else 'fk'}"
    referenced = None
    if key.references is not None:
        target = context.resolve(key.references)
        referenced = [target.database, target.table, list(key.referenced_columns)]
    body = {"kind": key.kind, "columns": list(key.columns), "references": referenced}
    context.store.annotate(TABLE, relation.database, relation.table, KEY, body, key=name)


def _function(context: Context, parts: tuple[str, ...]) -> tuple[str, ...]:
    """A function's full name: catalog, schema, name."""
    relation = context.resolve(Name(parts))
    return (CATALOG, relation.database, relation.table)
