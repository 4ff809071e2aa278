"""The arguments of `read_files(path, option => value, …)`.

Grammar and options: https://docs.databricks.com/aws/en/sql/language-manual/functions/read_files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from databricks_local.errors import invalid
from databricks_local.files.options import canonical_option
from databricks_local.sql.reader import Reader
from databricks_local.sql.tokens import Kind


@dataclass(frozen=True)
class ReadFilesArguments:
    """What one call asks for.

    Attributes:
        path: directory, file or glob, as written.
        options: value by option name in the spelling of the page; booleans as `true` and `false`.
    """

    path: str
    options: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of an option, or the default."""
        return self.options.get(name, default)

    def flag(self, name: str, default: bool) -> bool:
        """The value of a boolean option.

        Raises:
            ProgrammingError: it is neither true nor false.
        """
        value = self.options.get(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise invalid("INVALID_OPTION_VALUE", f"read_files: {name} is true or false, not {value!r}")
        return value.lower() == "true"


def parse_arguments(text: str) -> ReadFilesArguments:
    """Parse what stands between the brackets of a call.

    Raises:
        ProgrammingError: no path, an unknown option, an option given twice, a value that is no literal.
    """
    reader = Reader(text)
    path: str | None = None
    options: dict[str, str] = {}
    while reader.peek() is not None:
        following = reader.peek()
        assert following is not None
        if following.kind is Kind.STRING:
            if path is not None or options:
                reader.fail("read_files takes one path, first; every option is named: option => value")
            path = reader.string()
        else:
            written = _option_name(reader)
            reader.expect_symbol("=>")
            value = _literal(reader, written)
            if written.lower() == "path":
                if path is not None:
                    raise invalid("DUPLICATE_OPTION", "read_files: the path is given twice")
                path = value
            else:
                name = canonical_option(written, statement="read_files")
                if name in options:
                    raise invalid("DUPLICATE_OPTION", f"read_files: the option {name} is given twice")
                if value is not None:
                    options[name] = value
        if not reader.accept_symbol(","):
            break
    if reader.peek() is not None:
        reader.fail("expected ',' or the end of the arguments of read_files")
    if not path:
        raise invalid(
            "READ_FILES_PATH_MISSING",
            "read_files needs a path: read_files('/path', format => 'json')",
        )
    return ReadFilesArguments(path, options)


def _option_name(reader: Reader) -> str:
    parts = [reader.identifier()]
    while reader.accept_symbol("."):
        parts.append(reader.identifier())
    return ".".join(parts)


def _literal(reader: Reader, option: str) -> str | None:
    token = reader.peek()
    if token is None:
        reader.fail(f"expected a value for {option}")
    if token.kind is Kind.STRING:
        return reader.string()
    if token.is_word("TRUE", "FALSE"):
        return reader.next().text.lower()
    if token.is_word("NULL"):
        reader.next()
        return None
    if token.is_word("MAP"):
        return _map(reader, option)
    sign = "-" if reader.accept_symbol("-") else ""
    token = reader.peek()
    if token is not None and token.kind is Kind.NUMBER:
        return sign + reader.next().text
    raise reader.error(f"{option} takes a literal: a string, a number, true or false")


def _map(reader: Reader, option: str) -> str:
    """A map literal as `key=value` pairs, each on its line."""
    reader.expect_words("MAP")
    values = reader.list_of(lambda: _literal(reader, option) or "")
    if len(values) % 2:
        reader.fail(f"{option}: a map has as many values as keys")
    return "\n".join(f"{key}={value}" for key, value in zip(values[::2], values[1::2], strict=True))
