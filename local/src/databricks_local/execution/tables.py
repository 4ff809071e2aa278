"""CREATE TABLE, CREATE VIEW and DROP, with what Databricks adds to them."""

from __future__ import annotations

import shutil
from pathlib import Path

from databricks_local.errors import invalid, refused
from databricks_local.execution import annotations as attached
from databricks_local.execution import catalog_entries, delta, governance, governed_paths, secured, sources
from databricks_local.execution.context import Context, Outcome, Relation
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.queries import runnable
from databricks_local.sql.create_table import CreateTable, parse_create_table
from databricks_local.sql.reader import Name, Reader


def _create_table(context: Context, reader: Reader) -> Outcome:
    statement = parse_create_table(reader)
    relation = context.resolve(statement.name)
    definition = context.definition(relation)
    exists = context.exists(relation)
    if exists and definition is not None and statement.or_replace:
        raise refused(
            "CANNOT_REPLACE_MANAGED_DATASET",
            f"{relation} is a {definition.kind.lower()}; drop it before making a table of that name",
        )
    if exists and statement.if_not_exists:
        return None
    replaces_clone = exists and statement.or_replace and _is_replaceable_clone(context, relation, statement)
    if not exists:
        context.store.drop_table(relation.database, relation.table)
        _clear_location(context, relation)
    if statement.clone_of is not None:
        _refuse_clone(context, statement.clone_of[0])
    if statement.clone_of is not None and statement.clone_of[1]:
        return _deep_clone(context, statement, relation)
    try:
        with runnable(context, statement.sql) as sql:
            frame = _replace_clone(context, relation, sql) if replaces_clone else context.sql(sql)
    except BaseException:
        if not exists and not context.exists(relation):
            _clear_location(context, relation)
        raise
    _annotate(context, relation, statement)
    return frame


def _annotate(context: Context, relation: Relation, statement: CreateTable) -> None:
    with context.store.transaction():
        if statement.or_replace:
            attached.clear(context, relation)
        for column, mask in statement.masks.items():
            attached.set_mask(context, relation, column, mask)
        if statement.row_filter is not None:
            attached.set_row_filter(context, relation, statement.row_filter)
        for key in statement.keys:
            attached.add_key(context, relation, key)


def _refuse_clone(context: Context, source: Name) -> None:
    """Refuse to clone a streaming table, a materialized view, or what the principal may not see as it is."""
    governed_paths.refuse_name(context, source)
    relation = context.resolve(source)
    secured.refuse_on_secured(context, relation, "CLONE", "a clone")
    definition = context.definition(relation)
    if definition is not None:
        raise refused(
            f"{definition.kind.replace(' ', '_')}_OPERATION_NOT_ALLOWED",
            f"CLONE is not allowed on {relation}, a {definition.kind.lower()}; make a table from a query of it",
        )


def _is_replaceable_clone(context: Context, relation: Relation, statement: CreateTable) -> bool:
    """Whether CREATE OR REPLACE puts a shallow clone in the place of another.

    In Unity Catalog a shallow clone is a type of table, which a replacement cannot change. That is why dbt-databricks
    drops a table before it clones into its place, and a clone before it builds a table there:
    https://github.com/databricks/dbt-databricks/pull/1592

    Raises:
        NotSupportedError: INVALID_PARAMETER_VALUE.UPDATE_TABLE_TYPE says what to drop.
    """
    entry = catalog_entries.entry(context, relation)
    if entry.delta is None:
        return False
    source = statement.clone_of[0] if statement.clone_of is not None and not statement.clone_of[1] else None
    if (source is not None) != entry.delta.shallow_clone:
        kinds = ("a shallow clone", "a table of its own")
        was, becomes = kinds if entry.delta.shallow_clone else reversed(kinds)
        raise refused(
            "INVALID_PARAMETER_VALUE.UPDATE_TABLE_TYPE",
            f"{relation} is {was}, and a replacement cannot make it {becomes}; drop it first",
        )
    # What is cloned must not be emptied first: that a table is cloned into itself is left to Delta, which refuses it.
    return source is not None and context.resolve(source) != relation


def _replace_clone(context: Context, relation: Relation, sql: str) -> Outcome:
    """Clone into the place of a shallow clone, whose history goes on.

    Open Delta clones into an empty table only: the rows go in a commit before, and come back if the cloning fails.
    """
    version = delta.version(context, relation)
    context.sql(f"DELETE FROM {relation.quoted()}")
    try:
        return context.sql(sql)
    except BaseException:
        context.sql(f"RESTORE TABLE {relation.quoted()} TO VERSION AS OF {version}")
        raise


def _deep_clone(context: Context, statement: CreateTable, relation: Relation) -> Outcome:
    assert statement.clone_of is not None
    source = context.resolve(statement.clone_of[0])
    if not context.exists(source):
        raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"the table {source} cannot be found")
    verb = "CREATE OR REPLACE TABLE" if statement.or_replace else "CREATE TABLE"
    return context.sql(f"{verb} {relation.quoted()} USING DELTA AS SELECT * FROM {source.quoted()}")


def _clear_location(context: Context, relation: Relation) -> None:
    """Remove what a creation that failed or was cut off left where the new table goes.

    A managed table of Unity Catalog gets a fresh directory; here the directory has the table's name.
    """
    root = context.warehouse.root
    parent = root if relation.database == "default" else root / f"{relation.database}.db"
    path = parent / relation.table
    if path.is_dir() and not _is_location_of_another(context, path):
        shutil.rmtree(path)


