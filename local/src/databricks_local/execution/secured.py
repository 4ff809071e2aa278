"""Queries of a principal: masks and row filters of every table they reach, and the principal's own
identity.

Each table with a mask or a row filter is replaced by a temporary view that applies them, each view
by its query, with the same done inside. A function runs with the rights of its owner, so the tables
that a mask or a filter looks into are read as they are, unless a principal created the function;
the identity functions in it answer for the principal who asks.
https://docs.databricks.com/aws/en/data-governance/unity-catalog/filters-and-masks/
"""

from __future__ import annotations

import itertools
from typing import Any

from pyspark.sql import DataFrame

from databricks_local.catalog.mirror import VIEW
from databricks_local.errors import NotSupportedError, refused
from databricks_local.execution import catalog_entries, governed_paths
from databricks_local.execution.catalog_entries import CatalogEntry
from databricks_local.execution.context import Context, Relation
from databricks_local.execution.functions import FUNCTION_BODY
from databricks_local.execution.identity import identity_edits, mentions_membership
from databricks_local.execution.prepared import PreparedQuery
from databricks_local.runtime.session import CATALOG
from databricks_local.sql.reader import Reader
from databricks_local.sql.references import TableReference, table_references
from databricks_local.sql.splice import Edit, splice
from databricks_local.sql.tokens import (
    Kind,
    Token,
    identifier_value,
    quote_identifier,
    string_value,
)

_numbers = itertools.count()
_TIME_TRAVEL = ("VERSION", "TIMESTAMP", "FOR")

# DEFINER rights stay with a view or function; only what reads data is rewritten.
_NOT_REWRITTEN = (
    ("CREATE", "VIEW"), ("CREATE", "OR", "REPLACE", "VIEW"), ("CREATE", "FUNCTION"),
    ("CREATE", "OR", "REPLACE", "FUNCTION"), ("ALTER",), ("DROP",), ("GRANT",), ("REVOKE",),
    ("COMMENT",), ("USE",),
    ("SET",), ("SHOW",), ("DESCRIBE",), ("DESC",),
)  # fmt: skip


def secure(context: Context, sql: str) -> PreparedQuery:
    """A statement that shows the context's principal only what its masks and row filters let
    through.

    For the owner of the warehouse (no principal) masks and filters do not apply; only `is_member`
    and `is_account_group_member`, which Spark lacks, are answered.

    Args:
        context: the session; temporary views are made in it, and the caller drops them.
        sql: one statement that Spark knows, and the two functions.

    Raises:
        NotSupportedError: a masked or filtered table is read by time travel, by its change feed, by
            path, or by a name that is only known when it runs.
    """
    prepared = PreparedQuery(sql)
    if context.principal is None and not mentions_membership(sql):
        return prepared
    reader = Reader(sql)
    sets_variable = reader.at_words("SET", "VAR") or reader.at_words("SET", "VARIABLE")
    if not sets_variable and any(reader.at_words(*words) for words in _NOT_REWRITTEN):
        return prepared
    if context.principal is None:
        prepared.sql = splice(sql, identity_edits(context, reader.tokens))
        return prepared
    rewriting = _Rewriting(context, prepared)
    try:
        prepared.sql = rewriting.statement(sql, context.current_database)
    except BaseException:
        prepared.drop_views(context)
        raise
    return prepared


def secure_stream(context: Context, prepared: PreparedQuery, relation: Relation, frame: DataFrame) -> DataFrame:
    """A stream of a table as the context's principal may see it.

    Args:
        context: the session; its principal is set.
        prepared: gets the temporary views and functions, which live until the stream is analyzed.
        relation: the table.
        frame: its rows, as they are.
    """
    return _Rewriting(context, prepared).stream(relation, frame)


def refuse_on_secured(context: Context, relation: Relation, feature: str, what: str) -> None:
    """Refuse to a principal what Databricks does not support on a table with masks or a row filter.

    Args:
        context: the session, and who asks.
        relation: the table; it need not exist.
        feature: the last part of the error class.
        what: what of the table cannot be had, e.g. `its history`.

    Raises:
        NotSupportedError: names the table.
    """
    if context.principal is not None and catalog_entries.is_secured(context, relation):
        raise refusal(relation, feature, what)


