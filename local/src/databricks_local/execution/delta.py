"""What the Delta log says of a table, asked directly rather than by a query."""

from __future__ import annotations

from typing import Any

from pyspark.sql.types import StructField, StructType

from databricks_local.execution.context import Context, Relation
from databricks_local.sql.tokens import quote_identifier, quote_string

# Characters that Parquet cannot have in a column name; such a table needs column mapping.
_NEEDS_COLUMN_MAPPING = set(" ,;{}()\n\t=.")


def snapshot(context: Context, relation: Relation) -> Any:
    """The current snapshot of a Delta table (org.apache.spark.sql.delta.Snapshot)."""
    jvm: Any = context.spark.sparkContext._jvm
    identifier = jvm.org.apache.spark.sql.catalyst.TableIdentifier(
        relation.table, jvm.scala.Option.apply(relation.database)
    )
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(context.spark._jsparkSession, identifier)
    return log.update(False, jvm.scala.Option.empty(), jvm.scala.Option.empty())


def table_id(context: Context, relation: Relation) -> str:
    """The identity that Delta gives a table when it is created; a recreated table has another."""
    return str(snapshot(context, relation).metadata().id())


def version(context: Context, relation: Relation) -> int:
    """The number of the last commit."""
    return int(snapshot(context, relation).version())


def table_schema(context: Context, relation: Relation) -> StructType:
    """The columns of a table."""
    return context.spark.table(relation.quoted()).schema


def type_text(context: Context, field: StructField) -> str:
    """A column's type in SQL, nested names quoted where they must be."""
    jvm: Any = context.spark.sparkContext._jvm
    return str(jvm.org.apache.spark.sql.types.DataType.fromJson(field.dataType.json()).sql())


def column_text(
    name: str,
    data_type: str,
    *,
    not_null: bool = False,
    comment: str | None = None,
    generated_as: str | None = None,
) -> str:
    """One column of a CREATE TABLE."""
    text = f"{quote_identifier(name)} {data_type}"
    if generated_as is not None:
        text += f" GENERATED ALWAYS AS ({generated_as})"
    if not_null:
        text += " NOT NULL"
    if comment is not None:
        text += f" COMMENT {quote_string(comment)}"
    return text


def properties_text(properties: dict[str, str]) -> str:
    """`(key = value, …)` of a TBLPROPERTIES clause."""
    return "(" + ", ".join(f"{quote_string(k)} = {quote_string(v)}" for k, v in properties.items()) + ")"


def needs_column_mapping(names: list[str]) -> bool:
    """Whether a column name has a character that only column mapping allows."""
    return any(_NEEDS_COLUMN_MAPPING & set(name) for name in names)


def column_mapping_properties(names: list[str]) -> dict[str, str]:
    """The properties that a table with such names needs; empty for ordinary names."""
    return {"delta.columnMapping.mode": "name"} if needs_column_mapping(names) else {}
