"""Which names of a statement are tables, told from the tokens around them.

Columns, aliases, functions and the names of common table expressions are left out, the latter by
their scope: in `with t as (select * from t) select * from t` the first `t` behind FROM is a table,
the second is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from databricks_local.sql.reader import Name
from databricks_local.sql.tokens import Kind, Token, identifier_value

_OPENING = ("(", "[", "{")
_CLOSING = (")", "]", "}")

# Functions whose arguments are separated by FROM.
_FROM_FUNCTIONS = ("EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "OVERLAY", "POSITION")

# What may stand before `TABLE name` when that is a query.
_BEFORE_TABLE_QUERY = ("AS", "UNION", "ALL", "DISTINCT", "EXCEPT", "MINUS", "INTERSECT")

# Keywords that can follow FROM, JOIN or a comma without being a table's name.
_NO_NAMES = ("LATERAL", "SELECT", "VALUES", "WITH", "UNNEST", "STREAM")

# What ends the walk back from a comma: only behind FROM is a list of tables.
_LIST_STARTS = (
    "SELECT", "BY", "SET", "VALUES", "WITH", "WINDOW", "WHERE", "HAVING", "USING", "PIVOT", "HINT",
    "VIEW", "AS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableReference:
    """A name where a query reads a table.

    Attributes:
        name: the name, quotes removed.
        start: first character of the name.
        end: first character behind it.
        after: index of the token behind it.
    """

    name: Name
    start: int
    end: int
    after: int


def matching_brackets(tokens: Sequence[Token]) -> dict[int, int]:
    """For every bracket token the index of its partner; brackets without one are left out."""
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for index, token in enumerate(tokens):
        if token.is_symbol(*_OPENING):
            stack.append(index)
        elif token.is_symbol(*_CLOSING) and stack:
            opening = stack.pop()
            pairs[opening] = index
            pairs[index] = opening
    return pairs


def in_relation_position(tokens: Sequence[Token], index: int) -> bool:
    """Whether a name that starts at this token is a table that a query reads."""
    return _in_relation_position(tokens, index, matching_brackets(tokens))


def _in_relation_position(tokens: Sequence[Token], index: int, pairs: dict[int, int]) -> bool:
    if index == 0:
        return False
    before = tokens[index - 1]
    if before.is_word("FROM"):
        return not _is_separator(tokens, index - 1, pairs)
    if before.is_word("JOIN"):
        return True
    if before.is_word("TABLE"):
        first = index == 1
        return (
            first
            or tokens[index - 2].is_symbol("(", ")")
            or tokens[index - 2].is_word(*_BEFORE_TABLE_QUERY)
            or (_inserts_into(tokens, index - 2))
        )
    if before.is_word("USING"):
        return any(token.is_word("MERGE") for token in tokens[: index - 1])
    if before.is_symbol(","):
        return _in_from_list(tokens, index - 1, pairs)
    if before.is_symbol("("):
        return _in_relation_position(tokens, index - 1, pairs)
    return False


def _is_separator(tokens: Sequence[Token], index: int, pairs: dict[int, int]) -> bool:
    """Whether FROM belongs to IS DISTINCT FROM, to DELETE FROM or to a function such as EXTRACT."""
    if index == 0:
        return False
    before = tokens[index - 1]
    if before.is_word("DELETE"):
        return True
    if before.is_word("DISTINCT") and index > 1 and tokens[index - 2].is_word("IS", "NOT"):
        return True
    position = index - 1
    while position >= 0:
        token = tokens[position]
        if token.is_symbol(*_CLOSING) and position in pairs:
            position = pairs[position]
        elif token.is_symbol(*_OPENING):
            return position > 0 and tokens[position - 1].is_word(*_FROM_FUNCTIONS)
        elif token.is_word("SELECT"):
            return False
        position -= 1
    return False


def _inserts_into(tokens: Sequence[Token], index: int) -> bool:
    """Whether the token ends the target of INSERT, as in INSERT INTO t TABLE s."""
    if not tokens[0].is_word("INSERT", "WITH") or tokens[index].is_word("INTO", "OVERWRITE"):
        return False
    return tokens[index].kind in (Kind.WORD, Kind.QUOTED)


def _in_from_list(tokens: Sequence[Token], comma: int, pairs: dict[int, int]) -> bool:
    position = comma - 1
    while position >= 0:
        token = tokens[position]
        if token.is_symbol(*_CLOSING) and position in pairs:
            position = pairs[position]
        elif token.is_symbol("("):
            return _in_relation_position(tokens, position, pairs)
        elif token.is_symbol(*_OPENING):
            return False
        elif token.is_word("FROM"):
            return not _is_separator(tokens, position, pairs)
        elif token.is_word(*_LIST_STARTS) and not _is_alias_keyword(tokens, position):
            return False
        position -= 1
    return False


def _is_alias_keyword(tokens: Sequence[Token], index: int) -> bool:
    """`FROM a AS x, b` has an AS that names an alias; that of `WITH x AS (…), y` starts a list."""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if tokens[index].is_word("AS", "USING"):
        return after is not None and (not after.is_symbol("(") or tokens[index].is_word("USING"))
    return False


@dataclass(frozen=True, slots=True)
class _Scope:
    name: str
    start: int
    end: int


def table_references(tokens: Sequence[Token]) -> list[TableReference]:
    """Every table that the queries of a statement read, in order of appearance.

    Args:
        tokens: of a whole statement, without white space and comments.
    """
    pairs = matching_brackets(tokens)
    scopes = _expression_scopes(tokens, pairs)
    found: list[TableReference] = []
    for index, token in enumerate(tokens):
        if token.kind not in (Kind.WORD, Kind.QUOTED) or token.is_word(*_NO_NAMES):
            continue
        if not _in_relation_position(tokens, index, pairs):
            continue
        parts, after = _name(tokens, index)
        following = tokens[after] if after < len(tokens) else None
        if following is not None and following.is_symbol("(") and not token.is_word("TABLE"):
            continue
        if token.is_word("TABLE"):
            continue
        if len(parts) == 1 and any(s.name == parts[0].lower() and s.start <= index < s.end for s in scopes):
            continue
        found.append(TableReference(Name(tuple(parts)), token.start, tokens[after - 1].end, after))
    return found


def _name(tokens: Sequence[Token], index: int) -> tuple[list[str], int]:
    parts = [identifier_value(tokens[index])]
    position = index + 1
    while (
        position + 1 < len(tokens)
        and tokens[position].is_symbol(".")
        and tokens[position + 1].kind in (Kind.WORD, Kind.QUOTED)
    ):
        parts.append(identifier_value(tokens[position + 1]))
        position += 2
    return parts, position


def _expression_scopes(tokens: Sequence[Token], pairs: dict[int, int]) -> list[_Scope]:
    """Where a common table expression's name stands for it: behind its body, unless RECURSIVE."""
    scopes: list[_Scope] = []
    for index, token in enumerate(tokens):
        if not token.is_word("WITH"):
            continue
        end = _enclosing_end(tokens, index, pairs)
        position = index + 1
        recursive = position < len(tokens) and tokens[position].is_word("RECURSIVE")
        position += recursive
        while (body := _body_of(tokens, position, pairs)) is not None:
            closing = pairs.get(body, len(tokens) - 1)
            start = body if recursive else closing
            scopes.append(_Scope(identifier_value(tokens[position]).lower(), start, end))
            position = closing + 1
            if position >= len(tokens) or not tokens[position].is_symbol(","):
                break
            position += 1
    return scopes


def _body_of(tokens: Sequence[Token], index: int, pairs: dict[int, int]) -> int | None:
    """The opening bracket of `name [(columns)] [MAX RECURSION LEVEL n] AS (…)`, or None."""
    if index >= len(tokens) or tokens[index].kind not in (Kind.WORD, Kind.QUOTED):
        return None
    position = index + 1
    if position < len(tokens) and tokens[position].is_symbol("("):
        position = pairs.get(position, len(tokens)) + 1
    if position < len(tokens) and tokens[position].is_word("MAX"):
        position += 4
    if position + 1 < len(tokens) and tokens[position].is_word("AS") and tokens[position + 1].is_symbol("("):
        return position + 1
    return None


def _enclosing_end(tokens: Sequence[Token], index: int, pairs: dict[int, int]) -> int:
    position = index
    while position < len(tokens):
        if tokens[position].is_symbol(*_OPENING) and position in pairs:
            position = pairs[position]
        elif tokens[position].is_symbol(*_CLOSING):
            return position
        position += 1
    return len(tokens)
