"""The views of `information_schema`, answered from the warehouse's catalog.

https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-information-schema lists them. Where
the pages and what dbt-databricks reads from a server differ (`row_filters`, `column_masks`, the
position of a partition column), a view has the columns of both. `system.information_schema` and
`spark_catalog.information_schema` are the same here: there is one catalog.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from databricks_local.errors import invalid
from databricks_local.execution import annotations as attached
from databricks_local.execution import catalog_entries
from databricks_local.execution.catalog_entries import CatalogEntry, Column
from databricks_local.execution.context import Context
from databricks_local.execution.functions import FUNCTION, FUNCTION_BODY
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.reader import Reader
from databricks_local.sql.references import in_relation_position
from databricks_local.sql.tokens import Kind, identifier_value

SCHEMA = "information_schema"

_CATALOGS = (CATALOG, "system")
_STRING = pa.string()
_INTEGER = pa.int32()
_TIME = pa.timestamp("us", tz="UTC")

Row = dict[str, Any]


def at_reference(reader: Reader) -> bool:
    """Whether `[catalog.]information_schema.name` comes next, where a query reads a table."""
    first = _identifier(reader, 0)
    if first == SCHEMA:
        parts = 2
    elif first in _CATALOGS and _identifier(reader, 2) == SCHEMA and _is_dot(reader, 1):
        parts = 3
    else:
        return False
    last = 2 * (parts - 1)
    if not _is_dot(reader, last - 1) or _identifier(reader, last) is None:
        return False
    return in_relation_position(reader.tokens, reader.position)


def _identifier(reader: Reader, ahead: int) -> str | None:
    token = reader.peek(ahead)
    if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
        return None
    return identifier_value(token).lower()


def _is_dot(reader: Reader, ahead: int) -> bool:
    token = reader.peek(ahead)
    return token is not None and token.is_symbol(".")


def read_reference(context: Context, reader: Reader) -> tuple[int, int, DataFrame]:
    """Consume a reference found by `at_reference`.

    Returns:
        the character range of the name, and the rows of the view.

    Raises:
        ProgrammingError: TABLE_OR_VIEW_NOT_FOUND for a view that does not exist.
    """
    token = reader.peek()
    assert token is not None
    name = reader.name()
    end = reader.tokens[reader.position - 1].end
    known = _VIEWS.get(name.table.lower())
    if known is None:
        raise invalid(
            "TABLE_OR_VIEW_NOT_FOUND",
            f"The table or view {name} cannot be found; information_schema has {', '.join(sorted(_VIEWS))}",
        )
    schema, rows = known
    table = pa.Table.from_pylist(list(rows(context)), schema=schema)
    return token.start, end, context.spark.createDataFrame(table)


def _schema(text: str = "", *, integers: str = "", times: str = "", order: str = "") -> pa.Schema:
    """An Arrow schema: names by type; `order` lists all of them where the page mixes types."""
    types: dict[str, pa.DataType] = dict.fromkeys(text.split(), _STRING)
    types |= dict.fromkeys(integers.split(), _INTEGER)
    types |= dict.fromkeys(times.split(), _TIME)
    return pa.schema([(name, types[name]) for name in (order.split() or types)])


# Rows. Every function below yields dictionaries; a column that is not given is NULL.


def _owner() -> str:
    return getpass.getuser()


def _audit(entry: CatalogEntry) -> Row:
    return {
        "created": entry.created,
        "created_by": entry.owner,
        "last_altered": entry.last_altered,
        "last_altered_by": entry.owner,
    }


def _catalogs(context: Context) -> Iterator[Row]:
    for name in _CATALOGS:
        yield {
            "catalog_name": name,
            "catalog_owner": _owner(),
            "created_by": _owner(),
            "last_altered_by": _owner(),
        }


def _schemata(context: Context) -> Iterator[Row]:
    external = context.warehouse.mirror.external
    owners = {
        d: body for securable, d, *_, body in context.store.annotations(catalog_entries.OWNER) if securable == "SCHEMA"
    }
    names = external.listDatabases()
    for name in sorted(str(names.apply(i)) for i in range(names.size())):
        owner = owners.get(name, _owner())
        yield {
            "catalog_name": CATALOG,
            "schema_name": name,
            "schema_owner": owner,
            "comment": str(external.getDatabase(name).description()) or None,
            "created_by": owner,
            "last_altered_by": owner,
        }
    yield {
        "catalog_name": CATALOG,
        "schema_name": SCHEMA,
        "schema_owner": _owner(),
        "created_by": _owner(),
    }


def _table(database: str, name: str) -> Row:
    return {"table_catalog": CATALOG, "table_schema": database, "table_name": name}


def _tables(context: Context) -> Iterator[Row]:
    for entry in catalog_entries.entries(context):
        yield (
            _table(entry.relation.database, entry.relation.table)
            | _audit(entry)
            | {
                "table_type": entry.table_type,
                "is_insertable_into": "NO" if entry.table_type in ("VIEW", "MATERIALIZED_VIEW") else "YES",
                "commit_action": "PRESERVE",
                "table_owner": entry.owner,
                "comment": entry.comment,
                "data_source_format": None if entry.provider is None else entry.provider.upper(),
                "storage_path": entry.location,
            }
        )


_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64, "float": 32, "double": 64}
_DATE_DIGITS = {"date": 0, "timestamp": 3, "timestamp_ntz": 3}


def _column(column: Column, position: int, partitions: tuple[str, ...]) -> Row:
    base = column.text.split("(")[0].split("<")[0].split(" ")[0]
    row: Row = {
        "column_name": column.name,
        # The page counts from 1; Databricks itself counts from 0.
        "ordinal_position": position,
        "column_default": column.default,
        "is_nullable": "YES" if column.nullable else "NO",
        "full_data_type": column.text,
        "data_type": base.upper(),
        "numeric_precision": _BITS.get(base),
        "datetime_precision": _DATE_DIGITS.get(base),
        "is_identity": "NO",
        "is_generated": "NO",
        "is_system_time_period_start": "NO",
        "is_system_time_period_end": "NO",
        "is_updatable": "YES",
        "comment": column.comment,
    }
    if base == "decimal":
        precision, scale = column.text[8:-1].split(",")
        row |= {
            "numeric_precision": int(precision),
            "numeric_precision_radix": 10,
            "numeric_scale": int(scale),
        }
    elif base in _BITS:
        row["numeric_precision_radix"] = 2
        if base not in ("float", "double"):
            row["numeric_scale"] = 0
    if column.name in partitions:
        row["partition_index"] = partitions.index(column.name)
        row["partition_ordinal_position"] = partitions.index(column.name) + 1
    return row


def _columns(context: Context) -> Iterator[Row]:
    for entry in catalog_entries.entries(context):
        table = _table(entry.relation.database, entry.relation.table)
        for position, column in enumerate(entry.columns, start=1):
            yield table | _column(column, position, entry.partition_columns)


def _views(context: Context) -> Iterator[Row]:
    for entry in catalog_entries.entries(context):
        if entry.table_type not in ("VIEW", "MATERIALIZED_VIEW"):
            continue
        yield _table(entry.relation.database, entry.relation.table) | {
            "view_definition": entry.view_text,
            "check_option": "NONE",
            "is_updatable": "NO",
            "is_insertable_into": "NO",
            "is_materialized": "YES" if entry.table_type == "MATERIALIZED_VIEW" else "NO",
        }


def _constraint(database: str, name: str) -> Row:
    return {"constraint_catalog": CATALOG, "constraint_schema": database, "constraint_name": name}


def _keys(context: Context) -> Iterator[tuple[str, str, str, Row]]:
    for _, database, table, _, name, body in context.store.annotations(attached.KEY):
        yield database, table, name, body


def _checks(context: Context) -> Iterator[tuple[str, str, str, str]]:
    prefix = "delta.constraints."
    for entry in catalog_entries.entries(context):
        for key, value in ({} if entry.delta is None else entry.delta.configuration).items():
            if key.startswith(prefix):
                yield entry.relation.database, entry.relation.table, key.removeprefix(prefix), value


def _table_constraints(context: Context) -> Iterator[Row]:
    for database, table, name, body in _keys(context):
        yield (
            _constraint(database, name)
            | _table(database, table)
            | {
                "constraint_type": body["kind"],
                "is_deferrable": "YES",
                "initially_deferred": "YES",
                "enforced": "NO",
            }
        )
    for database, table, name, _ in _checks(context):
        yield (
            _constraint(database, name)
            | _table(database, table)
            | {
                "constraint_type": "CHECK",
                "is_deferrable": "NO",
                "initially_deferred": "NO",
                "enforced": "YES",
            }
        )


def _check_constraints(context: Context) -> Iterator[Row]:
    for database, _, name, clause in _checks(context):
        yield _constraint(database, name) | {"check_clause": clause}


def _primary_key(context: Context, database: str, table: str) -> tuple[str, list[str]] | None:
    for _, _, _, _, name, body in context.store.annotations(attached.KEY, database, table):
        if body["kind"] == "PRIMARY KEY":
            return name, body["columns"]
    return None


def referenced_columns(context: Context, body: Row) -> list[str]:
    """The columns that a foreign key refers to: as written, or the parent's primary key."""
    database, table, columns = body["references"]
    if columns:
        return list(columns)
    key = _primary_key(context, database, table)
    return [] if key is None else list(key[1])


