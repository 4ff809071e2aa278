"""Keeping `_metadata` out of `*`.

On Databricks `_metadata` is a hidden column: selectable by name, absent from `*`
(https://docs.databricks.com/aws/en/ingestion/file-metadata-column). A temporary view has no hidden columns, so the
view shows it and every star over the view leaves it out.
"""

from __future__ import annotations

from collections.abc import Collection

from databricks_local.files.source import METADATA
from databricks_local.sql.tokens import Kind, Token, identifier_value, tokenize

_AFTER_FROM = (
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LATERAL",
    "MINUS",
)


def hide_metadata(query: str, views: Collection[str]) -> str:
    """Put `EXCEPT (_metadata)` behind every star whose SELECT reads one of the views in its own FROM.

    Args:
        query: SQL in which the views' names stand for calls of read_files.
        views: names, one part, as written (back-quoted or not).
    """
    tokens = tokenize(query)
    wanted = {view.strip("`").lower() for view in views}
    solid = [index for index, token in enumerate(tokens) if token.kind not in (Kind.SPACE, Kind.COMMENT)]
    inserts: dict[int, str] = {}
    for position, index in enumerate(solid):
        if tokens[index].is_word("SELECT"):
            _hide_in_select(tokens, solid, position, wanted, inserts)
    return "".join(token.text + inserts.get(index, "") for index, token in enumerate(tokens))


def _hide_in_select(
    tokens: list[Token], solid: list[int], start: int, wanted: set[str], inserts: dict[int, str]
) -> None:
    depth = 0
    stars: list[int] = []
    from_at: int | None = None
    for position in range(start + 1, len(solid)):
        token = tokens[solid[position]]
        if token.is_symbol("(", "["):
            depth += 1
        elif token.is_symbol(")", "]"):
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and token.is_word("FROM"):
            from_at = position
            break
        elif depth == 0 and token.is_symbol("*") and _is_star(tokens, solid, position):
            stars.append(position)
    if from_at is None:
        return
    qualifiers = _qualifiers(tokens, solid, from_at, wanted)
    for position in stars:
        before = tokens[solid[position - 1]]
        qualifier = identifier_value(tokens[solid[position - 2]]).lower() if before.is_symbol(".") else None
        if qualifiers and (qualifier is None or qualifier in qualifiers):
            _insert(tokens, solid, position, inserts)


def _is_star(tokens: list[Token], solid: list[int], position: int) -> bool:
    """Whether this `*` is not a multiplication: it begins a select item, or follows a qualifier."""
    before = tokens[solid[position - 1]]
    return before.is_word("SELECT", "DISTINCT", "ALL", "STREAM") or before.is_symbol(",", ".")


def _qualifiers(tokens: list[Token], solid: list[int], from_at: int, wanted: set[str]) -> set[str]:
    """The names by which a FROM clause knows the wanted views."""
    found: set[str] = set()
    depth = 0
    for position in range(from_at + 1, len(solid)):
        token = tokens[solid[position]]
        if token.is_symbol("(", "["):
            depth += 1
        elif token.is_symbol(")", "]"):
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and token.is_word(*_AFTER_FROM):
            break
        elif depth <= 1 and token.kind in (Kind.WORD, Kind.QUOTED) and identifier_value(token).lower() in wanted:
            if depth == 1 and not tokens[solid[position - 2]].is_word("STREAM"):
                continue
            found.add(identifier_value(token).lower())
            found |= _alias(tokens, solid, position + 1 + depth)
    return found


_NOT_ALIASES = (
    *_AFTER_FROM,
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "NATURAL",
    "ANTI",
    "SEMI",
    "ON",
    "USING",
    "TABLESAMPLE",
    "PIVOT",
    "UNPIVOT",
    "WITH",
    "FROM",
    "SELECT",
    "OUTER",
)


def _alias(tokens: list[Token], solid: list[int], position: int) -> set[str]:
    if position < len(solid) and tokens[solid[position]].is_word("AS"):
        position += 1
    if position >= len(solid):
        return set()
    token = tokens[solid[position]]
    if token.kind not in (Kind.WORD, Kind.QUOTED) or token.is_word(*_NOT_ALIASES):
        return set()
    return {identifier_value(token).lower()}


def _insert(tokens: list[Token], solid: list[int], position: int, inserts: dict[int, str]) -> None:
    following = [tokens[index] for index in solid[position + 1 : position + 3]]
    if len(following) == 2 and following[0].is_word("EXCEPT") and following[1].is_symbol("("):
        inserts[solid[position + 2]] = f"{METADATA}, "
    else:
        inserts[solid[position]] = f" except ({METADATA})"
