"""A reader over the tokens of one statement, with the few moves that the statement parsers need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from databricks_local.errors import ProgrammingError, invalid
from databricks_local.sql.tokens import (
    Kind,
    Token,
    identifier_value,
    quote_identifier,
    significant,
    string_value,
)

T = TypeVar("T")

_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Name:
    """A name of one to three parts, as written, quotes removed."""

    parts: tuple[str, ...]

    @property
    def table(self) -> str:
        """The last part."""
        return self.parts[-1]

    def quoted(self) -> str:
        """The name with every part back-quoted."""
        return ".".join(quote_identifier(part) for part in self.parts)

    def __str__(self) -> str:
        return ".".join(self.parts)


class Reader:
    """Reads a statement from left to right; white space and comments are skipped.

    Args:
        sql: the statement; positions of tokens refer to it.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = significant(sql)
        self.position = 0

    @property
    def at_end(self) -> bool:
        """Whether all that is left is an optional semicolon."""
        rest = self.tokens[self.position :]
        return all(token.is_symbol(";") for token in rest)

    def peek(self, ahead: int = 0) -> Token | None:
        """The token `ahead` places from here, or None behind the end."""
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def next(self) -> Token:
        """The next token, which is consumed.

        Raises:
            ProgrammingError: the statement ends here.
        """
        token = self.peek()
        if token is None:
            self.fail("the statement ends too early")
        self.position += 1
        return token

    def at_words(self, *words: str) -> bool:
        """Whether the next tokens are these keywords."""
        for offset, word in enumerate(words):
            token = self.peek(offset)
            if token is None or not token.is_word(word):
                return False
        return True

    def accept_words(self, *words: str) -> bool:
        """Consume these keywords if they come next."""
        if self.at_words(*words):
            self.position += len(words)
            return True
        return False

    def expect_words(self, *words: str) -> None:
        """Consume these keywords, or fail by naming them."""
        if not self.accept_words(*words):
            self.fail(f"expected {' '.join(words)}")

    def at_symbol(self, symbol: str) -> bool:
        """Whether the next token is this symbol."""
        token = self.peek()
        return token is not None and token.is_symbol(symbol)

    def accept_symbol(self, symbol: str) -> bool:
        """Consume this symbol if it comes next."""
        if self.at_symbol(symbol):
            self.position += 1
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        """Consume this symbol, or fail by naming it."""
        if not self.accept_symbol(symbol):
            self.fail(f"expected {symbol!r}")

    def identifier(self) -> str:
        """One identifier, quotes removed."""
        token = self.next()
        if token.kind not in (Kind.WORD, Kind.QUOTED):
            self.position -= 1
            self.fail("expected a name")
        return identifier_value(token)

    def name(self) -> Name:
        """A name of one to three parts."""
        parts = [self.identifier()]
        while self.accept_symbol("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            self.fail(f"a name has at most three parts, this one has {len(parts)}: {'.'.join(parts)}")
        return Name(tuple(parts))

    def string(self) -> str:
        """The value of one or more adjacent string literals."""
        values = []
        while (token := self.peek()) is not None and token.kind is Kind.STRING:
            values.append(string_value(token))
            self.position += 1
        if not values:
            self.fail("expected a string")
        return "".join(values)

    def integer(self) -> int:
        """A whole number without sign."""
        token = self.next()
        if token.kind is not Kind.NUMBER or not token.text.isdigit():
            self.position -= 1
            self.fail("expected a whole number")
        return int(token.text)

    def skip_group(self) -> tuple[int, int]:
        """Skip a bracketed group; returns the character range of its inside.

        Raises:
            ProgrammingError: no bracket comes next, or it is never closed.
        """
        opening = self.next()
        if not opening.is_symbol(*_PAIRS):
            self.position -= 1
            self.fail("expected '('")
        expected = [_PAIRS[opening.text]]
        while expected:
            token = self.peek()
            if token is None:
                raise invalid(
                    "PARSE_SYNTAX_ERROR",
                    f"{opening.text!r} at character {opening.start} is never closed",
                )
            self.position += 1
            if token.is_symbol(*_PAIRS):
                expected.append(_PAIRS[token.text])
            elif token.is_symbol(*_PAIRS.values()) and token.text != expected.pop():
                self.fail(f"unexpected {token.text!r}")
        return opening.end, self.tokens[self.position - 1].start

    def group(self) -> str:
        """The text inside a bracketed group, as written."""
        start, end = self.skip_group()
        return self.sql[start:end].strip()

    def list_of(self, item: Callable[[], T]) -> list[T]:
        """A parenthesized, comma-separated list."""
        self.expect_symbol("(")
        items = [item()]
        while self.accept_symbol(","):
            items.append(item())
        self.expect_symbol(")")
        return items

    def expression(self, *stops: str) -> str:
        """Text up to one of the given keywords, a comma or a closing bracket outside brackets, or the end."""
        first = self.peek()
        if first is None:
            self.fail("expected an expression")
        start = first.start
        end = start
        while (token := self.peek()) is not None:
            if token.is_word(*stops) or token.is_symbol(",", ")", ";"):
                break
            if token.is_symbol(*_PAIRS):
                self.skip_group()
            else:
                self.position += 1
            end = self.tokens[self.position - 1].end
        if end == start:
            self.fail("expected an expression")
        return self.sql[start:end]

    def rest(self) -> str:
        """Everything that is left, as written, without a closing semicolon; consumed."""
        left = self.tokens[self.position :]
        while left and left[-1].is_symbol(";"):
            left.pop()
        self.position = len(self.tokens)
        return self.sql[left[0].start : left[-1].end] if left else ""

    def expect_end(self) -> None:
        """Fail if anything but a semicolon is left."""
        if not self.at_end:
            self.fail("unexpected text at the end")

    def properties(self) -> dict[str, str]:
        """`('key' = 'value', key.part = value, …)` as a dictionary."""

        def pair() -> tuple[str, str]:
            token = self.peek()
            if token is not None and token.kind is Kind.STRING:
                key = self.string()
            else:
                parts = [self.identifier()]
                while self.accept_symbol("."):
                    parts.append(self.identifier())
                key = ".".join(parts)
            self.accept_symbol("=")
            return key, self._property_value()

        return dict(self.list_of(pair))

    def _property_value(self) -> str:
        token = self.peek()
        if token is not None and token.kind is Kind.STRING:
            return self.string()
        sign = "-" if self.accept_symbol("-") else ""
        return sign + self.next().text

    def fail(self, problem: str) -> NoReturn:
        """Raise PARSE_SYNTAX_ERROR at the next token."""
        raise self.error(problem)

    def error(self, problem: str) -> ProgrammingError:
        """The syntax error at the next token, with its line."""
        token = self.peek()
        if token is None:
            return invalid("PARSE_SYNTAX_ERROR", f"{problem}, at the end of the statement")
        line = self.sql.count("\n", 0, token.start) + 1
        return invalid("PARSE_SYNTAX_ERROR", f"{problem}, near {token.text[:40]!r} on line {line}")