def _key_column_usage(context: Context) -> Iterator[Row]:
    for database, table, name, body in _keys(context):
        parent: list[str] = []
        if body["references"] is not None:
            key = _primary_key(context, *body["references"][:2])
            parent = [] if key is None else [column.lower() for column in key[1]]
            referenced = referenced_columns(context, body)
        for position, column in enumerate(body["columns"], start=1):
            unique = None
            if parent and position <= len(referenced) and referenced[position - 1].lower() in parent:
                unique = parent.index(referenced[position - 1].lower()) + 1
            yield (
                _constraint(database, name)
                | _table(database, table)
                | {
                    "column_name": column,
                    "ordinal_position": position,
                    "position_in_unique_constraint": unique,
                }
            )


def _referential_constraints(context: Context) -> Iterator[Row]:
    for database, _, name, body in _keys(context):
        if body["references"] is None:
            continue
        parent_database, parent_table, _ = body["references"]
        key = _primary_key(context, parent_database, parent_table)
        yield _constraint(database, name) | {
            "unique_constraint_catalog": CATALOG,
            "unique_constraint_schema": parent_database,
            "unique_constraint_name": None if key is None else key[0],
            "match_option": "FULL",
            "update_rule": "NO ACTION",
            "delete_rule": "NO ACTION",
        }


