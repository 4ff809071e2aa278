"""The functions that ask who runs a statement, as Spark expressions for one principal.

https://docs.databricks.com/aws/en/sql/language-manual/functions/is_account_group_member,
…/is_member, …/current_user, …/session_user. Spark has no groups, and its `current_user()` is the
user of the process.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from databricks_local import groups
from databricks_local.execution.context import Context
from databricks_local.sql.splice import Edit
from databricks_local.sql.tokens import Kind, Token, quote_string

_MEMBER = ("IS_ACCOUNT_GROUP_MEMBER", "IS_MEMBER")
_USER = ("CURRENT_USER", "SESSION_USER", "USER")


def mentions_membership(sql: str) -> bool:
    """Whether the text could ask for membership: a quick look, before any token."""
    lowered = sql.lower()
    return any(name.lower() in lowered for name in _MEMBER)


def asks_identity(tokens: Sequence[Token]) -> bool:
    """Whether a statement calls one of the functions."""
    return any(_is_call(tokens, i, *_MEMBER) or _is_user(tokens, i) is not None for i in range(len(tokens)))


def asks_membership(tokens: Sequence[Token]) -> bool:
    """Whether a statement calls one of the functions that Spark does not have at all."""
    return any(_is_call(tokens, i, *_MEMBER) for i in range(len(tokens)))


def identity_edits(context: Context, tokens: Sequence[Token]) -> list[Edit]:
    """What makes a statement answer for the connection's principal.

    `is_account_group_member(g)` becomes a look-up of `g` among the principal's groups, so that `g`
    may be any expression; `current_user()` becomes the name. For the owner `current_user()` stays:
    Spark answers it.
    """
    principal = context.principal or getpass.getuser()
    names = ", ".join(quote_string(g) for g in groups.groups_of(context.warehouse.root, principal))
    members = f"CAST(array({names}) AS array<string>)"
    edits = []
    for index, token in enumerate(tokens):
        if _is_call(tokens, index, *_MEMBER):
            edits.append(Edit(token.start, tokens[index + 1].end, f"array_contains({members}, "))
        elif context.principal is not None and (end := _is_user(tokens, index)) is not None:
            edits.append(Edit(token.start, tokens[end].end, quote_string(principal)))
    return edits


def _is_call(tokens: Sequence[Token], index: int, *names: str) -> bool:
    if not tokens[index].is_word(*names) or index + 1 >= len(tokens) or not tokens[index + 1].is_symbol("("):
        return False
    before = tokens[index - 1] if index else None
    # `CREATE FUNCTION is_member(…)` and `schema.is_member(…)` are functions of the user's own.
    return before is None or not (before.is_symbol(".") or before.is_word("FUNCTION", "EXISTS"))


def _is_user(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the last token of `current_user()` or of `current_user`, or None."""
    if _is_call(tokens, index, *_USER):
        closing = index + 2
        return closing if closing < len(tokens) and tokens[closing].is_symbol(")") else None
    if not tokens[index].is_word("CURRENT_USER", "SESSION_USER"):
        return None
    before = tokens[index - 1] if index else None
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if before is None or before.is_symbol(".") or before.is_word("AS") or (after is not None and after.is_symbol("(")):
        return None
    is_alias = before.kind in (Kind.QUOTED, Kind.STRING, Kind.NUMBER) or before.is_symbol(")")
    is_qualifier = after is not None and after.is_symbol(".")
    return None if is_alias or is_qualifier else index
