"""CREATE MATERIALIZED VIEW and REFRESH MATERIALIZED VIEW: a Delta table, written anew at each refresh.

Databricks refreshes incrementally where it can; the result is the same. A refresh reads what the owner of the view may
read, whoever asks for it: see execution/owners.py.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-materialized-view
"""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame

from databricks_local.catalog.store import Definition, utc_now
from databricks_local.errors import from_spark, invalid
from databricks_local.execution import annotations as attached
from databricks_local.execution import delta, owners
from databricks_local.execution.context import Context, Outcome, Relation
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.queries import prepared
from databricks_local.sql.materialized_view import (
    CreateMaterializedView,
    parse_create_materialized_view,
)
from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import ColumnDefinition, parse_refresh
from databricks_local.sql.tokens import quote_identifier, quote_string

KIND = "MATERIALIZED VIEW"
_PENDING = "pending"


def _create(context: Context, reader: Reader) -> Outcome:
    statement = parse_create_materialized_view(reader)
    relation = context.resolve(statement.name)
    definition = context.definition(relation)
    exists = context.exists(relation)
    if exists and (definition is None or definition.kind != KIND):
        raise invalid(
            "TABLE_OR_VIEW_ALREADY_EXISTS",
            f"{relation} exists and is no materialized view; drop it first",
        )
    if exists and statement.if_not_exists:
        return None
    if exists and not statement.or_replace:
        raise invalid(
            "TABLE_OR_VIEW_ALREADY_EXISTS",
            f"materialized view {relation} exists; use CREATE OR REPLACE",
        )
    if exists:
        owners.refuse_unless_owner(context, relation, "replace")
    else:
        owners.claim(context, relation)
    schedule = statement.clauses.schedule
    body = {
        "sql": statement.sql,
        "database": context.current_database,
        "schedule": None if schedule is None else schedule.text,
        "properties": statement.clauses.properties,
        "comment": statement.clauses.comment,
    }
    previous = definition
    definition = Definition(relation.database, relation.table, KIND, _PENDING, body)
    context.store.put_definition(definition)
    started = utc_now()
    try:
        _write_table(context, relation, statement, replace_existing=exists)
    except Exception:
        # A query that fails leaves the view as it was.
        if previous is not None:
            context.store.put_definition(previous)
        elif not context.exists(relation):
            context.store.drop_table(relation.database, relation.table)
        raise
    with context.store.transaction():
        definition = replace(definition, table_id=delta.table_id(context, relation))
        context.store.put_definition(definition)
        attached.declare(context, relation, statement)
        context.store.add_refresh(relation.database, relation.table, definition.table_id, started, "COMPLETED", {})
    return None


def _write_table(
    context: Context,
    relation: Relation,
    statement: CreateMaterializedView,
    *,
    replace_existing: bool,
) -> None:
    with prepared(owners.as_owner(context, relation), statement.query) as query:
        frame = context.sql(query.sql)
        _refuse_stream(relation, frame)
        declared = _declared(relation, statement, frame)
        select = f"SELECT {', '.join(_projection(context, frame, declared))} FROM ({query.sql})"
        clauses = statement.clauses
        names = [c.name for c in declared]
        properties = {**delta.column_mapping_properties(names), **clauses.properties}
        text = f"CREATE {'OR REPLACE ' if replace_existing else ''}TABLE {relation.quoted()} USING DELTA"
        if clauses.partitioned_by:
            text += f" PARTITIONED BY ({', '.join(map(quote_identifier, clauses.partitioned_by))})"
        if clauses.cluster_by:
            text += f" CLUSTER BY ({', '.join(clauses.cluster_by)})"
        if clauses.comment is not None:
            text += f" COMMENT {quote_string(clauses.comment)}"
        if properties:
            text += f" TBLPROPERTIES {delta.properties_text(properties)}"
        context.sql(f"{text} AS {select}")
        for column in declared:
            if column.comment:
                context.sql(
                    f"ALTER TABLE {relation.quoted()} ALTER COLUMN {quote_identifier(column.name)} "
                    f"COMMENT {quote_string(column.comment)}"
                )


def _declared(relation: Relation, statement: CreateMaterializedView, frame: DataFrame) -> list[ColumnDefinition]:
    if not statement.columns:
        return [ColumnDefinition(name, None) for name in frame.schema.fieldNames()]
    if len(statement.columns) != len(frame.schema.fields):
        raise invalid(
            "CREATE_VIEW_COLUMN_ARITY_MISMATCH",
            f"{relation}: the column list names {len(statement.columns)} columns, the query gives "
            f"{len(frame.schema.fields)}",
        )
    return list(statement.columns)


def _projection(context: Context, frame: DataFrame, declared: list[ColumnDefinition]) -> list[str]:
    columns = []
    for field, column in zip(frame.schema.fields, declared, strict=True):
        source = quote_identifier(field.name)
        value = source if column.data_type is None else f"CAST({source} AS {column.data_type})"
        columns.append(f"{value} AS {quote_identifier(column.name)}")
    return columns


def _refuse_stream(relation: Relation, frame: DataFrame) -> None:
    if frame.isStreaming:
        raise invalid(
            "MATERIALIZED_VIEW_QUERY_INVALID",
            f"materialized view {relation} reads a STREAM; make a streaming table",
        )


def _refresh(context: Context, reader: Reader) -> Outcome:
    request = parse_refresh(reader)
    relation = context.resolve(request.name)
    definition = context.definition(relation)
    if definition is None or definition.kind != KIND:
        raise invalid("EXPECT_MATERIALIZED_VIEW", f"{relation} is no materialized view")
    if not context.exists(relation) or definition.table_id == _PENDING:
        raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"materialized view {relation} was not made; create it again")
    statement = parse_create_materialized_view(Reader(definition.body["sql"]))
    started = utc_now()
    try:
        with prepared(owners.as_owner(context, relation), statement.query) as query:
            frame = context.sql(query.sql)
            declared = _declared(relation, statement, frame)
            select = f"SELECT {', '.join(_projection(context, frame, declared))} FROM ({query.sql})"
            context.sql(f"INSERT OVERWRITE TABLE {relation.quoted()} {select}")
    except Exception as error:
        translated = from_spark(error)
        context.store.add_refresh(
            relation.database,
            relation.table,
            definition.table_id,
            started,
            "FAILED",
            {"error": str(translated)},
        )
        raise translated from error
    context.store.add_refresh(relation.database, relation.table, definition.table_id, started, "COMPLETED", {})
    return None


HANDLERS = [
    Handler(
        begins(("CREATE", "MATERIALIZED", "VIEW"), ("CREATE", "OR", "REPLACE", "MATERIALIZED", "VIEW")),
        _create,
    ),
    Handler(begins(("REFRESH", "MATERIALIZED", "VIEW")), _refresh),
]
