"""Tokens of Databricks SQL: enough to find a clause without ever looking into a string or a comment.

Lexical rules: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-literals (string, raw string and
numeric literals), .../sql-ref-identifiers (back-quoted identifiers, doubled back-quotes) and
.../sql-ref-syntax-ddl-create-sql-function (dollar-quoted strings: `$$…$$`, `$tag$…$tag$`).

Where a number and a name both begin, the longer one wins, and the number where they are equally long, as in Spark's
grammar (SqlBaseLexer.g4): `1e5`, `10L`, `3d` and `5BD` are numbers, `1e5x`, `25fecb` and `0x1F` are names. A number
with a point must not run on into a letter, digit or underscore: in `t.25fecb` the point stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from databricks_local.errors import invalid


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    COMMENT = "comment"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement: `text` is `sql[start:end]`."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the given keywords, in any case, not quoted."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_symbol(self, *symbols: str) -> bool:
        """Whether this is one of the given symbols."""
        return self.kind is Kind.SYMBOL and self.text in symbols


_TWO_CHARACTER_SYMBOLS = (
    "=>",
    "->",
    "<=",
    ">=",
    "<>",
    "!=",
    "==",
    "||",
    "::",
    "&&",
    "<<",
    ">>",
    "?:",
)

# The number literals of SqlBaseLexer.g4, without and with a point; letters in any case.
_INTEGRAL = re.compile(r"[0-9]+(?:[LSY]|(?:E[+-]?[0-9]+)?(?:BD|F|D)?)", re.IGNORECASE | re.ASCII)
_WITH_POINT = re.compile(
    r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:E[+-]?[0-9]+)?(?:BD|F|D)?(?![A-Z0-9_])", re.IGNORECASE | re.ASCII
)

_DOLLAR_QUOTE = re.compile(r"\$(?:[A-Za-z_]\w*)?\$")


def tokenize(sql: str) -> list[Token]:
    """Split a statement into tokens, white space and comments included; joined they give the statement again.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR for a string, identifier or comment that does not end.
    """
    return list(_tokens(sql))


def significant(sql: str) -> list[Token]:
    """The tokens without white space and comments."""
    return [t for t in _tokens(sql) if t.kind not in (Kind.SPACE, Kind.COMMENT)]


def _tokens(sql: str) -> Iterator[Token]:
    position = 0
    length = len(sql)
    while position < length:
        kind, end = _next_token(sql, position)
        yield Token(kind, sql[position:end], position, end)
        position = end


def _next_token(sql: str, start: int) -> tuple[Kind, int]:
    character = sql[start]
    if character.isspace():
        return Kind.SPACE, _while(sql, start, str.isspace)
    if sql.startswith("--", start):
        return Kind.COMMENT, _line_end(sql, start)
    if sql.startswith("/*", start):
        return Kind.COMMENT, _comment_end(sql, start)
    if character == "`":
        return Kind.QUOTED, _quoted_end(sql, start, "`", escapes=False)
    if character in "'\"":
        return Kind.STRING, _quoted_end(sql, start, character, escapes=True)
    if character in "rR" and sql[start + 1 : start + 2] in ("'", '"'):
        return Kind.STRING, _quoted_end(sql, start + 1, sql[start + 1], escapes=False)
    if character in "xX" and sql[start + 1 : start + 2] in ("'", '"'):
        return Kind.STRING, _quoted_end(sql, start + 1, sql[start + 1], escapes=False)
    if character == "$" and (quote := _DOLLAR_QUOTE.match(sql, start)) is not None:
        return Kind.STRING, _dollar_quoted_end(sql, start, quote[0])
    word_end = _while(sql, start, _is_in_word)
    number_end = _number_end(sql, start)
    if number_end > start and number_end >= word_end:
        return Kind.NUMBER, number_end
    if word_end > start:
        return Kind.WORD, word_end
    if sql[start : start + 2] in _TWO_CHARACTER_SYMBOLS:
        return Kind.SYMBOL, start + 2
    return Kind.SYMBOL, start + 1


def _is_in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _while(sql: str, start: int, accepts: object) -> int:
    position = start
    assert callable(accepts)
    while position < len(sql) and accepts(sql[position]):
        position += 1
    return position


def _line_end(sql: str, start: int) -> int:
    end = sql.find("\n", start)
    return len(sql) if end < 0 else end


def _comment_end(sql: str, start: int) -> int:
    depth = 0
    position = start
    while position < len(sql):
        if sql.startswith("/*", position):
            depth += 1
            position += 2
        elif sql.startswith("*/", position):
            depth -= 1
            position += 2
            if depth == 0:
                return position
        else:
            position += 1
    raise _unended("comment", sql, start)


def _quoted_end(sql: str, start: int, quote: str, *, escapes: bool) -> int:
    position = start + 1
    while position < len(sql):
        character = sql[position]
        if escapes and character == "\\":
            position += 2
        elif character == quote:
            if sql.startswith(quote * 2, position):
                position += 2
            else:
                return position + 1
        else:
            position += 1
    raise _unended("identifier" if quote == "`" else "string", sql, start)


def _dollar_quoted_end(sql: str, start: int, quote: str) -> int:
    closing = sql.find(quote, start + len(quote))
    if closing < 0:
        raise _unended("string", sql, start)
    return closing + len(quote)


def _number_end(sql: str, start: int) -> int:
    """Where the longest number that begins here ends; `start` if none does."""
    found = (_WITH_POINT.match(sql, start), _INTEGRAL.match(sql, start))
    return max((number.end() for number in found if number is not None), default=start)


def _unended(what: str, sql: str, start: int) -> Exception:
    line = sql.count("\n", 0, start) + 1
    return invalid(
        "PARSE_SYNTAX_ERROR",
        f"the {what} that starts on line {line} does not end: {sql[start : start + 40]!r}",
    )


_ESCAPES = {
    "0": "\0",
    "b": "\b",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "Z": "\x1a",
    "%": "\\%",
    "_": "\\_",
}


def string_value(token: Token) -> str:
    """The value of a string literal, escapes resolved.

    Raises:
        ValueError: the token is not a string literal.
    """
    if token.kind is not Kind.STRING:
        raise ValueError(f"not a string literal: {token.text}")
    text = token.text
    if text[0] == "$":
        quote = text[: text.index("$", 1) + 1]
        return text[len(quote) : -len(quote)]
    raw = text[0] in "rR"
    if raw:
        return text[2:-1]
    quote = text[0]
    body = text[1:-1]
    out: list[str] = []
    position = 0
    while position < len(body):
        character = body[position]
        if character == "\\" and position + 1 < len(body):
            following = body[position + 1]
            if following == "u" and _is_hexadecimal(body[position + 2 : position + 6], 4):
                out.append(chr(int(body[position + 2 : position + 6], 16)))
                position += 6
                continue
            out.append(_ESCAPES.get(following, following))
            position += 2
        elif character == quote and body.startswith(quote * 2, position):
            out.append(quote)
            position += 2
        else:
            out.append(character)
            position += 1
    return "".join(out)


def _is_hexadecimal(text: str, digits: int) -> bool:
    return len(text) == digits and all(c in "0123456789abcdefABCDEF" for c in text)


def identifier_value(token: Token) -> str:
    """The name that an identifier token stands for, back-quotes removed."""
    if token.kind is Kind.QUOTED:
        return token.text[1:-1].replace("``", "`")
    return token.text


def quote_identifier(name: str) -> str:
    """A name as a back-quoted identifier, whatever it contains."""
    return "`" + name.replace("`", "``") + "`"


def quote_string(value: str) -> str:
    """A value as a string literal, whatever it contains."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def render(tokens: Sequence[Token]) -> str:
    """The text of adjacent tokens of `tokenize`."""
    return "".join(token.text for token in tokens)
