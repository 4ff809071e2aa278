"""A target table under test: the statement is parsed, each batch is a plain DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from databricks_local.auto_cdc import TARGET_PROPERTIES, BatchCounts, apply, resolve
from databricks_local.auto_cdc.plan import CdcPlan
from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import parse_create_streaming_table


def schema_of(spark: SparkSession, ddl: str) -> StructType:
    """A schema from SQL text, any name and type."""
    return StructType.fromDDL(ddl) if spark else StructType()


def plan_of(spark: SparkSession, source: str, clauses: str, columns: str = "") -> CdcPlan:
    """The plan of `FLOW AUTO CDC FROM STREAM(s) <clauses>` over a source of this schema."""
    statement = parse_create_streaming_table(
        Reader(f"create or refresh streaming table t {columns} flow auto cdc from stream(s) {clauses}")
    )
    assert statement.auto_cdc is not None
    return resolve(statement.auto_cdc, schema_of(spark, source), statement.columns)


class Table:
    """One target with its state."""

    def __init__(self, spark: SparkSession, path: Path, source: str, clauses: str, columns: str = "") -> None:
        self.spark = spark
        self.path = path
        self.name = f"delta.`{path / 'target'}`"
        self.state = path / "state"
        self.next_batch = 0
        self.change_source(source, clauses, columns)
        writer = spark.createDataFrame([], self.plan.output_schema).write.format("delta")
        writer = writer.options(**TARGET_PROPERTIES, **{"delta.columnMapping.mode": "name"})
        writer.save(str(path / "target"))

    def change_source(self, source: str, clauses: str, columns: str = "") -> None:
        """Give the flow another source schema or other clauses, as a new run would."""
        self.schema = schema_of(self.spark, source)
        self.plan = plan_of(self.spark, source, clauses, columns)

    def frame(self, rows: Sequence[Sequence[Any]]) -> DataFrame:
        """Rows of the source."""
        return self.spark.createDataFrame([tuple(row) for row in rows], self.schema)

    def apply(self, *rows: Sequence[Any], batch_id: int | None = None, **options: Any) -> BatchCounts:
        """Apply rows as one batch."""
        return self.apply_frame(self.frame(rows), batch_id=batch_id, **options)

    def apply_frame(self, frame: DataFrame, *, batch_id: int | None = None, **options: Any) -> BatchCounts:
        """Apply a DataFrame as one batch, by default with the next batch id."""
        number = self.next_batch if batch_id is None else batch_id
        counts = apply(
            self.spark,
            self.plan,
            frame,
            target=self.name,
            state=self.state,
            batch_id=number,
            application_id="flow",
            **options,
        )
        self.next_batch = max(self.next_batch, number + 1)
        return counts

    def rows(self, select: str = "*") -> list[tuple[Any, ...]]:
        """What a query shows, sorted."""
        found = self.spark.sql(f"select {select} from {self.name}").collect()
        return sorted((tuple(row) for row in found), key=repr)

    @property
    def commits(self) -> int:
        """How many commits the target has."""
        return self.spark.sql(f"describe history {self.name}").count()