def _constraint_column_usage(context: Context) -> Iterator[Row]:
    for database, table, name, body in _keys(context):
        if body["references"] is None:
            used, columns = _table(database, table), body["columns"]
        else:
            used, columns = _table(*body["references"][:2]), referenced_columns(context, body)
        for column in columns:
            yield used | {"column_name": column} | _constraint(database, name)


def _constraint_table_usage(context: Context) -> Iterator[Row]:
    for database, table, name, body in _keys(context):
        used = _table(database, table) if body["references"] is None else _table(*body["references"][:2])
        yield _constraint(database, name) | used


def _tags(context: Context, level: str) -> Iterator[Row]:
    for securable, database, table, column, tag, value in context.store.annotations(attached.TAG):
        if securable == level:
            yield {
                "catalog_name": CATALOG,
                "schema_name": database,
                "table_name": table,
                "column_name": column,
                "tag_name": tag,
                "tag_value": value,
            }


def _tags_of(level: str) -> Callable[[Context], Iterator[Row]]:
    return lambda context: _tags(context, level)


def _function_name(parts: list[str]) -> str:
    return ".".join(parts)


def _column_masks(context: Context) -> Iterator[Row]:
    for _, database, table, column, _, body in context.store.annotations(attached.MASK):
        catalog, schema, _ = body["function"]
        using = ",".join(body["using"])
        yield _table(database, table) | {
            "catalog_name": CATALOG,
            "schema_name": database,
            "column_name": column,
            "mask_catalog": catalog,
            "mask_schema": schema,
            "mask_name": _function_name(body["function"]),
            "mask_col_usage": using,
            "using_columns": using or None,
        }


