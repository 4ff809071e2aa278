"""Tags, masks, row filters, keys, schedules, owners, comments and grants; and what Databricks
refuses by kind.

Nothing of this is in the table itself: it is in the catalog file, which `information_schema` and
DESCRIBE show and execution/secured.py applies. CHECK constraints, NOT NULL and whatever else open
Delta knows goes to Delta.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from databricks_local.catalog.mirror import VIEW
from databricks_local.errors import invalid, refused
from databricks_local.execution import annotations as attached
from databricks_local.execution import catalog_entries, functions
from databricks_local.execution.catalog_entries import OWNER, CatalogEntry
from databricks_local.execution.context import Context, Outcome, Relation, Result
from databricks_local.execution.functions import FUNCTION
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.information_schema import referenced_columns
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.governance import (
    ALTERED_KINDS,
    AddKey,
    Alter,
    ClusterByAuto,
    DropColumns,
    DropKey,
    DropMask,
    DropRowFilter,
    OtherChange,
    RenameColumn,
    Securable,
    SetColumnComment,
    SetMask,
    SetOwner,
    SetRowFilter,
    SetSchedule,
    SetTags,
    UnsetTags,
    find_target,
    parse_alter,
    parse_comment_on,
    parse_grant,
    parse_show_grants,
    parse_tag_statement,
)
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import quote_identifier, quote_string

_SCHEMA = "SCHEMA"
_CATALOG = "CATALOG"

# Limits of https://docs.databricks.com/aws/en/database-objects/tags.
_MOST_TAGS = 50
_LONGEST_KEY = 255
_LONGEST_VALUE = 1000

# Statements by the kind of relation that Databricks refuses them on:
# https://docs.databricks.com/aws/en/ldp/dbsql/streaming and …/ldp/dbsql/materialized.
_REFUSED_ON_STREAMING_TABLE = frozenset(
    {
        "ALTER TABLE",
        "ALTER VIEW",
        "ALTER MATERIALIZED VIEW",
        "TRUNCATE",
        "ANALYZE",
        "RESTORE",
        "COPY INTO",
        "CLONE",
    }
)
_REFUSED_ON_MATERIALIZED_VIEW = frozenset(
    {
        "ALTER TABLE",
        "ALTER VIEW",
        "ALTER STREAMING TABLE",
        "TRUNCATE",
        "ANALYZE",
        "RESTORE",
        "COPY INTO",
        "CLONE",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "OPTIMIZE",
    }
)
_INSTEAD = {
    "ALTER TABLE": "use ALTER {kind}",
    "ALTER VIEW": "use ALTER {kind}",
    "TRUNCATE": "use REFRESH {kind} … FULL, or DELETE FROM a streaming table",
    "INSERT": "its query is what fills it",
}


def refuse_on_kinds(context: Context, reader: Reader) -> None:
    """Refuse a statement that Databricks does not allow on a streaming table or a materialized
    view.

    Args:
        context: the session, which resolves the name.
        reader: at the start of a statement; it is left there.

    Raises:
        NotSupportedError: names the statement, the relation and what to use instead.
    """
    target = find_target(reader)
    if target is None or (len(target.name.parts) == 3 and target.name.parts[0].lower() != CATALOG):
        return
    relation = context.resolve(target.name)
    definition = context.definition(relation)
    if definition is None:
        return
    refused_here = (
        _REFUSED_ON_STREAMING_TABLE if definition.kind == "STREAMING TABLE" else _REFUSED_ON_MATERIALIZED_VIEW
    )
    if target.operation in refused_here:
        instead = _INSTEAD.get(target.operation, "define it anew, or refresh it").format(kind=definition.kind)
        condition = f"{definition.kind}_OPERATION_NOT_ALLOWED".replace(" ", "_")
        raise refused(
            condition,
            f"{target.operation} is not allowed on {relation}, a {definition.kind.lower()}; {instead}",
        )


# ALTER


def _alter(context: Context, reader: Reader) -> Outcome:
    refuse_on_kinds(context, reader)
    statement = parse_alter(reader)
    if statement.kind in (_SCHEMA, _CATALOG):
        return _alter_container(context, statement, reader)
    if isinstance(statement.change, OtherChange) and statement.kind in ("TABLE", "VIEW"):
        return context.sql(reader.sql)
    entry = catalog_entries.entry(context, context.resolve(statement.name))
    _check_kind(statement, entry)
    _change_relation(context, statement, entry, reader)
    return None


def _check_kind(statement: Alter, entry: CatalogEntry) -> None:
    """`ALTER TABLE` may name a view, as dbt-databricks does for column tags; not the reverse."""
    actual = entry.table_type.replace("_", " ")
    asked = statement.kind
    if asked in ("STREAMING TABLE", "MATERIALIZED VIEW") and actual != asked:
        raise invalid(
            "WRONG_COMMAND_FOR_OBJECT_TYPE",
            f"{entry.relation} is no {asked.lower()}; use ALTER TABLE",
        )
    if asked == "VIEW" and actual != VIEW:
        raise invalid("EXPECT_VIEW_NOT_TABLE", f"{entry.relation} is no view; use ALTER TABLE")


def _change_relation(context: Context, statement: Alter, entry: CatalogEntry, reader: Reader) -> None:
    relation = entry.relation
    column = None if statement.column is None else entry.column(statement.column).name
    change = statement.change
    match change:
        case SetTags() | UnsetTags():
            securable = attached.TABLE if column is None else attached.COLUMN
            _tag(context, securable, relation.database, relation.table, column or "", change)
        case SetMask():
            assert column is not None
            _set_mask(context, entry, column, change)
        case DropMask():
            context.store.unannotate(attached.COLUMN, relation.database, relation.table, attached.MASK, column=column)
        case SetRowFilter():
            _set_row_filter(context, entry, change)
        case DropRowFilter():
            context.store.unannotate(attached.TABLE, relation.database, relation.table, attached.ROW_FILTER)
        case AddKey():
            _add_key(context, entry, change)
        case DropKey():
            _drop_key(context, entry, change)
        case SetSchedule():
            _set_schedule(context, entry, change)
        case SetOwner():
            context.store.annotate(attached.TABLE, relation.database, relation.table, OWNER, change.principal)
        case SetColumnComment():
            assert column is not None
            _comment_on_column(context, entry, column, change.comment)
        case RenameColumn():
            _refuse_if_not_table(statement, entry)
            context.sql(reader.sql)
            _rename_column(context, relation, entry.column(change.old).name, change.new)
        case DropColumns():
            _refuse_if_not_table(statement, entry)
            _drop_columns(context, entry, change, reader)
        case ClusterByAuto():
            _refuse_if_not_table(statement, entry)
            context.sql(f"ALTER TABLE {relation.quoted()} SET TBLPROPERTIES ('clusterByAuto' = 'true')")
        case OtherChange():
            raise refused(
                f"UNSUPPORTED_STATEMENT.ALTER_{statement.kind.replace(' ', '_')}",
                f"this ALTER {statement.kind} of {relation} is not documented; its page lists "
                "schedule, row filter, "
                "tags, and mask, tags and comment of a column",
            )


def _refuse_if_not_table(statement: Alter, entry: CatalogEntry) -> None:
    if statement.kind != "TABLE":
        raise refused(
            f"UNSUPPORTED_STATEMENT.ALTER_{statement.kind.replace(' ', '_')}",
            f"ALTER {statement.kind} {entry.relation} cannot change columns; change its query",
        )


def _alter_container(context: Context, statement: Alter, reader: Reader) -> Outcome:
    parts = statement.name.parts
    change = statement.change
    if statement.kind == _CATALOG:
        if parts[-1].lower() != CATALOG:
            raise invalid(
                "NO_SUCH_CATALOG_EXCEPTION",
                f"catalog {statement.name} does not exist; it is {CATALOG}",
            )
        database = ""
    else:
        database = existing_schema(context, parts)
    if isinstance(change, SetTags | UnsetTags):
        _tag(context, statement.kind, database, "", "", change)
        return None
    if isinstance(change, SetOwner):
        context.store.annotate(statement.kind, database, "", OWNER, change.principal)
        return None
    if statement.kind == _SCHEMA and isinstance(change, OtherChange):
        return context.sql(reader.sql)
    raise refused(
        f"UNSUPPORTED_STATEMENT.ALTER_{statement.kind}",
        f"this ALTER {statement.kind} is not executed by a local warehouse",
    )


def existing_schema(context: Context, parts: tuple[str, ...]) -> str:
    """A schema by its name of one or two parts, in lower case.

    Raises:
        ProgrammingError: SCHEMA_NOT_FOUND names it.
    """
    database = parts[-1].lower()
    known_catalog = len(parts) == 1 or parts[0].lower() == CATALOG
    if not known_catalog or not context.warehouse.mirror.external.databaseExists(database):
        raise invalid("SCHEMA_NOT_FOUND", f"The schema `{'`.`'.join(parts)}` cannot be found.")
    return database


def _tag(
    context: Context,
    securable: str,
    database: str,
    table: str,
    column: str,
    change: SetTags | UnsetTags,
) -> None:
    store = context.store
    if isinstance(change, UnsetTags):
        for key in change.keys:
            store.unannotate(securable, database, table, attached.TAG, column=column, key=key)
        return
    for key, value in change.tags.items():
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise invalid(
                "INVALID_TAG",
                f"tag {key[:40]!r}: a key has 1 to {_LONGEST_KEY} characters, a value at most {_LONGEST_VALUE}",
            )
    present = {
        key
        for found, d, t, c, key, _ in store.annotations(attached.TAG, database, table)
        if (found, d, t, c) == (securable, database, table, column)
    }
    if len(present | set(change.tags)) > _MOST_TAGS:
        raise invalid("TOO_MANY_TAGS", f"{database}.{table} would have more than {_MOST_TAGS} tags")
    with store.transaction():
        for key, value in change.tags.items():
            store.annotate(securable, database, table, attached.TAG, value, column=column, key=key)


# masks and filters


def _set_mask(context: Context, entry: CatalogEntry, column: str, change: SetMask) -> None:
    _refuse_on_view(entry, "a column mask")
    _existing_function(context, change.mask.function)
    _check_arguments(entry, change.mask.using)
    relation = entry.relation
    with context.store.transaction():
        context.store.unannotate(attached.COLUMN, relation.database, relation.table, attached.MASK, column=column)
        attached.set_mask(context, relation, column, change.mask)


def _set_row_filter(context: Context, entry: CatalogEntry, change: SetRowFilter) -> None:
    _refuse_on_view(entry, "a row filter")
    _existing_function(context, change.row_filter.function)
    _check_arguments(entry, change.row_filter.columns)
    attached.set_row_filter(context, entry.relation, change.row_filter)


def _refuse_on_view(entry: CatalogEntry, what: str) -> None:
    if entry.kind == VIEW:
        raise refused(
            "UNSUPPORTED_FEATURE.ROW_FILTER_OR_COLUMN_MASK_ON_VIEW",
            f"{entry.relation} is a view and cannot have {what}; put it on the tables that the view reads",
        )


def _existing_function(context: Context, name: Name) -> None:
    function = context.resolve(name)
    if not context.warehouse.mirror.external.functionExists(function.database, function.table):
        raise invalid(
            "ROUTINE_NOT_FOUND",
            f"The routine {function} cannot be found; create it with CREATE FUNCTION",
        )


def _check_arguments(entry: CatalogEntry, arguments: tuple[str, ...]) -> None:
    for argument in arguments:
        if argument[:1].isalpha() or argument[:1] == "_":
            is_literal = argument.lower() in ("true", "false", "null") or "'" in argument
            if not is_literal:
                entry.column(argument)


# keys


def _add_key(context: Context, entry: CatalogEntry, change: AddKey) -> None:
    relation = entry.relation
    if entry.kind == VIEW:
        raise refused("UNSUPPORTED_FEATURE.CONSTRAINT_ON_VIEW", f"{relation} is a view and cannot have a key")
    present = catalog_entries.keys(context, relation)
    columns = [entry.column(name) for name in change.key.columns]
    key = replace(change.key, columns=tuple(column.name for column in columns))
    taken = {name.lower() for name in present} | _check_names(entry)
    if key.name is not None and key.name.lower() in taken:
        raise invalid(
            "CONSTRAINT_ALREADY_EXISTS",
            f"{relation} already has a constraint {key.name}; drop it first",
        )
    if key.kind == "PRIMARY KEY":
        if any(body["kind"] == "PRIMARY KEY" for body in present.values()):
            raise invalid("PRIMARY_KEY_ALREADY_EXISTS", f"{relation} already has a primary key; drop it first")
        nullable = [column.name for column in columns if column.nullable]
        if nullable:
            raise invalid(
                "PRIMARY_KEY_COLUMN_NULLABLE",
                f"Cannot create the primary key {key.name or ''} of {relation}: "
                f"{', '.join(nullable)} can be NULL; "
                "run ALTER COLUMN … SET NOT NULL first",
            )
    else:
        _check_reference(context, relation, key.references, key.referenced_columns, len(columns))
    attached.add_key(context, relation, key)


def _check_names(entry: CatalogEntry) -> set[str]:
    return {
        name.removeprefix("delta.constraints.").lower()
        for name in entry.properties
        if name.startswith("delta.constraints.")
    }


def _check_reference(
    context: Context, relation: Relation, target: Name | None, columns: tuple[str, ...], count: int
) -> None:
    assert target is not None
    parent = catalog_entries.entry(context, context.resolve(target))
    primary = next(
        (b for b in catalog_entries.keys(context, parent.relation).values() if b["kind"] == "PRIMARY KEY"),
        None,
    )
    wanted = [parent.column(column).name.lower() for column in columns]
    if primary is None or (wanted and sorted(wanted) != sorted(c.lower() for c in primary["columns"])):
        raise invalid(
            "FOREIGN_KEY_WITHOUT_PRIMARY_KEY",
            f"a foreign key of {relation} must refer to the primary key of {parent.relation}, "
            "which " + ("has none" if primary is None else f"is ({', '.join(primary['columns'])})"),
        )
    if len(primary["columns"]) != count:
        raise invalid(
            "FOREIGN_KEY_COLUMN_COUNT",
            f"the foreign key of {relation} has {count} columns, the primary key of "
            f"{parent.relation} {len(primary['columns'])}",
        )


def _drop_key(context: Context, entry: CatalogEntry, change: DropKey) -> None:
    relation = entry.relation
    name = _key_name(context, entry, change)
    if name is None:
        if change.name is not None:
            # A CHECK constraint is Delta's.
            if_exists = "IF EXISTS " if change.if_exists else ""
            context.sql(f"ALTER TABLE {relation.quoted()} DROP CONSTRAINT {if_exists}{quote_identifier(change.name)}")
        elif not change.if_exists:
            raise invalid("CONSTRAINT_DOES_NOT_EXIST", f"{relation} has no such key")
        return
    referring = _foreign_keys_to(context, relation) if _is_primary(context, relation, name) else []
    if referring and not change.cascade:
        child, child_key = referring[0]
        raise invalid(
            "PRIMARY_KEY_IN_USE",
            f"the key {name} of {relation} is referred to by {child_key} of {child}; use CASCADE",
        )
    with context.store.transaction():
        for owner, key in [(relation, name), *referring]:
            context.store.unannotate(attached.TABLE, owner.database, owner.table, attached.KEY, key=key)


def _key_name(context: Context, entry: CatalogEntry, change: DropKey) -> str | None:
    for name, body in catalog_entries.keys(context, entry.relation).items():
        if change.name is not None and name.lower() == change.name.lower():
            return name
        if change.primary and body["kind"] == "PRIMARY KEY":
            return name
        wanted = [column.lower() for column in change.columns]
        if body["kind"] == "FOREIGN KEY" and [c.lower() for c in body["columns"]] == wanted:
            return name
    return None


def _is_primary(context: Context, relation: Relation, name: str) -> bool:
    return bool(catalog_entries.keys(context, relation)[name]["kind"] == "PRIMARY KEY")


def _foreign_keys_to(context: Context, relation: Relation) -> list[tuple[Relation, str]]:
    return [
        (Relation(database, table), name)
        for _, database, table, _, name, body in context.store.annotations(attached.KEY)
        if body["references"] is not None and tuple(body["references"][:2]) == (relation.database, relation.table)
    ]


# schedules, comments, columns


def _set_schedule(context: Context, entry: CatalogEntry, change: SetSchedule) -> None:
    if entry.definition is None:
        raise invalid(
            "WRONG_COMMAND_FOR_OBJECT_TYPE",
            f"{entry.relation} is no streaming table or materialized view and has no schedule",
        )
    text = None if change.schedule is None else change.schedule.text
    body = {**entry.definition.body, "schedule": text}
    context.store.put_definition(replace(entry.definition, body=body))


def _comment_on(context: Context, reader: Reader) -> Outcome:
    statement = parse_comment_on(reader)
    securable = statement.securable
    if securable.kind == _SCHEMA:
        return context.sql(reader.sql)
    if securable.kind in (_CATALOG, FUNCTION):
        raise refused(
            f"UNSUPPORTED_STATEMENT.COMMENT_ON_{securable.kind}",
            f"COMMENT ON {securable.kind} is not executed by a local warehouse",
        )
    if securable.kind == "COLUMN":
        if len(securable.parts) < 2:
            raise invalid("PARSE_SYNTAX_ERROR", f"COMMENT ON COLUMN needs table.column, not {securable}")
        entry = catalog_entries.entry(context, context.resolve(Name(securable.parts[:-1])))
        _comment_on_column(context, entry, entry.column(securable.parts[-1]).name, statement.comment or "")
        return None
    _comment_on_table(context, catalog_entries.entry(context, _relation(context, securable)), statement.comment)
    return None


def _comment_on_table(context: Context, entry: CatalogEntry, comment: str | None) -> None:
    quoted = entry.relation.quoted()
    if entry.kind != VIEW:
        context.sql(f"COMMENT ON TABLE {quoted} IS {'NULL' if comment is None else quote_string(comment)}")
    elif comment is None:
        context.sql(f"ALTER VIEW {quoted} UNSET TBLPROPERTIES IF EXISTS ('comment')")
    else:
        context.sql(f"ALTER VIEW {quoted} SET TBLPROPERTIES ('comment' = {quote_string(comment)})")
    if entry.definition is not None:
        body = {**entry.definition.body, "comment": comment}
        context.store.put_definition(replace(entry.definition, body=body))


def _comment_on_column(context: Context, entry: CatalogEntry, column: str, comment: str) -> None:
    if entry.kind != VIEW:
        context.sql(
            f"ALTER TABLE {entry.relation.quoted()} ALTER COLUMN {quote_identifier(column)} "
            f"COMMENT {quote_string(comment)}"
        )
        return
    # Spark has no statement for a column of a view; its catalog takes the schema.
    schema = json.loads(entry.schema.json())
    for field in schema["fields"]:
        if field["name"] == column:
            field["metadata"] = {**field["metadata"], "comment": comment}
    jvm: Any = context.spark.sparkContext._jvm
    changed = jvm.org.apache.spark.sql.types.DataType.fromJson(json.dumps(schema))
    context.warehouse.mirror.external.alterTableSchema(entry.relation.database, entry.relation.table, changed)


def _rename_column(context: Context, relation: Relation, old: str, new: str) -> None:
    store = context.store
    with store.transaction():
        for kind in (attached.TAG, attached.MASK):
            for securable, database, table, column, key, body in store.annotations(
                kind, relation.database, relation.table
            ):
                if securable == attached.COLUMN and column == old:
                    store.unannotate(securable, database, table, kind, column=old, key=key)
                    store.annotate(securable, database, table, kind, body, column=new, key=key)


def _drop_columns(context: Context, entry: CatalogEntry, change: DropColumns, reader: Reader) -> None:
    names = {name.lower() for name in change.columns}
    relation = entry.relation
    users = [
        f"the mask of {column}"
        for column, body in catalog_entries.masks(context, relation).items()
        if column.lower() not in names and names & {argument.lower() for argument in body["using"]}
    ]
    row_filter = catalog_entries.row_filter(context, relation)
    if row_filter is not None and names & {argument.lower() for argument in row_filter["columns"]}:
        users.append("the row filter")
    users += [
        f"the key {name}"
        for name, body in catalog_entries.keys(context, relation).items()
        if names & {column.lower() for column in body["columns"]}
    ]
    users += [
        f"the key {name} of {child}"
        for child, name in _foreign_keys_to(context, relation)
        if names & {c.lower() for c in referenced_columns(context, catalog_entries.keys(context, child)[name])}
    ]
    if users:
        raise invalid(
            "COLUMN_IN_USE",
            f"{', '.join(sorted(change.columns))} of {relation} is used by {', '.join(users)}; drop it first",
        )
    context.sql(reader.sql)
    for name in change.columns:
        for kind in (attached.TAG, attached.MASK):
            context.store.unannotate(attached.COLUMN, relation.database, relation.table, kind, column=name)


# SET TAG ON


def _tag_statement(context: Context, reader: Reader) -> Outcome:
    statement = parse_tag_statement(reader)
    securable = statement.securable
    if securable.kind == "COLUMN":
        entry = catalog_entries.entry(context, context.resolve(Name(securable.parts[:-1])))
        column = entry.column(securable.parts[-1]).name
        relation = entry.relation
        _tag(context, attached.COLUMN, relation.database, relation.table, column, statement.change)
        return None
    kind, database, name = _object(context, securable)
    _tag(context, kind, database, name, "", statement.change)
    return None


def _relation(context: Context, securable: Securable) -> Relation:
    if len(securable.parts) > 3:
        raise invalid("PARSE_SYNTAX_ERROR", f"a name has at most three parts: {securable}")
    return context.resolve(Name(securable.parts))


def _object(context: Context, securable: Securable) -> tuple[str, str, str]:
    """A securable that exists, as the catalog file keys it: kind, schema, name."""
    if securable.kind == _CATALOG:
        if securable.parts[-1].lower() != CATALOG:
            raise invalid("NO_SUCH_CATALOG_EXCEPTION", f"catalog {securable} does not exist; it is {CATALOG}")
        return _CATALOG, "", ""
    if securable.kind == _SCHEMA:
        return _SCHEMA, existing_schema(context, securable.parts), ""
    relation = _relation(context, securable)
    if securable.kind == FUNCTION:
        _existing_function(context, Name(securable.parts))
        return FUNCTION, relation.database, relation.table
    catalog_entries.entry(context, relation)
    return attached.TABLE, relation.database, relation.table


# grants


def _grant(context: Context, reader: Reader) -> Outcome:
    statement = parse_grant(reader)
    kind, database, name = _object(context, statement.securable)
    change = context.store.revoke if statement.revoke else context.store.grant
    with context.store.transaction():
        for principal in statement.principals:
            for privilege in statement.privileges:
                change(kind, database, name, principal, privilege)
    return None


def _show_grants(context: Context, reader: Reader) -> Outcome:
    """The grants on an object and, as on Databricks, those that it inherits."""
    statement = parse_show_grants(reader)
    kind, database, name = _object(context, statement.securable)
    levels = [(kind, database, name)]
    if kind in (attached.TABLE, FUNCTION):
        levels.append((_SCHEMA, database, ""))
    if kind != _CATALOG:
        levels.append((_CATALOG, "", ""))
    rows = [
        (principal, privilege, level, ".".join(part for part in (CATALOG, d, n) if part))
        for level, d, n in levels
        for _, _, _, principal, privilege in context.store.grants(level, d, n)
        if statement.principal is None or principal.lower() == statement.principal.lower()
    ]
    return Result("Principal string, ActionType string, ObjectType string, ObjectKey string", rows)


# statements that Spark runs once the kind of their target is known


def _checked(context: Context, reader: Reader) -> Outcome:
    refuse_on_kinds(context, reader)
    return context.sql(reader.sql)


HANDLERS = [
    *functions.HANDLERS,
    Handler(begins(*(("ALTER", *words) for words in ALTERED_KINDS)), _alter),
    Handler(begins(("SET", "TAG", "ON"), ("UNSET", "TAG", "ON")), _tag_statement),
    Handler(begins(("COMMENT", "ON")), _comment_on),
    Handler(begins(("GRANT",), ("REVOKE",)), _grant),
    Handler(begins(("SHOW", "GRANTS"), ("SHOW", "GRANT")), _show_grants),
    Handler(begins(("TRUNCATE", "TABLE"), ("RESTORE",)), _checked),
]
