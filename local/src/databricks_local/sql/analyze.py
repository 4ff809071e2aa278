"""ANALYZE TABLE and ANALYZE TABLES.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-aux-analyze-compute-statistics
"""

from __future__ import annotations

from dataclasses import dataclass

from databricks_local.sql.reader import Name, Reader


@dataclass(frozen=True)
class AnalyzeTable:
    """`ANALYZE TABLE t [PARTITION (…)] COMPUTE [DELTA] STATISTICS [NOSCAN | FOR COLUMNS … | FOR ALL COLUMNS]`.

    Attributes:
        name: the table.
        partition: whether PARTITION was given.
        delta: whether DELTA was given.
        columns: those of FOR COLUMNS; empty without.
        storage_metrics: whether it is COMPUTE STORAGE METRICS instead.
    """

    name: Name
    partition: bool
    delta: bool
    columns: tuple[str, ...]
    storage_metrics: bool = False


@dataclass(frozen=True)
class AnalyzeTables:
    """`ANALYZE TABLES [{IN | FROM} schema] COMPUTE STATISTICS [NOSCAN]`; without a schema it is the current one."""

    schema: Name | None


def parse_analyze_table(reader: Reader) -> AnalyzeTable:
    """Parse from `ANALYZE TABLE` on.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR names what was expected.
    """
    reader.expect_words("ANALYZE", "TABLE")
    name = reader.name()
    partition = reader.accept_words("PARTITION")
    if partition:
        reader.skip_group()
    reader.expect_words("COMPUTE")
    if reader.accept_words("STORAGE", "METRICS"):
        return AnalyzeTable(name, partition, delta=False, columns=(), storage_metrics=True)
    delta = reader.accept_words("DELTA")
    reader.expect_words("STATISTICS")
    columns: list[str] = []
    if reader.accept_words("FOR"):
        if not reader.accept_words("ALL", "COLUMNS"):
            reader.expect_words("COLUMNS")
            columns.append(reader.identifier())
            while reader.accept_symbol(","):
                columns.append(reader.identifier())
    else:
        reader.accept_words("NOSCAN")
    reader.expect_end()
    return AnalyzeTable(name, partition, delta, tuple(columns))


def parse_analyze_tables(reader: Reader) -> AnalyzeTables:
    """Parse from `ANALYZE TABLES` on.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR names what was expected.
    """
    reader.expect_words("ANALYZE", "TABLES")
    schema = reader.name() if reader.accept_words("IN") or reader.accept_words("FROM") else None
    reader.expect_words("COMPUTE", "STATISTICS")
    reader.accept_words("NOSCAN")
    reader.expect_end()
    return AnalyzeTables(schema)
