"""The target table: its columns follow the source, and each batch reaches it as one MERGE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from databricks_local.auto_cdc.layout import REMOVED, Layout
from databricks_local.auto_cdc.plan import END_AT, START_AT, SYSTEM_END_AT, SYSTEM_START_AT
from databricks_local.auto_cdc.types import ddl, equal
from databricks_local.runtime.session import session_conf
from databricks_local.sql.tokens import quote_identifier

TARGET_PROPERTIES: Mapping[str, str] = {"delta.enableDeletionVectors": "true"}
"""Properties to create a target with: a MERGE then writes the changed rows only, not the files
around them.
"""


@dataclass(frozen=True)
class Merged:
    """Rows of the target that one MERGE changed."""

    inserted: int
    updated: int
    deleted: int


def columns_of(spark: SparkSession, table: str) -> list[StructField]:
    """The columns of a table."""
    return list(spark.table(table).schema.fields)


def evolve(spark: SparkSession, table: str, wanted: Sequence[StructField]) -> None:
    """Add what a table has not: columns, and fields inside structs. Existing rows hold NULL there."""
    existing = {f.name.lower(): f for f in columns_of(spark, table)}

    def is_new(field: StructField) -> bool:
        found = existing.get(field.name.lower())
        return found is None or ddl(found.dataType) != ddl(field.dataType)

    if any(is_new(field) for field in wanted):
        empty = spark.createDataFrame([], StructType(list(wanted)))
        empty.writeTo(table).option("mergeSchema", "true").append()


def size_in_bytes(spark: SparkSession, table: str) -> int:
    """The size of a table's data files."""
    return int(spark.table(table)._jdf.queryExecution().optimizedPlan().stats().sizeInBytes())


def merge(target: str, layout: Layout, changes: DataFrame, *, open_only: bool = False) -> Merged:
    """Bring changes into the target in one commit; rows that would not change are not written.

    Args:
        target: quoted name, or delta.`path`.
        layout: the columns.
        changes: keys, content columns, for a history `__START_AT` and `__END_AT`, for BITEMPORAL
            `__SYSTEM_START_AT` and `__SYSTEM_END_AT`, and `__cdc_removed`; read more than once.
        open_only: whether no record of a history that is closed changes, so that none needs to be read.
    """
    plan = layout.plan
    fields = [*layout.payload, *layout.carried]
    starts = []
    if plan.keeps_history:
        starts.append(START_AT)
        fields.append(StructField(END_AT, plan.sequence_type))
    if plan.system_sequence_type is not None:
        starts.append(SYSTEM_START_AT)
        fields.append(StructField(SYSTEM_END_AT, plan.system_sequence_type))
    on = " and ".join(
        [
            layout.same_key("t", "s"),
            *(f"t.{start} = s.{start}" for start in starts),
            *([f"t.{END_AT} is null"] if open_only else []),
        ]
    )
    differs = " or ".join(
        f"not {equal(f't.{quote_identifier(f.name)}', f's.{quote_identifier(f.name)}', f.dataType)}" for f in fields
    )
    assignments = ", ".join(f"t.{quote_identifier(f.name)} = s.{quote_identifier(f.name)}" for f in fields)
    inserted = [*(quote_identifier(f.name) for f in (*layout.keys, *fields)), *starts]
    view = f"__cdc_changes_{uuid4().hex}"
    spark = changes.sparkSession
    changes.createOrReplaceTempView(view)
    try:
        with session_conf(spark, {"spark.databricks.delta.merge.materializeSource": "none"}):
            row = spark.sql(
                f"merge into {target} t using {view} s on {on} "
                f"when matched and s.{REMOVED} then delete "
                + (f"when matched and ({differs}) then update set {assignments} " if fields else "")
                + f"when not matched and not s.{REMOVED} then insert ({', '.join(inserted)}) "
                f"values ({', '.join(f's.{name}' for name in inserted)})"
            ).first()
    finally:
        spark.catalog.dropTempView(view)
    assert row is not None  # MERGE reports one row of counts
    return Merged(row["num_inserted_rows"], row["num_updated_rows"], row["num_deleted_rows"])
