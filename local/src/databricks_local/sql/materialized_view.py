"""CREATE [OR REPLACE] MATERIALIZED VIEW.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-materialized-view.
"""

from __future__ import annotations

from dataclasses import dataclass

from databricks_local.errors import refused
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.streaming_table import (
    ColumnDefinition,
    KeyConstraint,
    TableClauses,
    parse_column_list,
    parse_table_clauses,
)


@dataclass(frozen=True)
class CreateMaterializedView:
    """A whole CREATE statement."""

    name: Name
    or_replace: bool
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...]
    key_constraints: tuple[KeyConstraint, ...]
    clauses: TableClauses
    query: str
    sql: str


def parse_create_materialized_view(reader: Reader) -> CreateMaterializedView:
    """Parse from `CREATE` on.

    Raises:
        NotSupportedError: expectations, which Databricks SQL has on streaming tables only.
    """
    reader.expect_words("CREATE")
    or_replace = reader.accept_words("OR", "REPLACE")
    reader.expect_words("MATERIALIZED", "VIEW")
    if_not_exists = reader.accept_words("IF", "NOT", "EXISTS")
    name = reader.name()
    columns, expectations, keys = parse_column_list(reader) if reader.at_symbol("(") else ((), (), ())
    if expectations:
        raise refused(
            "EXPECTATIONS_NOT_SUPPORTED",
            f"materialized view {name}: expectations are for streaming tables; use a test or a filter",
        )
    clauses = parse_table_clauses(reader, until=("AS",))
    reader.expect_words("AS")
    return CreateMaterializedView(name, or_replace, if_not_exists, columns, keys, clauses, reader.rest(), reader.sql)
