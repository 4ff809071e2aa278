"""An AUTO CDC table to be tested: its statement, its source, and what cannot be told from these two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from databricks_local.sql.reader import Reader
from databricks_local.sql.tokens import Kind, Token, identifier_value, string_value

Marks = Mapping[str, Any]


@dataclass(frozen=True)
class CdcModel:
    """An AUTO CDC table of anyone's.

    Attributes:
        statement: `CREATE OR REFRESH STREAMING TABLE … FLOW AUTO CDC …`; the tables that it names need not exist, what
            else it names (functions of masks) must, in the kit's warehouse.
        source: the columns of the table that it streams from, as DDL (`id bigint, op string, …`), or the path of a
            Delta table that has them.
        upsert: columns and the values that make a row an upsert, where a row of NULLs in the columns of the conditions
            is none.
        delete: columns and the values for which APPLY AS DELETE WHEN holds; by default taken from conditions of the
            form `column = literal`, `column IN (literal, …)` and `column`.
        truncate: the same for APPLY AS TRUNCATE WHEN.
        sequence: gives for a place (a whole number, from 0 on) the values of the columns of SEQUENCE BY, so that a
            greater place has a greater sequence; by default known where SEQUENCE BY is a column or a STRUCT of columns.
        keys: gives for a number the key columns, another key for each number; by default made from their types.
        values: per column three values, or a strategy of Hypothesis, where the type alone does not say what may stand
            there; NULL may stand everywhere but in a NOT NULL column.
    """

    statement: str
    source: str | Path
    upsert: Marks | None = None
    delete: Marks | None = None
    truncate: Marks | None = None
    sequence: Callable[[int], Marks] | None = None
    keys: Callable[[int], Marks] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def marks_of(condition: str) -> Marks | None:
    """The column and value that make a simple condition true; None where it is not one of the simple forms."""
    tokens = Reader(condition).tokens
    while len(tokens) > 2 and tokens[0].is_symbol("(") and tokens[-1].is_symbol(")"):
        tokens = tokens[1:-1]
    match tokens:
        case [column] if _is_name(column):
            return {identifier_value(column): True}
        case [column, equals, literal] if _is_name(column) and equals.is_symbol("=", "=="):
            return _mark(column, literal)
        case [literal, equals, column] if _is_name(column) and equals.is_symbol("=", "=="):
            return _mark(column, literal)
        case [column, word, opening, literal, *_] if _is_name(column) and word.is_word("IN") and opening.is_symbol("("):
            return _mark(column, literal)
    return None


def _is_name(token: Token) -> bool:
    return token.kind is Kind.QUOTED or (token.kind is Kind.WORD and not token.is_word("TRUE", "FALSE", "NULL", "NOT"))


def _mark(column: Token, literal: Token) -> Marks | None:
    name = identifier_value(column)
    if literal.kind is Kind.STRING:
        return {name: string_value(literal)}
    if literal.is_word("TRUE", "FALSE"):
        return {name: literal.is_word("TRUE")}
    if literal.kind is Kind.NUMBER and literal.text.isdigit():
        return {name: int(literal.text)}
    return None


def columns_of_sequence(sequence_by: str) -> Sequence[str] | None:
    """The columns of `column` or `STRUCT(column, …)`, the most significant first; None for another expression."""
    tokens = Reader(sequence_by).tokens
    match tokens:
        case [column] if _is_name(column):
            return [identifier_value(column)]
        case [word, opening, *inside, closing] if (
            word.is_word("STRUCT") and opening.is_symbol("(") and closing.is_symbol(")")
        ):
            columns, commas = inside[::2], inside[1::2]
            if columns and all(map(_is_name, columns)) and all(comma.is_symbol(",") for comma in commas):
                return [identifier_value(column) for column in columns]
    return None
