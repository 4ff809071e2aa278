"""INSERT INTO … REPLACE {WHERE | USING | ON}: the selective overwrites of Databricks SQL.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-dml-insert-into.
"""

from __future__ import annotations

from dataclasses import dataclass

from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import Kind

_QUERY_WORDS = ("SELECT", "VALUES", "TABLE", "WITH", "FROM")
# A bracket behind one of these belongs to the condition; behind anything else it opens the query.
_CONTINUING_WORDS = (
    "IN",
    "EXISTS",
    "AND",
    "OR",
    "NOT",
    "ANY",
    "ALL",
    "SOME",
    "LIKE",
    "BETWEEN",
    "IS",
    "WHEN",
    "THEN",
)


@dataclass(frozen=True)
class SelectiveInsert:
    """One statement; exactly one of `where`, `using` and `on` is set.

    Attributes:
        by_name: columns are matched by name rather than by position.
        schema_evolution: WITH SCHEMA EVOLUTION was written.
        where: the predicate of REPLACE WHERE.
        using: the columns of REPLACE USING.
        on: the condition of REPLACE ON.
        query: the rows, without the brackets that an alias asks for.
    """

    target: Name
    target_alias: str | None
    by_name: bool
    schema_evolution: bool
    where: str | None
    using: tuple[str, ...]
    on: str | None
    query: str
    source_alias: str | None


def parse_selective_insert(reader: Reader) -> SelectiveInsert | None:
    """Parse from `INSERT` on; None for any other INSERT.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR names what was expected.
    """
    reader.expect_words("INSERT")
    evolution = reader.accept_words("WITH", "SCHEMA", "EVOLUTION")
    if not reader.accept_words("INTO"):
        return None
    reader.accept_words("TABLE")
    token = reader.peek()
    if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
        return None
    target = reader.name()
    alias = None
    if reader.accept_words("AS") or not _at_clause(reader):
        token = reader.peek()
        if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
            return None
        alias = reader.identifier()
    by_name = reader.accept_words("BY", "NAME")
    where = on = None
    using: tuple[str, ...] = ()
    if reader.accept_words("REPLACE", "WHERE"):
        where = _condition(reader)
    elif reader.accept_words("REPLACE", "USING"):
        using = tuple(reader.list_of(reader.identifier))
    elif reader.accept_words("REPLACE", "ON"):
        on = _condition(reader)
    else:
        return None
    query, source_alias = _query(reader)
    return SelectiveInsert(target, alias, by_name, evolution, where, using, on, query, source_alias)


def _at_clause(reader: Reader) -> bool:
    token = reader.peek()
    return token is None or token.is_symbol("(") or token.is_word("BY", "REPLACE", "PARTITION", *_QUERY_WORDS)


def _condition(reader: Reader) -> str:
    """Text up to where the query begins."""
    first = reader.next()
    reader.position -= 1
    while (token := reader.peek()) is not None:
        before = reader.tokens[reader.position - 1]
        begun = token.start > first.start
        if begun and token.is_word(*_QUERY_WORDS) and _ends_operand(before.text, before.kind):
            break
        if token.is_symbol("("):
            following = reader.peek(1)
            opens_query = following is not None and (following.is_word(*_QUERY_WORDS) or following.is_symbol("("))
            if begun and opens_query and _ends_operand(before.text, before.kind):
                break
            reader.skip_group()
        else:
            reader.position += 1
    if reader.at_end:
        reader.fail("expected a query behind the condition")
    return reader.sql[first.start : reader.tokens[reader.position - 1].end]


def _ends_operand(text: str, kind: Kind) -> bool:
    if kind is Kind.SYMBOL:
        return text in (")", "]")
    return kind is not Kind.WORD or text.upper() not in _CONTINUING_WORDS


def _query(reader: Reader) -> tuple[str, str | None]:
    start = reader.position
    if reader.at_symbol("("):
        inside = reader.group()
        if reader.at_end:
            return inside, None
        reader.accept_words("AS")
        token = reader.peek()
        if token is not None and token.kind in (Kind.WORD, Kind.QUOTED):
            alias = reader.identifier()
            if reader.at_end:
                return inside, alias
        reader.position = start
    return reader.rest(), None
