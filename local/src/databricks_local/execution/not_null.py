"""ALTER TABLE … ALTER COLUMN … SET NOT NULL, which Databricks has for Delta tables and open Delta has not.

https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-alter-table-manage-column: the existing
rows are checked first.
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql.types import StructField, StructType

from databricks_local.errors import IntegrityError, invalid
from databricks_local.execution import governance
from databricks_local.execution.context import Context, Outcome, Relation
from databricks_local.execution.handlers import Handler
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import quote_identifier


def _parse(reader: Reader) -> tuple[Name, str] | None:
    """The table and the column of the statement; None for any other ALTER TABLE."""
    if not reader.accept_words("ALTER", "TABLE"):
        return None
    name = reader.name()
    if not (reader.accept_words("ALTER") or reader.accept_words("CHANGE")):
        return None
    reader.accept_words("COLUMN")
    column = reader.identifier()
    if not reader.accept_words("SET", "NOT", "NULL") or not reader.at_end:
        return None
    return name, column


def _is_set_not_null(reader: Reader) -> bool:
    return reader.at_words("ALTER", "TABLE") and _parse(Reader(reader.sql)) is not None


def _set_not_null(context: Context, reader: Reader) -> Outcome:
    governance.refuse_on_kinds(context, reader)
    parsed = _parse(reader)
    assert parsed is not None
    relation = context.resolve(parsed[0])
    if not context.exists(relation):
        raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"the table {relation} cannot be found")
    _commit(context, relation, parsed[1])
    return None


def _commit(context: Context, relation: Relation, column: str) -> None:
    """Check the rows of one version and change the column in the next commit; a write in between fails it."""
    jvm: Any = context.spark.sparkContext._jvm
    delta = jvm.org.apache.spark.sql.delta
    option = jvm.scala.Option
    identifier = jvm.org.apache.spark.sql.catalyst.TableIdentifier(relation.table, option.apply(relation.database))
    log = delta.DeltaLog.forTable(context.spark._jsparkSession, identifier)
    transaction = log.startTransaction(option.empty(), option.empty())
    transaction.readWholeTable()
    metadata = transaction.metadata()
    schema = StructType.fromJson(json.loads(metadata.schemaString()))
    field = _field(relation, schema, column)
    if not field.nullable:
        return
    nulls = context.rows(
        f"SELECT count(*) FROM {relation.quoted()} VERSION AS OF {transaction.readVersion()} "
        f"WHERE {quote_identifier(field.name)} IS NULL"
    )[0][0]
    if nulls:
        error = IntegrityError(
            f"[DELTA_NEW_NOT_NULL_VIOLATION] {nulls} rows in {relation} violate the new NOT NULL constraint on "
            f"{field.name}"
        )
        error.tagged("DELTA_NEW_NOT_NULL_VIOLATION", "23512")
        raise error
    field.nullable = False
    changed = metadata.copy(
        metadata.id(), metadata.name(), metadata.description(), metadata.format(), schema.json(),
        metadata.partitionColumns(), metadata.configuration(), metadata.createdTime(),
    )  # fmt: skip
    transaction.updateMetadata(changed, False)
    operation = getattr(getattr(delta, "DeltaOperations$ManualUpdate$"), "MODULE$")
    no_actions = jvm.org.apache.spark.api.python.PythonUtils.toSeq(jvm.java.util.ArrayList())
    transaction.commit(no_actions, operation)


def _field(relation: Relation, schema: StructType, column: str) -> StructField:
    for field in schema.fields:
        if field.name.lower() == column.lower():
            return field
    raise invalid("UNRESOLVED_COLUMN", f"{relation} has no column {column}; it has {', '.join(schema.fieldNames())}")


HANDLERS = [Handler(_is_set_not_null, _set_not_null)]