def refusal(relation: Relation, feature: str, what: str) -> NotSupportedError:
    """The error for what a principal cannot have of a table with masks or a row filter.

    The name is the one of
    https://docs.databricks.com/aws/en/error-messages/row-level-security-column-mask-feature-not-supported-error-class.
    """
    return refused(
        f"ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED.{feature}",
        f"{relation} has a column mask or a row filter: {what} can be had by the owner only, on a connection without "
        "principal; query the table as it is now",
    )


class _Rewriting:
    """The rewriting of one statement; makes each table, view and function once."""

    def __init__(self, context: Context, prepared: PreparedQuery) -> None:
        self._context = context
        self._prepared = prepared
        self._replaced: dict[Relation, str | None] = {}
        self._functions: dict[Relation, str | None] = {}
        self._entries = {e.relation: e for e in catalog_entries.entries(context)}
        self._bodies = {
            Relation(database, name): body for _, database, name, _, _, body in context.store.annotations(FUNCTION_BODY)
        }

    def statement(self, sql: str, database: str, *, qualify: bool = False) -> str:
        """Rewrite a statement whose one-part names belong to a schema."""
        reader = Reader(sql)
        tokens = reader.tokens
        edits = identity_edits(self._context, tokens)
        self._refuse_indirect(tokens, database)
        for reference in table_references(tokens):
            edits.extend(self._table(reference, tokens, database, qualify=qualify))
        edits.extend(self._calls(tokens, database, qualify=qualify))
        return splice(sql, edits)

    # tables and views

    def _table(self, reference: TableReference, tokens: list[Token], database: str, *, qualify: bool) -> list[Edit]:
        parts = reference.name.parts
        if len(parts) == 1 and (text := self._temporary_view(parts[0])) is not None:
            return [_replacement(reference, self._view_of(text, database), tokens)]
        if (path := governed_paths.path_of(self._context, reference.name)) is not None:
            governed_paths.refuse_path(self._context, path)
            return []
        if len(parts) == 1 and self._context.is_temporary_view(parts[0]):
            return []
        if len(parts) == 3 and parts[0].lower() != CATALOG:
            return []
        relation = Relation((parts[-2] if len(parts) > 1 else database).lower(), parts[-1].lower())
        secured = self._replacement_of(relation)
        if secured is None:
            if qualify and len(parts) == 1:
                return [Edit(reference.start, reference.end, relation.quoted())]
            return []
        following = tokens[reference.after] if reference.after < len(tokens) else None
        if following is not None and (following.is_symbol("@") or _is_time_travel(tokens, reference.after)):
            raise self._refusal(relation, "TIME_TRAVEL", "its earlier versions")
        return [_replacement(reference, secured, tokens)]

    def _replacement_of(self, relation: Relation) -> str | None:
        if relation not in self._replaced:
            entry = self._entries.get(relation)
            if entry is None:
                self._replaced[relation] = None
            elif entry.kind == VIEW:
                self._replaced[relation] = self._stored_view(entry)
            else:
                self._replaced[relation] = self._secured_table(entry)
        return self._replaced[relation]

    def _stored_view(self, entry: CatalogEntry) -> str:
        text = entry.view_text
        assert text is not None
        namespace = self._context.warehouse.mirror.external.getTable(
            entry.relation.database, entry.relation.table
        ).viewCatalogAndNamespace()
        database = str(namespace.last()) if namespace.size() else entry.relation.database
        names = [column.name for column in entry.columns]
        return self._view_of(text, database, names)

    def _view_of(self, text: str, database: str, names: list[str] | None = None) -> str:
        frame = self._context.sql(self.statement(text, database, qualify=True))
        if names is not None:
            frame = frame.toDF(*names)
        return self._put(frame)

    def _secured_table(self, entry: CatalogEntry) -> str | None:
        text = self._secured_text(entry, entry.relation.quoted())
        return None if text is None else self._put(self._context.sql(text))

    def stream(self, relation: Relation, frame: DataFrame) -> DataFrame:
        """A stream of a table with its masks and row filter."""
        text = self._secured_text(self._entries[relation], quote_identifier(self._put(frame)))
        return frame if text is None else self._context.sql(text)

    def _secured_text(self, entry: CatalogEntry, source: str) -> str | None:
        """A query that applies the masks and the row filter of a table to its rows; None if it has neither."""
        masks = catalog_entries.masks(self._context, entry.relation)
        row_filter = catalog_entries.row_filter(self._context, entry.relation)
        if not masks and row_filter is None:
            return None
        by_name = {column.lower(): body for column, body in masks.items()}
        columns = []
        for column in entry.columns:
            quoted = quote_identifier(column.name)
            mask = by_name.get(column.name.lower())
            if mask is None:
                columns.append(quoted)
            else:
                arguments = [quoted, *(_argument(entry, value) for value in mask["using"])]
                value = f"{self._function_name(mask['function'])}({', '.join(arguments)})"
                columns.append(f"CAST({value} AS {column.data_type.simpleString()}) AS {quoted}")
        text = f"SELECT {', '.join(columns)} FROM {source}"
        if row_filter is not None:
            arguments = [_argument(entry, value) for value in row_filter["columns"]]
            text += f" WHERE {self._function_name(row_filter['function'])}({', '.join(arguments)})"
        return text

    def _put(self, frame: Any) -> str:
        view = f"__databricks_local_secured_{next(_numbers)}"
        frame.createOrReplaceTempView(view)
        self._prepared.views.append(view)
        return view

    def _temporary_view(self, name: str) -> str | None:
        """The query of a temporary view that was made by SQL; None for any other name."""
        catalog = self._context.spark._jsparkSession.sessionState().catalog()
        found = catalog.getRawTempView(name)
        if not found.isDefined():
            return None
        text = found.get().tableMeta().viewText()
        return str(text.get()) if text.isDefined() else None

    # functions

    def _function_name(self, parts: list[str]) -> str:
        function = Relation(parts[1], parts[2])
        temporary = self._function(function)
        return function.quoted() if temporary is None else quote_identifier(temporary)

    def _function(self, function: Relation) -> str | None:
        """A temporary function that does the same for the principal; None if the stored does."""
        if function not in self._functions:
            self._functions[function] = None
            body = self._bodies.get(function)
            if body is not None:
                rewritten = self._function_text(body)
                if rewritten != body["signature"]:
                    name = f"__databricks_local_function_{next(_numbers)}"
                    self._context.sql(f"CREATE TEMPORARY FUNCTION {quote_identifier(name)} {rewritten}")
                    self._prepared.functions.append(name)
                    self._functions[function] = name
        return self._functions[function]

    def _function_text(self, body: dict[str, Any]) -> str:
        text: str = body["signature"]
        tokens = Reader(text).tokens
        edits = identity_edits(self._context, tokens)
        edits.extend(self._calls(tokens, body["database"], qualify=True))
        if body.get("principal") is not None:
            self._refuse_indirect(tokens, body["database"])
            for reference in table_references(tokens):
                edits.extend(self._table(reference, tokens, body["database"], qualify=True))
            return splice(text, edits)
        if not edits:
            return text
        # A temporary function is analyzed in the session's schema, a stored one in the schema it
        # was made in.
        for reference in table_references(tokens):
            if len(reference.name.parts) == 1:
                relation = Relation(body["database"].lower(), reference.name.table.lower())
                edits.append(Edit(reference.start, reference.end, relation.quoted()))
        return splice(text, edits)

    def _calls(self, tokens: list[Token], database: str, *, qualify: bool) -> list[Edit]:
        """Calls of stored functions whose answer depends on the principal."""
        edits = []
        for index, token in enumerate(tokens):
            if token.kind not in (Kind.WORD, Kind.QUOTED) or (index and tokens[index - 1].is_symbol(".")):
                continue
            parts = [identifier_value(token)]
            after = index + 1
            while after + 1 < len(tokens) and tokens[after].is_symbol("."):
                if tokens[after + 1].kind not in (Kind.WORD, Kind.QUOTED):
                    break
                parts.append(identifier_value(tokens[after + 1]))
                after += 2
            if after >= len(tokens) or not tokens[after].is_symbol("(") or len(parts) > 3:
                continue
            function = Relation((parts[-2] if len(parts) > 1 else database).lower(), parts[-1].lower())
            if function not in self._bodies:
                continue
            temporary = self._function(function)
            if temporary is not None:
                edits.append(Edit(token.start, tokens[after - 1].end, quote_identifier(temporary)))
            elif qualify and len(parts) == 1:
                edits.append(Edit(token.start, tokens[after - 1].end, function.quoted()))
        return edits

    # ways around

    def _refuse_indirect(self, tokens: list[Token], database: str) -> None:
        for index, token in enumerate(tokens[:-2]):
            if token.is_word("EXECUTE") and tokens[index + 1].is_word("IMMEDIATE"):
                raise refused(
                    "UNSUPPORTED_FEATURE.EXECUTE_IMMEDIATE_OF_PRINCIPAL",
                    "EXECUTE IMMEDIATE hides which table is read; a connection with a principal must name it",
                )
            if not tokens[index + 1].is_symbol("("):
                continue
            argument = tokens[index + 2]
            function = identifier_value(token).upper()
            if token.is_word("IDENTIFIER"):
                raise refused(
                    "UNSUPPORTED_FEATURE.IDENTIFIER_OF_PRINCIPAL",
                    "IDENTIFIER(…) hides which table is read; a connection with a principal must name it",
                )
            if function in ("TABLE_CHANGES", "TABLE_CHANGES_BY_PATH"):
                following = tokens[index + 3] if index + 3 < len(tokens) else None
                if argument.kind is not Kind.STRING or following is None or not following.is_symbol(",", ")"):
                    raise refused(
                        "UNSUPPORTED_FEATURE.CHANGE_FEED_OF_PRINCIPAL",
                        f"{function}(…) of an expression hides which table is read; a connection with a principal "
                        "must name it by a plain string",
                    )
                self._refuse_changes(function, string_value(argument), database)

    def _refuse_changes(self, function: str, argument: str, database: str) -> None:
        if function == "TABLE_CHANGES_BY_PATH":
            governed_paths.refuse_path(self._context, argument)
            return
        name = Reader(argument).name()
        governed_paths.refuse_name(self._context, name)
        relation = Relation((name.parts[-2] if len(name.parts) > 1 else database).lower(), name.table.lower())
        if self._replacement_of(relation) is not None:
            raise self._refusal(relation, "CHANGE_FEED", "its change feed")

    def _refusal(self, relation: Relation, feature: str, what: str) -> NotSupportedError:
        if self._entries[relation].kind == VIEW:
            return refused(f"UNSUPPORTED_FEATURE.{feature}_OF_VIEW", f"{relation} is a view and has no {what[4:]}")
        return refusal(relation, feature, what)


