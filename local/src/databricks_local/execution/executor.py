"""The way of a statement: the first handler that knows it, or Spark, or a refusal by name."""

from __future__ import annotations

import os

from databricks_local.errors import from_spark, refused
from databricks_local.execution import (
    analyze,
    conditions,
    describe,
    governance,
    governed_paths,
    inserts,
    materialized_view,
    not_null,
    streaming_table,
    tables,
)
from databricks_local.execution.context import Context, Outcome
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.queries import runnable
from databricks_local.sql.reader import Reader

# Statements of Databricks SQL that neither Spark nor this executor knows. Spark would answer with a syntax error,
# which tells a reader to look for a typo; the name tells them to look at the table in README.md.
_UNKNOWN: tuple[tuple[str, ...], ...] = (
    ("CREATE", "FLOW"), ("CREATE", "VOLUME"), ("CREATE", "EXTERNAL", "VOLUME"), ("DROP", "VOLUME"),
    ("CREATE", "CATALOG"), ("DROP", "CATALOG"), ("CREATE", "CONNECTION"), ("CREATE", "FOREIGN", "CATALOG"),
    ("CREATE", "SHARE"), ("CREATE", "RECIPIENT"), ("CREATE", "PROVIDER"), ("CREATE", "EXTERNAL", "LOCATION"),
    ("CREATE", "SERVER"), ("CREATE", "BLOOMFILTER"), ("CREATE", "BLOOM", "FILTER"), ("UNDROP",),
    ("SYNC",), ("FSCK",), ("LIST",), ("PUT",), ("GET",), ("REMOVE",), ("REPAIR", "PRIVILEGES"),
    ("CREATE", "POLICY"), ("CREATE", "OR", "REPLACE", "POLICY"), ("DROP", "POLICY"), ("DENY",),
    ("CREATE", "PROCEDURE"), ("CREATE", "OR", "REPLACE", "PROCEDURE"), ("CALL",),
)  # fmt: skip


def _unknown(context: Context, reader: Reader) -> Outcome:
    words = next(words for words in _UNKNOWN if reader.at_words(*words))
    name = " ".join(words)
    raise refused(
        f"UNSUPPORTED_STATEMENT.{'_'.join(words)}",
        f"{name} is a statement of Databricks that the local executor does not run; "
        "the statements it runs are listed in the README of dbt-databricks-local",
    )


def _copy_into(context: Context, reader: Reader) -> Outcome:
    from databricks_local.files.copy_into import copy_into
    from databricks_local.sql.copy_into import parse_copy_into

    statement = parse_copy_into(reader.sql)
    governance.refuse_on_kinds(context, reader)
    for path in [os.path.join(statement.path, name) for name in statement.files] or [statement.path]:
        governed_paths.refuse_path(context, path)
    governed_paths.refuse_name(context, statement.target)
    return copy_into(context.spark, statement, ledger=context.warehouse.internal / "copy_into")


_HANDLERS: list[Handler] = [
    *streaming_table.HANDLERS,
    *materialized_view.HANDLERS,
    *not_null.HANDLERS,
    *tables.RENAME_HANDLERS,
    *analyze.HANDLERS,
    *governance.HANDLERS,
    *describe.HANDLERS,
    *tables.HANDLERS,
    *inserts.HANDLERS,
    Handler(begins(("COPY", "INTO")), _copy_into),
    Handler(begins(*_UNKNOWN), _unknown),
]


def execute(context: Context, sql: str) -> Outcome:
    """Execute one statement.

    Args:
        context: the connection's session.
        sql: one statement of Databricks SQL, parameters already bound.

    Raises:
        DatabaseError: one of errors.py, carrying Spark's error class.
    """
    try:
        reader = Reader(sql)
        governed_paths.refuse_locations(context, reader.tokens)
        for handler in _HANDLERS:
            if handler.matches(reader):
                return handler.run(context, reader)
        return _pass_through(context, reader)
    except Exception as error:
        raise from_spark(error) from error


def _pass_through(context: Context, reader: Reader) -> Outcome:
    governance.refuse_on_kinds(context, reader)
    # A SELECT is planned here and read by the caller: its temporary views are no longer needed once it is analyzed.
    with runnable(context, reader.sql) as sql:
        try:
            return context.sql(sql)
        except Exception as error:
            if not conditions.is_unlisted(from_spark(error)):
                raise
        # The analysis failed, so nothing was done: it fails again, in the words of Delta's condition.
        conditions.list_delta_conditions(context.spark)
        return context.sql(sql)
