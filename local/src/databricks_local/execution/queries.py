"""A statement made ready for Spark: its sources in place, identity functions answered, and, for a principal, masks
and row filters applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from databricks_local.execution import secured, sources
from databricks_local.execution.context import Context
from databricks_local.execution.prepared import PreparedQuery


@contextmanager
def prepared(context: Context, sql: str, *, state: Path | None = None) -> Iterator[PreparedQuery]:
    """A query ready for Spark; the temporary views that it names live as long as the block.

    Args:
        context: the session, and whose masks and row filters apply.
        sql: a query, or a statement that contains one.
        state: directory of a streaming table for what its file sources remember; None outside of one.

    Raises:
        DatabaseError: a source that cannot be read, or that the principal may not read this way.
    """
    query = sources.prepare(context, sql, state=state)
    try:
        safe = secured.secure(context, query.sql)
        query.sql = safe.sql
        try:
            yield query
        finally:
            safe.drop_views(context)
    finally:
        query.drop_views(context)


@contextmanager
def runnable(context: Context, sql: str) -> Iterator[str]:
    """The text of a statement ready for Spark, in the way of `prepared`."""
    with prepared(context, sql) as query:
        yield query.sql