def _row_filters(context: Context) -> Iterator[Row]:
    for _, database, table, _, _, body in context.store.annotations(attached.ROW_FILTER):
        catalog, schema, _ = body["function"]
        columns = ",".join(body["columns"])
        yield _table(database, table) | {
            "catalog_name": CATALOG,
            "schema_name": database,
            "filter_catalog": catalog,
            "filter_schema": schema,
            "filter_name": _function_name(body["function"]),
            "filter_col_usage": columns,
            "target_columns": columns,
        }


def _privileges(context: Context, level: str) -> Iterator[Row]:
    for _, database, name, principal, privilege in context.store.grants(level):
        yield _table(database, name) | {
            "grantor": _owner(),
            "grantee": principal,
            "catalog_name": CATALOG,
            "schema_name": database,
            "privilege_type": privilege,
            "is_grantable": "NO",
            "inherited_from": "NONE",
            "routine_catalog": CATALOG,
            "routine_schema": database,
            "routine_name": name,
        }


def _privileges_of(level: str) -> Callable[[Context], Iterator[Row]]:
    return lambda context: _privileges(context, level)


def _routines(context: Context) -> Iterator[Row]:
    written = {
        (database, name): body["statement"]
        for _, database, name, _, _, body in context.store.annotations(FUNCTION_BODY)
    }
    for function in sorted(context.store.functions(), key=lambda f: (f.database, f.name)):
        yield {
            "specific_catalog": CATALOG,
            "specific_schema": function.database,
            "specific_name": function.name,
            "routine_catalog": CATALOG,
            "routine_schema": function.database,
            "routine_name": function.name,
            "routine_type": "FUNCTION",
            "routine_body": "SQL",
            "routine_definition": written.get((function.database, function.name)),
            "parameter_style": "SQL",
            "is_deterministic": "YES",
            "sql_data_access": "READS SQL DATA",
            "is_null_call": "YES",
            "security_type": "DEFINER",
            "routine_owner": _owner(),
            "created_by": _owner(),
            "last_altered_by": _owner(),
        }


def _none(context: Context) -> Iterator[Row]:
    return iter(())


_AUDIT = "created created_by last_altered last_altered_by"
_TABLE = "table_catalog table_schema table_name"
_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
_PRIVILEGE = "privilege_type is_grantable inherited_from"


def _audited(text: str) -> pa.Schema:
    order = f"{text} {_AUDIT}"
    names = [name for name in order.split() if name not in ("created", "last_altered")]
    return _schema(" ".join(names), times="created last_altered", order=order)


_COLUMN_TEXT = (
    f"{_TABLE} column_name column_default is_nullable full_data_type data_type "
    "character_octet_length interval_type "
    "is_identity identity_generation identity_start identity_increment identity_maximum "
    "identity_minimum "
    "identity_cycle is_generated generation_expression is_system_time_period_start "
    "is_system_time_period_end "
    "system_time_period_timestamp_generation is_updatable comment"
)
_COLUMN_INTEGERS = (
    "ordinal_position character_maximum_length numeric_precision numeric_precision_radix "
    "numeric_scale "
    "datetime_precision interval_precision maximum_cardinality partition_index "
    "partition_ordinal_position"
)
_COLUMN_ORDER = (
    f"{_TABLE} column_name ordinal_position column_default is_nullable full_data_type data_type "
    "character_maximum_length character_octet_length numeric_precision numeric_precision_radix "
    "numeric_scale "
    "datetime_precision interval_type interval_precision maximum_cardinality is_identity "
    "identity_generation "
    "identity_start identity_increment identity_maximum identity_minimum identity_cycle "
    "is_generated "
    "generation_expression is_system_time_period_start is_system_time_period_end "
    "system_time_period_timestamp_generation is_updatable partition_index "
    "partition_ordinal_position comment"
)

