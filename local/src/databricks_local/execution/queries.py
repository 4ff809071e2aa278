"""A statement made ready for Spark: its sources in place, identity functions answered, and, for a principal, masks
and row filters applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from databricks_local.execution import secured, sources
from databricks_local.execution.context import Context


@contextmanager
def runnable(context: Context, sql: str) -> Iterator[str]:
    """The statement's text for Spark; the temporary views that it names live as long as the block.

    Args:
        context: the session.
        sql: a query, or a statement that contains one.

    Raises:
        DatabaseError: a source that cannot be read, or that the principal may not read this way.
    """
    prepared = sources.prepare(context, sql)
    try:
        safe = secured.secure(context, prepared.sql)
        try:
            yield safe.sql
        finally:
            safe.drop_views(context)
    finally:
        prepared.drop_views(context)