def _is_time_travel(tokens: list[Token], index: int) -> bool:
    if not tokens[index].is_word(*_TIME_TRAVEL):
        return False
    following = tokens[index + 1 : index + 2]
    return bool(following) and following[0].is_word("AS", "SYSTEM_VERSION", "SYSTEM_TIME", "VERSION", "TIMESTAMP")


_NO_ALIASES = (
    "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "MINUS", "INTERSECT",
    "JOIN", "INNER",
    "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "SEMI", "ANTI", "ON", "USING", "LATERAL", "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE", "WINDOW", "QUALIFY", "CLUSTER", "DISTRIBUTE", "SORT", "SELECT", "WHEN", "FETCH",
    "VERSION",
    "TIMESTAMP", "FOR", "WITH",
)  # fmt: skip


def _replacement(reference: TableReference, view: str, tokens: list[Token]) -> Edit:
    """The view in place of the name, called by the table's name where the query gives no alias."""
    before = next((t for t in reversed(tokens) if t.end <= reference.start), None)
    if before is not None and before.is_word("TABLE"):
        return Edit(reference.start, reference.end, quote_identifier(view))
    following = tokens[reference.after] if reference.after < len(tokens) else None
    has_alias = following is not None and (
        following.is_word("AS")
        or following.kind is Kind.QUOTED
        or (following.kind is Kind.WORD and not following.is_word(*_NO_ALIASES))
    )
    if has_alias or (following is not None and following.is_word("TABLESAMPLE")):
        return Edit(reference.start, reference.end, quote_identifier(view))
    alias = quote_identifier(reference.name.table)
    return Edit(reference.start, reference.end, f"{quote_identifier(view)} AS {alias}")


def _argument(entry: CatalogEntry, value: str) -> str:
    """A column, or a literal as it was written."""
    names = {column.name.lower(): column.name for column in entry.columns}
    return quote_identifier(names[value.lower()]) if value.lower() in names else value