_VIEWS: dict[str, tuple[pa.Schema, Callable[[Context], Iterator[Row]]]] = {
    "catalogs": (_audited("catalog_name catalog_owner comment"), _catalogs),
    "schemata": (_audited("catalog_name schema_name schema_owner comment"), _schemata),
    "tables": (
        _schema(
            f"{_TABLE} table_type is_insertable_into commit_action table_owner comment created_by "
            "last_altered_by "
            "data_source_format storage_path storage_sub_directory",
            times="created last_altered",
            order=f"{_TABLE} table_type is_insertable_into commit_action table_owner comment "
            f"{_AUDIT} data_source_format storage_path storage_sub_directory",
        ),
        _tables,
    ),
    "columns": (_schema(_COLUMN_TEXT, integers=_COLUMN_INTEGERS, order=_COLUMN_ORDER), _columns),
    "views": (
        _schema(f"{_TABLE} view_definition check_option is_updatable is_insertable_into sql_path is_materialized"),
        _views,
    ),
    "table_constraints": (
        _schema(f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced comment"),
        _table_constraints,
    ),
    "key_column_usage": (
        _schema(
            f"{_CONSTRAINT} {_TABLE} column_name",
            integers="ordinal_position position_in_unique_constraint",
        ),
        _key_column_usage,
    ),
    "referential_constraints": (
        _schema(
            f"{_CONSTRAINT} unique_constraint_catalog unique_constraint_schema "
            "unique_constraint_name match_option "
            "update_rule delete_rule"
        ),
        _referential_constraints,
    ),
    "constraint_column_usage": (
        _schema(f"{_TABLE} column_name {_CONSTRAINT}"),
        _constraint_column_usage,
    ),
    "constraint_table_usage": (_schema(f"{_CONSTRAINT} {_TABLE}"), _constraint_table_usage),
    "check_constraints": (_schema(f"{_CONSTRAINT} check_clause sql_path"), _check_constraints),
    "table_tags": (
        _schema("catalog_name schema_name table_name tag_name tag_value"),
        _tags_of("TABLE"),
    ),
    "column_tags": (
        _schema("catalog_name schema_name table_name column_name tag_name tag_value"),
        _tags_of("COLUMN"),
    ),
    "schema_tags": (_schema("catalog_name schema_name tag_name tag_value"), _tags_of("SCHEMA")),
    "catalog_tags": (_schema("catalog_name tag_name tag_value"), _tags_of("CATALOG")),
    "column_masks": (
        _schema(
            f"catalog_name schema_name {_TABLE} column_name mask_catalog mask_schema mask_name "
            "mask_col_usage "
            "using_columns"
        ),
        _column_masks,
    ),
    "row_filters": (
        _schema(
            f"catalog_name schema_name {_TABLE} filter_catalog filter_schema filter_name "
            "filter_col_usage "
            "target_columns"
        ),
        _row_filters,
    ),
    "table_privileges": (
        _schema(f"grantor grantee {_TABLE} {_PRIVILEGE}"),
        _privileges_of("TABLE"),
    ),
    "schema_privileges": (
        _schema(f"grantor grantee catalog_name schema_name {_PRIVILEGE}"),
        _privileges_of("SCHEMA"),
    ),
    "catalog_privileges": (
        _schema(f"grantor grantee catalog_name {_PRIVILEGE}"),
        _privileges_of("CATALOG"),
    ),
    "routine_privileges": (
        _schema(f"grantor grantee routine_catalog routine_schema routine_name {_PRIVILEGE}"),
        _privileges_of(FUNCTION),
    ),
    "routines": (
        _audited(
            "specific_catalog specific_schema specific_name routine_catalog routine_schema "
            "routine_name routine_type "
            "data_type full_data_type routine_body routine_definition external_name "
            "external_language "
            "parameter_style is_deterministic sql_data_access is_null_call sql_path security_type "
            "routine_owner comment"
        ),
        _routines,
    ),
    "volumes": (
        _audited("volume_catalog volume_schema volume_name volume_type volume_owner comment storage_location"),
        _none,
    ),
}
