"""Tables and views as `information_schema` and DESCRIBE show them, gathered from where each fact is
kept.

Spark's in-memory catalog knows a Delta table by its place only; columns, comment and properties are
in its log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DayTimeIntervalType,
    MapType,
    StringType,
    StructField,
    StructType,
    YearMonthIntervalType,
)

from databricks_local.catalog.mirror import VIEW
from databricks_local.catalog.store import Definition, StoredTable
from databricks_local.errors import invalid
from databricks_local.execution import annotations as attached
from databricks_local.execution import delta
from databricks_local.execution.context import Context, Relation
from databricks_local.execution.delta_log import DeltaMetadata, read_metadata
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.materialized_view import parse_create_materialized_view
from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import parse_create_streaming_table

OWNER = "owner"
VIEW_TEXT = "view_text"

_CHAR_VARCHAR = "__CHAR_VARCHAR_TYPE_STRING"
_DEFAULT = "CURRENT_DEFAULT"
_GENERATED = "delta.generationExpression"
_INTERNAL_PREFIX = "view."


@dataclass(frozen=True)
class Column:
    """A column: `text` is its type in SQL, lower case; `nullable` is False for NOT NULL."""

    name: str
    data_type: DataType
    text: str
    nullable: bool
    comment: str | None
    default: str | None


class CatalogEntry:
    """One table or view; what needs its Delta log or Spark's entry is read when asked for.

    Attributes:
        relation: its name.
        kind: `MANAGED`, `EXTERNAL` or `VIEW`, as Spark keeps it.
        location: local path or URI; None for a view.
        definition: of a streaming table or materialized view.
        owner: who owns it.
        created: when it was created, UTC.
        altered: when its entry changed last, UTC.
    """

    def __init__(
        self,
        context: Context,
        stored: StoredTable,
        definition: Definition | None,
        owner: str | None,
    ) -> None:
        self._context = context
        self.relation = Relation(stored.database, stored.name)
        self.kind = stored.kind
        self.location = stored.location
        self.definition = definition
        self.owner = owner or stored.owner
        self.created = stored.created_at
        self.altered = stored.altered_at

    @cached_property
    def delta(self) -> DeltaMetadata | None:
        """What the Delta log says; None for a view or another format."""
        if self.kind == VIEW or self.location is None:
            return None
        if "://" not in self.location:
            return read_metadata(Path(self.location))
        return _remote_metadata(self._context, self) if self.provider == "delta" else None

    @cached_property
    def _entry(self) -> Any:
        return self._context.warehouse.mirror.external.getTable(self.relation.database, self.relation.table)

    @property
    def table_type(self) -> str:
        """One of the table types of https://docs.databricks.com/aws/en/sql/language-manual/information-schema/tables."""
        if self.definition is not None:
            return self.definition.kind.replace(" ", "_")
        if self.delta is not None and self.delta.shallow_clone:
            return f"{self.kind}_SHALLOW_CLONE"
        return self.kind

    @cached_property
    def provider(self) -> str | None:
        """The data source in lower case; None for a view."""
        if self.kind == VIEW:
            return None
        if self.location is not None and "://" not in self.location and self.delta is not None:
            return "delta"
        provider = self._entry.provider()
        return str(provider.get()).lower() if provider.isDefined() else None

    @property
    def comment(self) -> str | None:
        """The comment of the table or view."""
        if self.delta is not None:
            return self.delta.description
        comment = self._entry.comment()
        return str(comment.get()) if comment.isDefined() else None

    @property
    def last_altered(self) -> datetime:
        """The last commit of a Delta table; otherwise when the entry changed."""
        return self.altered if self.delta is None else self.delta.modified

    @property
    def schema(self) -> StructType:
        """The columns as Spark types, nullability and metadata included."""
        if self.delta is not None:
            return self.delta.schema
        return StructType.fromJson(json.loads(self._entry.schema().json()))

    @cached_property
    def columns(self) -> list[Column]:
        """The columns in order."""
        return [_column(field) for field in self.schema.fields]

    def column(self, name: str) -> Column:
        """A column by its name in any case.

        Raises:
            ProgrammingError: UNRESOLVED_COLUMN names it, and the columns that are there.
        """
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        known = ", ".join(column.name for column in self.columns)
        raise invalid("UNRESOLVED_COLUMN", f"{self.relation} has no column {name}; it has {known}")

    @property
    def partition_columns(self) -> tuple[str, ...]:
        """Partitioning columns, in order."""
        if self.delta is not None:
            return self.delta.partition_columns
        names = self._entry.partitionColumnNames()
        return tuple(str(names.apply(i)) for i in range(names.size()))

    @property
    def clustering_columns(self) -> tuple[str, ...]:
        """Liquid clustering columns, in order."""
        return () if self.delta is None else self.delta.clustering_columns

    @property
    def properties(self) -> dict[str, str]:
        """Table properties that are set, sorted; Spark's own entries of a view left out."""
        if self.delta is not None:
            found = self.delta.configuration
        else:
            iterator = self._entry.properties().iterator()
            found = {}
            while iterator.hasNext():
                pair = iterator.next()
                found[str(pair._1())] = str(pair._2())
        return {key: found[key] for key in sorted(found) if not key.startswith(_INTERNAL_PREFIX)}

    @property
    def view_text(self) -> str | None:
        """The query of a view, a materialized view or a streaming table, as it was written."""
        if self.definition is not None:
            reader = Reader(self.definition.body["sql"])
            if self.definition.kind == "MATERIALIZED VIEW":
                return parse_create_materialized_view(reader).query
            return parse_create_streaming_table(reader).query
        if self.kind != VIEW:
            return None
        text = str(self._entry.viewText().get())
        for *_, body in self._context.store.annotations(VIEW_TEXT, self.relation.database, self.relation.table):
            if body["stored"] == text:
                return str(body["written"])
        return text


