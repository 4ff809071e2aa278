"""DESCRIBE, SHOW TABLE EXTENDED, SHOW CREATE TABLE and SHOW COLUMNS as Databricks prints them.

Spark prints less: of a Delta table its in-memory catalog knows no columns, and it has no streaming
tables, materialized views, keys, masks or owners.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-aux-describe-table,
…-aux-show-table, …-aux-show-create-table, …-aux-show-columns.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from databricks_local.catalog.mirror import VIEW
from databricks_local.errors import invalid
from databricks_local.execution import catalog_entries, governed_paths, secured
from databricks_local.execution.catalog_entries import CatalogEntry, Column
from databricks_local.execution.context import Context, Outcome, Relation, Result
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.information_schema import referenced_columns
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import Kind, quote_identifier, quote_string

Rows = list[tuple[str, str | None, str | None]]

_BLANK = ("", "", "")
_HEADING = ("# col_name", "data_type", "comment")

# Things that DESCRIBE has other statements for, which Spark and Delta answer.
_OTHER_DESCRIBES = (
    "SCHEMA",
    "DATABASE",
    "CATALOG",
    "FUNCTION",
    "QUERY",
    "HISTORY",
    "DETAIL",
    "NAMESPACE",
)

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}
_INTERVAL = re.compile(r"AT MOST EVERY (?:INTERVAL )?'?(\d+)'?\s*'?([A-Z]+?)S?'?$", re.IGNORECASE)


def refresh_schedule(entry: CatalogEntry) -> str:
    """The schedule of a streaming table or materialized view; `MANUAL` where there is none.

    Databricks answers in its own words: a CRON schedule always has a time zone, and the smallest
    distance between two refreshes on update is given in seconds.
    """
    assert entry.definition is not None
    text = entry.definition.body.get("schedule")
    if not text:
        return "MANUAL"
    if text.startswith("CRON") and "AT TIME ZONE" not in text:
        return f"{text} AT TIME ZONE 'Etc/UTC'"
    found = _INTERVAL.search(text)
    if text.startswith("TRIGGER") and found is not None:
        seconds = int(found[1]) * _SECONDS[found[2].upper()]
        return f"TRIGGER ON UPDATE AT MOST EVERY INTERVAL {seconds} SECOND"
    return str(text)


# DESCRIBE


def _describe(context: Context, reader: Reader) -> Outcome:
    reader.next()
    if any(reader.at_words(word) for word in _OTHER_DESCRIBES):
        _refuse_history(context, reader)
        return context.sql(reader.sql)
    reader.accept_words("TABLE")
    extended = reader.accept_words("EXTENDED") or reader.accept_words("FORMATTED")
    if reader.at_words("SELECT") or reader.at_words("WITH") or reader.at_symbol("("):
        return context.sql(reader.sql)
    name = reader.name()
    as_json = reader.accept_words("AS", "JSON")
    if not reader.at_end or _is_temporary(context, name) or (len(name.parts) == 3 and name.parts[0].lower() != CATALOG):
        # A column, a partition, a temporary view, a path or another catalog.
        return context.sql(reader.sql)
    relation = context.resolve(name)
    if "/" in name.table:
        governed_paths.refuse_name(context, name)
        return context.sql(reader.sql)
    entry = catalog_entries.entry(context, relation)
    if as_json:
        if not extended:
            raise invalid("DESCRIBE_JSON_NOT_EXTENDED", "AS JSON needs DESCRIBE TABLE EXTENDED")
        return Result("json_metadata string", [(json.dumps(_json(context, entry)),)])
    rows = _column_rows(entry)
    if extended:
        rows += _detail_rows(context, entry)
    return Result("col_name string, data_type string, comment string", list(rows))


def _refuse_history(context: Context, reader: Reader) -> None:
    """The history of a masked table tells what was written: its predicates hold values.

    https://docs.databricks.com/aws/en/error-messages/row-level-security-column-mask-feature-not-supported-error-class
    """
    is_history = reader.accept_words("HISTORY")
    if context.principal is None or not (is_history or reader.accept_words("DETAIL")) or reader.at_end:
        return
    if reader.tokens[reader.position].kind is Kind.STRING:
        governed_paths.refuse_path(context, reader.string())
        return
    name = reader.name()
    governed_paths.refuse_name(context, name)
    if is_history:
        secured.refuse_on_secured(context, context.resolve(name), "DESCRIBE_HISTORY", "its history")


def _is_temporary(context: Context, name: Name) -> bool:
    return len(name.parts) == 1 and context.is_temporary_view(name.table)


def _column_row(column: Column) -> tuple[str, str | None, str | None]:
    return column.name, column.text, column.comment


def _column_rows(entry: CatalogEntry) -> Rows:
    rows = [_column_row(column) for column in entry.columns]
    sections = (
        ("# Partition Information", entry.partition_columns),
        ("# Clustering Information", entry.clustering_columns),
    )
    for title, names in sections:
        if names:
            rows += [(title, "", ""), _HEADING]
            rows += [_named(entry, name) for name in names]
            rows.append(_BLANK)
    return rows[:-1] if rows and rows[-1] == _BLANK else rows


def _named(entry: CatalogEntry, name: str) -> tuple[str, str | None, str | None]:
    for column in entry.columns:
        if column.name == name:
            return _column_row(column)
    return name, None, None


def _detail_rows(context: Context, entry: CatalogEntry) -> Rows:
    rows: Rows = [_BLANK]
    if entry.delta is not None:
        rows += _statistics_rows(entry)
    rows.append(("# Detailed Table Information", "", ""))
    rows += [(label, value, "") for label, value in _details(entry)]
    rows += _refresh_rows(context, entry)
    rows += _section("# Constraints", _constraint_texts(context, entry.relation))
    masks = catalog_entries.masks(context, entry.relation)
    rows += _section(
        "# Column Masks",
        [(column, _call(body["function"], body["using"])) for column, body in masks.items()],
    )
    row_filter = catalog_entries.row_filter(context, entry.relation)
    if row_filter is not None:
        rows += _section("# Row Filter", [("Function", _call(row_filter["function"], row_filter["columns"]))])
    return rows


def _section(title: str, pairs: list[tuple[str, str]]) -> Rows:
    if not pairs:
        return []
    return [_BLANK, (title, "", ""), *((label, value, "") for label, value in pairs)]


def _call(function: list[str], arguments: list[str]) -> str:
    return f"{'.'.join(function)}({', '.join(arguments)})"


def _statistics_rows(entry: CatalogEntry) -> Rows:
    """The columns that Delta keeps statistics of: named by a property, or the first 32."""
    named = entry.properties.get("delta.dataSkippingStatsColumns")
    count = int(entry.properties.get("delta.dataSkippingNumIndexedCols", "32"))
    names = [column.name for column in entry.columns if column.name not in entry.partition_columns]
    shown = named if named is not None else ", ".join(names if count < 0 else names[:count])
    return [
        ("# Delta Statistics Columns", "", ""),
        ("Column Names", shown, ""),
        ("Column Selection Method", "assigned" if named is not None else f"first-{count}", ""),
        _BLANK,
    ]


def _details(entry: CatalogEntry) -> list[tuple[str, str]]:
    details = [
        ("Catalog", CATALOG),
        ("Database", entry.relation.database),
        ("Table", entry.relation.table),
        ("Created Time", _moment(entry.created)),
        ("Last Access", "UNKNOWN"),
        ("Created By", "Spark"),
        ("Type", entry.table_type),
    ]
    if entry.comment is not None:
        details.append(("Comment", entry.comment))
    if entry.location is not None:
        details.append(("Location", _uri(entry.location)))
    if entry.provider is not None:
        details.append(("Provider", entry.provider))
    details.append(("Owner", entry.owner))
    if entry.kind == "MANAGED":
        details.append(("Is_managed_location", "true"))
    if entry.properties:
        details.append(("Table Properties", _properties(entry)))
    if (text := entry.view_text) is not None:
        details.append(("View Text", text))
    return details


def _moment(moment: datetime) -> str:
    return moment.strftime("%a %b %d %H:%M:%S UTC %Y")


def _uri(location: str) -> str:
    return location if "://" in location else f"file:{location}"


def _properties(entry: CatalogEntry) -> str:
    return "[" + ",".join(f"{key}={value}" for key, value in entry.properties.items()) + "]"


def _refresh_rows(context: Context, entry: CatalogEntry) -> Rows:
    if entry.definition is None:
        return []
    rows: Rows = [_BLANK, ("# Refresh Information", "", "")]
    refreshes = context.store.refreshes(entry.relation.database, entry.relation.table)
    if refreshes:
        last = refreshes[-1]
        rows.append(("Latest Refresh", _moment(last["ended_at"]), ""))
        rows.append(
            (
                "Latest Refresh Status",
                "Succeeded" if last["status"] == "COMPLETED" else "Failed",
                "",
            )
        )
    rows.append(("Refresh Schedule", refresh_schedule(entry), ""))
    return rows


def _constraint_texts(context: Context, relation: Relation) -> list[tuple[str, str]]:
    texts = []
    for name, body in catalog_entries.keys(context, relation).items():
        text = f"{body['kind']} ({', '.join(map(quote_identifier, body['columns']))})"
        if body["references"] is not None:
            database, table, _ = body["references"]
            columns = ", ".join(map(quote_identifier, referenced_columns(context, body)))
            text += f" REFERENCES {Relation(database, table).quoted()} ({columns})"
        texts.append((name, text))
    return texts


# AS JSON


def _json(context: Context, entry: CatalogEntry) -> dict[str, Any]:
    columns = []
    for column in entry.columns:
        item: dict[str, Any] = {
            "name": column.name,
            "type": catalog_entries.column_type_json(column),
            "nullable": column.nullable,
        }
        if column.comment is not None:
            item["comment"] = column.comment
        if column.default is not None:
            item["default"] = column.default
        columns.append(item)
    found: dict[str, Any] = {
        "table_name": entry.relation.table,
        "catalog_name": CATALOG,
        "namespace": [entry.relation.database],
        "schema_name": entry.relation.database,
        "columns": columns,
        "owner": entry.owner,
        "created_time": entry.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_access": "UNKNOWN",
        "created_by": "Spark",
        "type": entry.table_type,
    }
    optional = {
        "provider": entry.provider,
        "comment": entry.comment,
        "location": None if entry.location is None else _uri(entry.location),
        "view_text": entry.view_text,
        "partition_columns": list(entry.partition_columns) or None,
        "clustering_columns": list(entry.clustering_columns) or None,
        "table_properties": entry.properties or None,
    }
    found |= {key: value for key, value in optional.items() if value is not None}
    if entry.definition is not None:
        found["refresh_information"] = {"refresh_schedule": refresh_schedule(entry)}
    masks = catalog_entries.masks(context, entry.relation)
    if masks:
        found["column_masks"] = [
            {
                "column_name": column,
                "function_name": _function(body),
                "using_column_names": body["using"],
            }
            for column, body in masks.items()
        ]
    row_filter = catalog_entries.row_filter(context, entry.relation)
    if row_filter is not None:
        found["row_filter"] = {
            "function_name": _function(row_filter),
            "column_names": row_filter["columns"],
        }
    constraints = _constraint_texts(context, entry.relation)
    if constraints:
        found["table_constraints"] = "[" + ", ".join(f"({name},{text})" for name, text in constraints) + "]"
    return found


def _function(body: dict[str, Any]) -> dict[str, str]:
    catalog, schema, name = body["function"]
    return {"catalog_name": catalog, "schema_name": schema, "function_name": name}


# SHOW


def _show_table_extended(context: Context, reader: Reader) -> Outcome:
    reader.expect_words("SHOW", "TABLE", "EXTENDED")
    database = context.current_database
    if reader.accept_words("IN") or reader.accept_words("FROM"):
        name = reader.name()
        database = name.table.lower()
        if not context.warehouse.mirror.external.databaseExists(database):
            raise invalid("SCHEMA_NOT_FOUND", f"The schema {name} cannot be found.")
    reader.accept_words("LIKE")
    pattern = reader.string()
    if not reader.at_end:
        return context.sql(reader.sql)
    rows = [
        (entry.relation.database, entry.relation.table, False, _information(entry))
        for entry in catalog_entries.entries(context, database)
        if _matches(pattern, entry.relation.table)
    ]
    return Result("namespace string, tableName string, isTemporary boolean, information string", rows)


def _matches(pattern: str, name: str) -> bool:
    """A pattern of SHOW: `*` for any characters, `|` between alternatives, in any case."""
    alternatives = (part.strip() for part in pattern.split("|"))
    return any(
        re.fullmatch(re.escape(part).replace(r"\*", ".*"), name, re.IGNORECASE) is not None for part in alternatives
    )


def _information(entry: CatalogEntry) -> str:
    lines = [f"{label}: {value}" for label, value in _details(entry)]
    if entry.partition_columns:
        lines.append(f"Partition Columns: [{', '.join(map(quote_identifier, entry.partition_columns))}]")
    lines.append(f"Schema: {entry.schema.treeString()}")
    return "\n".join(lines) + "\n"


def _show_create_table(context: Context, reader: Reader) -> Outcome:
    reader.expect_words("SHOW", "CREATE", "TABLE")
    name = reader.name()
    if _is_temporary(context, name):
        return context.sql(reader.sql)
    entry = catalog_entries.entry(context, context.resolve(name))
    if entry.definition is not None:
        text = str(entry.definition.body["sql"]).strip().rstrip(";")
    elif entry.kind == VIEW or entry.delta is None:
        return context.sql(reader.sql)
    else:
        text = _create_table(context, entry)
    return Result("createtab_stmt string", [(text,)])


def _create_table(context: Context, entry: CatalogEntry) -> str:
    items = []
    for column in entry.columns:
        item = f"{quote_identifier(column.name)} {column.text.upper()}"
        if not column.nullable:
            item += " NOT NULL"
        if column.comment is not None:
            item += f" COMMENT {quote_string(column.comment)}"
        items.append(item)
    items += [
        f"CONSTRAINT {quote_identifier(name)} {text}" for name, text in _constraint_texts(context, entry.relation)
    ]
    lines = [f"CREATE TABLE {entry.relation} (\n  " + ",\n  ".join(items) + ")", "USING delta"]
    if entry.partition_columns:
        lines.append(f"PARTITIONED BY ({', '.join(map(quote_identifier, entry.partition_columns))})")
    if entry.clustering_columns:
        lines.append(f"CLUSTER BY ({', '.join(entry.clustering_columns)})")
    if entry.comment is not None:
        lines.append(f"COMMENT {quote_string(entry.comment)}")
    if entry.kind == "EXTERNAL" and entry.location is not None:
        lines.append(f"LOCATION {quote_string(_uri(entry.location))}")
    if entry.properties:
        pairs = (f"{quote_string(key)} = {quote_string(value)}" for key, value in entry.properties.items())
        lines.append("TBLPROPERTIES (\n  " + ",\n  ".join(pairs) + ")")
    return "\n".join(lines)


def _show_columns(context: Context, reader: Reader) -> Outcome:
    reader.expect_words("SHOW", "COLUMNS")
    if not reader.accept_words("IN"):
        reader.expect_words("FROM")
    name = reader.name()
    if not reader.at_end or _is_temporary(context, name):
        return context.sql(reader.sql)
    entry = catalog_entries.entry(context, context.resolve(name))
    return Result("col_name string", [(column.name,) for column in entry.columns])


HANDLERS = [
    Handler(begins(("DESCRIBE",), ("DESC",)), _describe),
    Handler(begins(("SHOW", "TABLE", "EXTENDED")), _show_table_extended),
    Handler(begins(("SHOW", "CREATE", "TABLE")), _show_create_table),
    Handler(begins(("SHOW", "COLUMNS")), _show_columns),
]