def _is_location_of_another(context: Context, path: Path) -> bool:
    return any(table.location == str(path) for table in context.store.tables())


def _create_view(context: Context, reader: Reader) -> Outcome:
    prepared = sources.prepare(context, reader.sql)
    if prepared.views:
        prepared.drop_views(context)
        raise refused(
            "VIEW_OVER_TABLE_FUNCTION",
            "a stored view over read_files(), read_kafka(), event_log() or information_schema is not kept here; "
            "make a streaming table, a materialized view or a table",
        )
    return context.sql(reader.sql)


def _create_temporary_view(context: Context, reader: Reader) -> Outcome:
    # The views that stand for its sources live as long as the session, as the temporary view does.
    return context.sql(sources.prepare(context, reader.sql).sql)


def _drop(context: Context, reader: Reader) -> Outcome:
    """DROP {STREAMING TABLE | MATERIALIZED VIEW | TABLE | VIEW}: Spark knows tables and views only."""
    reader.expect_words("DROP")
    asked = _drop_kind(reader)
    if_exists = reader.accept_words("IF", "EXISTS")
    relation = context.resolve(reader.name())
    definition = context.definition(relation)
    if not context.exists(relation):
        if if_exists:
            context.store.drop_table(relation.database, relation.table)
            return None
        raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"the table or view {relation} cannot be found")
    kind = "VIEW" if definition is None and _is_view(context, relation) else "TABLE"
    if definition is None and asked in ("STREAMING TABLE", "MATERIALIZED VIEW"):
        raise invalid("WRONG_COMMAND_FOR_OBJECT_TYPE", f"{relation} is no {asked.lower()}; use DROP {kind}")
    if asked == "VIEW" and definition is not None and definition.kind == "MATERIALIZED VIEW":
        kind = "TABLE"
    elif asked == "VIEW" and kind == "TABLE":
        raise invalid("WRONG_COMMAND_FOR_OBJECT_TYPE", f"{relation} is no view; use DROP TABLE")
    elif asked == "TABLE" and kind == "VIEW":
        raise invalid("WRONG_COMMAND_FOR_OBJECT_TYPE", f"{relation} is a view; use DROP VIEW")
    outcome = context.sql(f"DROP {kind} {relation.quoted()}")
    if definition is not None:
        shutil.rmtree(context.warehouse.checkpoints / definition.table_id, ignore_errors=True)
    return outcome


def _drop_kind(reader: Reader) -> str:
    for words in (("STREAMING", "TABLE"), ("MATERIALIZED", "VIEW"), ("TABLE",), ("VIEW",)):
        if reader.accept_words(*words):
            return " ".join(words)
    return reader.fail("expected TABLE or VIEW")


def _is_view(context: Context, relation: Relation) -> bool:
    entry = context.warehouse.mirror.external.getTable(relation.database, relation.table)
    return str(entry.tableType().name()) == "VIEW"


def _parse_rename(reader: Reader) -> tuple[str, Name, Name] | None:
    """Kind, old and new name of ALTER {TABLE | VIEW} … RENAME TO …; None for any other ALTER."""
    reader.expect_words("ALTER")
    kind = next((kind for kind in ("TABLE", "VIEW") if reader.accept_words(kind)), None)
    if kind is None:
        return None
    name = reader.name()
    return (kind, name, reader.name()) if reader.accept_words("RENAME", "TO") else None


def _is_rename(reader: Reader) -> bool:
    at_alter = reader.at_words("ALTER", "TABLE") or reader.at_words("ALTER", "VIEW")
    return at_alter and _parse_rename(Reader(reader.sql)) is not None


def _rename(context: Context, reader: Reader) -> Outcome:
    """Spark takes a new name of at most two parts."""
    governance.refuse_on_kinds(context, reader)
    parsed = _parse_rename(reader)
    assert parsed is not None
    reader.expect_end()
    kind, old, new = parsed
    relation = context.resolve(old)
    # A new name of one part stays in the schema of the old one.
    target = Relation(relation.database, new.table.lower()) if len(new.parts) == 1 else context.resolve(new)
    name = Name((target.database, target.table)).quoted()
    return context.sql(f"ALTER {kind} {relation.quoted()} RENAME TO {name}")


RENAME_HANDLERS = [Handler(_is_rename, _rename)]

HANDLERS = [
    Handler(
        begins(
            ("CREATE", "TABLE"),
            ("CREATE", "OR", "REPLACE", "TABLE"),
            ("REPLACE", "TABLE"),
            ("CREATE", "EXTERNAL", "TABLE"),
        ),
        _create_table,
    ),
    Handler(begins(("CREATE", "VIEW"), ("CREATE", "OR", "REPLACE", "VIEW")), _create_view),
    Handler(
        begins(
            ("CREATE", "TEMPORARY", "VIEW"),
            ("CREATE", "TEMP", "VIEW"),
            ("CREATE", "OR", "REPLACE", "TEMPORARY", "VIEW"),
            ("CREATE", "OR", "REPLACE", "TEMP", "VIEW"),
        ),
        _create_temporary_view,
    ),
    Handler(
        begins(
            ("DROP", "TABLE"),
            ("DROP", "VIEW"),
            ("DROP", "STREAMING", "TABLE"),
            ("DROP", "MATERIALIZED", "VIEW"),
        ),
        _drop,
    ),
]