def _column(field: StructField) -> Column:
    text = field.metadata.get(_CHAR_VARCHAR) or type_text(field.dataType)
    default = field.metadata.get(_DEFAULT) or field.metadata.get(_GENERATED)
    return Column(field.name, field.dataType, text, field.nullable, field.metadata.get("comment"), default)


def type_text(data_type: DataType) -> str:
    """A type as DESCRIBE shows it: lower case, nested types in angle brackets."""
    return data_type.simpleString()


def type_json(data_type: DataType) -> dict[str, Any]:
    """A type in the form of DESCRIBE … AS JSON.

    https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-aux-describe-table#json-formatted-output
    """
    if isinstance(data_type, StructType):
        fields = []
        for field in data_type.fields:
            item = {
                "name": field.name,
                "type": type_json(field.dataType),
                "nullable": field.nullable,
            }
            if field.metadata.get("comment"):
                item["comment"] = field.metadata["comment"]
            fields.append(item)
        return {"name": "struct", "fields": fields}
    if isinstance(data_type, ArrayType):
        return {
            "name": "array",
            "element_type": type_json(data_type.elementType),
            "element_nullable": data_type.containsNull,
        }
    if isinstance(data_type, MapType):
        return {
            "name": "map",
            "key_type": type_json(data_type.keyType),
            "value_type": type_json(data_type.valueType),
            "value_nullable": data_type.valueContainsNull,
        }
    if isinstance(data_type, DayTimeIntervalType | YearMonthIntervalType):
        return {"name": "interval", "text": data_type.simpleString()}
    if isinstance(data_type, StringType) and type(data_type) is StringType:
        return {"name": "string", "collation": data_type.collation}
    text = data_type.simpleString()
    name, _, rest = text.partition("(")
    numbers = [int(part) for part in rest.rstrip(")").split(",")] if rest else []
    if name == "decimal":
        return {"name": name, "precision": numbers[0], "scale": numbers[1]}
    if name in ("char", "varchar"):
        return {"name": name, "length": numbers[0]}
    return {"name": "timestamp_ltz" if name == "timestamp" else name}


def column_type_json(column: Column) -> dict[str, Any]:
    """The type of a column for AS JSON, with the length of a CHAR or VARCHAR."""
    if column.text.startswith(("varchar(", "char(")):
        name, _, length = column.text.rstrip(")").partition("(")
        return {"name": name, "length": int(length)}
    return type_json(column.data_type)


def _remote_metadata(context: Context, entry: CatalogEntry) -> DeltaMetadata:
    found = delta.snapshot(context, entry.relation)
    metadata = found.metadata()
    description = metadata.description()
    partitions = metadata.partitionColumns()
    return DeltaMetadata(
        version=int(found.version()),
        modified=datetime.fromtimestamp(found.timestamp() / 1000, entry.altered.tzinfo),
        table_id=str(metadata.id()),
        description=None if description is None else str(description),
        schema=StructType.fromJson(json.loads(metadata.schemaString())),
        partition_columns=tuple(str(partitions.apply(i)) for i in range(partitions.size())),
    )


def entries(context: Context, database: str | None = None) -> list[CatalogEntry]:
    """Every table and view, or those of one schema, sorted by name."""
    definitions = {(d.database, d.name): d for d in context.store.definitions()}
    owners = {(d, n): body for _, d, n, _, _, body in context.store.annotations(OWNER)}
    return [
        CatalogEntry(context, stored, definitions.get(key), owners.get(key))
        for stored in context.store.tables(database)
        if (key := (stored.database, stored.name))
    ]


def entry(context: Context, relation: Relation) -> CatalogEntry:
    """One table or view.

    Raises:
        ProgrammingError: TABLE_OR_VIEW_NOT_FOUND names it.
    """
    for found in entries(context, relation.database):
        if found.relation == relation:
            return found
    raise invalid(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view `{CATALOG}`.`{relation.database}`.`{relation.table}` cannot be found. "
        "Verify the spelling and correctness of the schema and catalog.",
    )


def masks(context: Context, relation: Relation) -> dict[str, dict[str, Any]]:
    """The masks of a table by column: `function` (three parts) and `using` (names or literals)."""
    found = context.store.annotations(attached.MASK, relation.database, relation.table)
    return {column: body for _, _, _, column, _, body in found}


def row_filter(context: Context, relation: Relation) -> dict[str, Any] | None:
    """The row filter of a table: `function` (three parts) and `columns`."""
    for *_, body in context.store.annotations(attached.ROW_FILTER, relation.database, relation.table):
        return dict(body)
    return None


def is_secured(context: Context, relation: Relation) -> bool:
    """Whether a table has a column mask or a row filter."""
    return bool(masks(context, relation)) or row_filter(context, relation) is not None


def keys(context: Context, relation: Relation) -> dict[str, dict[str, Any]]:
    """The informational keys of a table by name: `kind`, `columns`, `references`."""
    found = context.store.annotations(attached.KEY, relation.database, relation.table)
    return {name: body for _, _, _, _, name, body in found}
