"""Silver against the simulator's truth, compared where the data is: by SQL, row for row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Silver table by truth file. Columns that silver adds (where a row came from, when it was known) are not compared.
TABLES: dict[str, str] = {
    "customers": "customers_current",
    "customers_history": "customers_history",
    "purchase_trends": "purchase_trends",
    "checking_accounts": "checking_accounts",
}


@dataclass(frozen=True)
class Comparison:
    """How one silver table compares with the truth.

    Attributes:
        table: the silver table.
        rows: how many rows it has.
        missing: rows of the truth that it lacks.
        unexpected: rows that it has and the truth has not.
    """

    table: str
    rows: int
    missing: int
    unexpected: int

    @property
    def equal(self) -> bool:
        """Whether table and truth hold the same rows, each as often."""
        return self.missing == 0 and self.unexpected == 0


def compare_with_truth(cursor: Any, schema: str, truth: Path) -> list[Comparison]:
    """Compare every silver table of the slice with the truth.

    Args:
        cursor: a DB-API cursor on the warehouse.
        schema: the schema of the silver tables.
        truth: the simulator's directory of that name.

    Raises:
        FileNotFoundError: a truth file is missing.
    """
    return [_compare(cursor, schema, table, truth / f"{name}.jsonl") for table, name in TABLES.items()]


def _compare(cursor: Any, schema: str, table: str, file: Path) -> Comparison:
    if not file.exists():
        raise FileNotFoundError(f"{file}: the simulator writes it; run `nextbest simulate` first")
    cursor.execute(f"describe table {schema}.{table}")
    types = {row[0]: row[1] for row in cursor.fetchall() if row[0] and not row[0].startswith("#")}
    with file.open(encoding="utf-8") as lines:
        first = lines.readline()
    columns = [name for name in types if f'"{name}":' in first] if first else list(types)
    listed = ", ".join(columns)
    declared = ", ".join(f"{name} {types[name]}" for name in columns)
    path = str(file.resolve()).replace("'", "\\'")
    silver = f"select {listed} from {schema}.{table}"
    actual = f"select {listed} from read_files('{path}', format => 'json', schema => '{declared}')"
    cursor.execute(
        f"select (select count(*) from ({silver})), "
        f"(select count(*) from ({actual} except all {silver})), "
        f"(select count(*) from ({silver} except all {actual}))"
    )
    rows, missing, unexpected = cursor.fetchone()
    return Comparison(table, rows, missing, unexpected)
