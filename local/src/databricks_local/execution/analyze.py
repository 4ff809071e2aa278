"""ANALYZE of Delta tables: checked, and nothing beyond.

Delta keeps row counts, and minimum, maximum and count of NULLs of the columns, in its log at every commit, and reads
them from there when it plans a query and skips files. The statistics that ANALYZE adds to them on Databricks, such as
the number of distinct values, are for an optimizer that open Delta has not; Spark refuses the statement for a Delta
table. COMPUTE DELTA STATISTICS does not rewrite those of older commits either, so a column that
`delta.dataSkippingStatsColumns` names later has them from then on.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-aux-analyze-compute-statistics
"""

from __future__ import annotations

from databricks_local.catalog.mirror import VIEW
from databricks_local.errors import invalid, refused
from databricks_local.execution import catalog_entries, governance
from databricks_local.execution.context import Context, Outcome
from databricks_local.execution.handlers import Handler, begins
from databricks_local.sql.analyze import parse_analyze_table, parse_analyze_tables
from databricks_local.sql.reader import Reader


def _analyze_table(context: Context, reader: Reader) -> Outcome:
    governance.refuse_on_kinds(context, reader)
    statement = parse_analyze_table(reader)
    if statement.storage_metrics:
        raise refused(
            "UNSUPPORTED_STATEMENT.ANALYZE_TABLE_COMPUTE_STORAGE_METRICS",
            f"ANALYZE TABLE {statement.name} COMPUTE STORAGE METRICS is not executed by a local warehouse; "
            "DESCRIBE DETAIL tells the size of a table",
        )
    if len(statement.name.parts) == 1 and context.is_temporary_view(statement.name.table):
        return context.sql(reader.sql)
    entry = catalog_entries.entry(context, context.resolve(statement.name))
    if entry.kind == VIEW:
        raise refused(
            "UNSUPPORTED_FEATURE.ANALYZE_VIEW",
            f"ANALYZE TABLE does not support views, and {entry.relation} is one; analyze the tables that it reads",
        )
    if entry.provider != "delta":
        if statement.delta:
            raise invalid("DELTA_TABLE_ONLY_OPERATION", f"{entry.relation} is no Delta table; leave out DELTA")
        return context.sql(reader.sql)
    if statement.partition:
        raise refused(
            "UNSUPPORTED_FEATURE.ANALYZE_PARTITION",
            f"PARTITION is not supported for Delta tables, and {entry.relation} is one; analyze the whole table",
        )
    for column in statement.columns:
        entry.column(column)
    return None


def _analyze_tables(context: Context, reader: Reader) -> Outcome:
    """The views, streaming tables and materialized views of the schema are passed over."""
    schema = parse_analyze_tables(reader).schema
    if schema is not None:
        governance.existing_schema(context, schema.parts)
    return None


HANDLERS = [
    Handler(begins(("ANALYZE", "TABLE")), _analyze_table),
    Handler(begins(("ANALYZE", "TABLES")), _analyze_tables),
]
