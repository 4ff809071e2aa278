"""Binding parameters as literals: `%s` and `%(name)s`, `?`, `:name`.

Spark's own parameters do not reach into INSERT … VALUES, and dbt's seeds bind there.
"""

from __future__ import annotations

import datetime
import decimal
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from databricks_local.errors import InterfaceError
from databricks_local.sql.splice import Edit, splice
from databricks_local.sql.tokens import Kind, Token, quote_string, significant

Parameters = Sequence[Any] | Mapping[str, Any]


def bind(sql: str, parameters: Parameters | None) -> str:
    """The statement with every marker replaced by a literal; strings and comments are left alone.

    Raises:
        InterfaceError: a marker without a value, a value without a marker, or a value of an unknown type.
    """
    if not parameters:
        return sql
    tokens = significant(sql)
    edits = _named(tokens, parameters) if isinstance(parameters, Mapping) else _positional(tokens, parameters)
    return splice(sql, edits)


def _positional(tokens: list[Token], parameters: Sequence[Any]) -> list[Edit]:
    spans = [(t.start, t.end) for t in tokens if t.is_symbol("?")]
    spans += [
        (percent.start, word.end)
        for percent, word in itertools.pairwise(tokens)
        if percent.is_symbol("%") and word.kind is Kind.WORD and word.text == "s" and word.start == percent.end
    ]
    spans.sort()
    if len(spans) != len(parameters):
        raise InterfaceError(
            f"the statement has {len(spans)} parameter markers, and {len(parameters)} values were given"
        )
    return [Edit(start, end, literal(value)) for (start, end), value in zip(spans, parameters, strict=True)]


def _named(tokens: list[Token], parameters: Mapping[str, Any]) -> list[Edit]:
    edits = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1 : index + 5]
        if token.is_symbol(":") and following and following[0].kind is Kind.WORD and following[0].start == token.end:
            name, end = following[0].text, following[0].end
        elif (
            token.is_symbol("%")
            and len(following) >= 4
            and following[0].is_symbol("(")
            and following[2].is_symbol(")")
            and following[3].text == "s"
        ):
            name, end = following[1].text, following[3].end
        else:
            continue
        if name not in parameters:
            raise InterfaceError(
                f"no value was given for parameter {name}; given are {', '.join(parameters) or 'none'}"
            )
        edits.append(Edit(token.start, end, literal(parameters[name])))
    return edits


def literal(value: Any) -> str:
    """A Python value as a literal of Databricks SQL.

    Raises:
        InterfaceError: a type that has no literal.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value!r}D" if math.isfinite(value) else f"CAST({quote_string(str(value))} AS DOUBLE)"
    if isinstance(value, decimal.Decimal):
        return f"{value:f}BD"
    if isinstance(value, datetime.datetime):
        kind = "TIMESTAMP_NTZ" if value.tzinfo is None else "TIMESTAMP"
        return f"{kind}{quote_string(value.isoformat(sep=' '))}"
    if isinstance(value, datetime.date):
        return f"DATE{quote_string(value.isoformat())}"
    if isinstance(value, bytes | bytearray):
        return f"X'{bytes(value).hex().upper()}'"
    if isinstance(value, str):
        return quote_string(value)
    if isinstance(value, list | tuple):
        return f"ARRAY({', '.join(literal(v) for v in value)})"
    if isinstance(value, dict):
        return f"MAP({', '.join(f'{literal(k)}, {literal(v)}' for k, v in value.items())})"
    raise InterfaceError(f"a parameter of type {type(value).__name__} has no literal in SQL")
