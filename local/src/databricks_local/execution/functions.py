"""CREATE FUNCTION and CREATE VIEW whose text asks who runs a statement.

Spark creates them with the answers for the owner of the warehouse; the text as written is kept, and
execution/secured.py answers it anew for each principal.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-sql-function
"""

from __future__ import annotations

from databricks_local.execution.catalog_entries import VIEW_TEXT
from databricks_local.execution.context import Context, Outcome
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.identity import asks_identity, asks_membership, identity_edits
from databricks_local.sql.reader import Reader
from databricks_local.sql.splice import splice

FUNCTION = "FUNCTION"
FUNCTION_BODY = "function_body"

_CREATE_FUNCTION = begins(("CREATE", "FUNCTION"), ("CREATE", "OR", "REPLACE", "FUNCTION"))
_CREATE_VIEW = begins(("CREATE", "VIEW"), ("CREATE", "OR", "REPLACE", "VIEW"))


def _for_owner(context: Context, reader: Reader) -> str:
    owner = Context(context.spark, context.warehouse)
    return splice(reader.sql, identity_edits(owner, reader.tokens))


def _create_function(context: Context, reader: Reader) -> Outcome:
    text = _for_owner(context, reader)
    reader.expect_words("CREATE")
    reader.accept_words("OR", "REPLACE")
    reader.expect_words("FUNCTION")
    if_not_exists = reader.accept_words("IF", "NOT", "EXISTS")
    function = context.resolve(reader.name())
    known = context.warehouse.mirror.external.functionExists(function.database, function.table)
    outcome = context.sql(text)
    if not (if_not_exists and known):
        signature = reader.rest()
        body = {
            "signature": signature,
            "statement": reader.sql.strip(),
            "database": context.current_database,
        }
        context.store.annotate(FUNCTION, function.database, function.table, FUNCTION_BODY, body)
    return outcome


def _drop_function(context: Context, reader: Reader) -> Outcome:
    outcome = context.sql(reader.sql)
    reader.expect_words("DROP", "FUNCTION")
    reader.accept_words("IF", "EXISTS")
    function = context.resolve(reader.name())
    context.store.unannotate(FUNCTION, function.database, function.table, FUNCTION_BODY)
    return outcome


def _asks_in_view(reader: Reader) -> bool:
    return _CREATE_VIEW(reader) and asks_identity(reader.tokens)


def _create_view(context: Context, reader: Reader) -> Outcome:
    text = _for_owner(context, reader) if asks_membership(reader.tokens) else reader.sql
    outcome = context.sql(text)
    reader.expect_words("CREATE")
    reader.accept_words("OR", "REPLACE")
    reader.expect_words("VIEW")
    reader.accept_words("IF", "NOT", "EXISTS")
    view = context.resolve(reader.name())
    while not reader.accept_words("AS"):
        if reader.at_symbol("("):
            reader.skip_group()
        else:
            reader.next()
    stored = context.warehouse.mirror.external.getTable(view.database, view.table).viewText().get()
    body = {"written": reader.rest(), "stored": str(stored)}
    context.store.annotate("TABLE", view.database, view.table, VIEW_TEXT, body)
    return outcome


HANDLERS = [
    Handler(_CREATE_FUNCTION, _create_function),
    Handler(begins(("DROP", "FUNCTION")), _drop_function),
    Handler(_asks_in_view, _create_view),
]
