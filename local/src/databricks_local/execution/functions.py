"""CREATE FUNCTION, and CREATE VIEW whose text asks who runs a statement.

Spark creates them with the answers for the owner of the warehouse; the text as written is kept, and
execution/secured.py answers it anew for each principal. Functions in another language than SQL run in an environment of
Databricks, which is not here.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-sql-function
"""

from __future__ import annotations

from databricks_local.errors import refused
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


def _foreign_language(reader: Reader) -> str | None:
    """The language of a CREATE [TEMPORARY] FUNCTION that is not in SQL, in upper case; None for any other statement."""
    reader = Reader(reader.sql)
    if not reader.accept_words("CREATE"):
        return None
    reader.accept_words("OR", "REPLACE")
    if not reader.accept_words("TEMPORARY"):
        reader.accept_words("TEMP")
    if not reader.accept_words("FUNCTION"):
        return None
    # The clauses stand before the body, in any order.
    while (token := reader.peek()) is not None and not token.is_word("AS", "RETURN"):
        if token.is_symbol("("):
            reader.skip_group()
        elif reader.accept_words("LANGUAGE"):
            language = reader.identifier().upper()
            return None if language == "SQL" else language
        else:
            reader.next()
    return None


def _in_foreign_language(reader: Reader) -> bool:
    return reader.at_words("CREATE") and _foreign_language(reader) is not None


def _refuse_language(context: Context, reader: Reader) -> Outcome:
    language = _foreign_language(reader)
    raise refused(
        f"UNSUPPORTED_STATEMENT.CREATE_FUNCTION_LANGUAGE_{language}",
        f"CREATE FUNCTION … LANGUAGE {language} is a statement of Databricks that the local executor does not run; "
        "write the function in SQL (LANGUAGE SQL, RETURN …), or compute the column in a Python model",
    )


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
            "principal": context.principal,
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
    Handler(_in_foreign_language, _refuse_language),
    Handler(_CREATE_FUNCTION, _create_function),
    Handler(begins(("DROP", "FUNCTION")), _drop_function),
    Handler(_asks_in_view, _create_view),
]
