"""Paths that lead into governed tables: for a principal no path stands for a table.

Governed are the whole warehouse directory, as the storage of managed tables is on Databricks, and the tables outside
of it that have a column mask or a row filter. The owner of the warehouse reads any path.
https://docs.databricks.com/aws/en/volumes/paths and
https://docs.databricks.com/aws/en/data-governance/unity-catalog/filters-and-masks/#limitations
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from databricks_local.errors import NotSupportedError, refused
from databricks_local.execution import annotations as attached
from databricks_local.execution.context import Context
from databricks_local.files.listing import matches
from databricks_local.sql.reader import Name
from databricks_local.sql.tokens import Kind, Token, identifier_value, string_value

_WILD = re.compile(r"[*?\[{\\]")
_LOCAL = re.compile(r"^(file|dbfs):/*", re.IGNORECASE)


def refuse_path(context: Context, path: str) -> None:
    """Refuse a path of a principal that leads into a governed table, or may once there are more files.

    Args:
        context: the session, and who asks.
        path: a directory, file or glob, with or without a scheme.

    Raises:
        NotSupportedError: PATH_OF_GOVERNED_TABLE names the path.
    """
    if context.principal is None:
        return
    if any(_may_meet(path, place) for place in _governed(context)):
        raise _refusal(path)


def path_of(context: Context, name: Name) -> str | None:
    """The path of a name such as ``parquet.`/a/path` ``: of two parts, and the first is no schema.

    Spark reads any data source this way, by its short name or by its class.
    """
    if len(name.parts) != 2 or context.warehouse.mirror.external.databaseExists(name.parts[0].lower()):
        return None
    return name.parts[1]


def refuse_name(context: Context, name: Name) -> None:
    """Refuse a name of a principal that is a path into a governed table.

    Raises:
        NotSupportedError: PATH_OF_GOVERNED_TABLE names the path.
    """
    path = None if context.principal is None else path_of(context, name)
    if path is not None:
        refuse_path(context, path)


def refuse_locations(context: Context, tokens: Sequence[Token]) -> None:
    """Refuse a statement of a principal that would give governed files a second name.

    These are `LOCATION 'path'` and the option `path` of CREATE TABLE, CREATE VIEW, CREATE SCHEMA and ALTER: the new
    table has none of the masks of the one whose files it reads.

    Raises:
        NotSupportedError: PATH_OF_GOVERNED_TABLE names the path.
    """
    if context.principal is None or not tokens or not tokens[0].is_word("CREATE", "REPLACE", "ALTER"):
        return
    for index, token in enumerate(tokens[:-1]):
        if _names_path(token):
            value = tokens[index + 1]
            if value.is_symbol("=") and index + 2 < len(tokens):
                value = tokens[index + 2]
            if value.kind is Kind.STRING:
                refuse_path(context, string_value(value))


def _names_path(token: Token) -> bool:
    if token.kind is Kind.STRING:
        return string_value(token).lower() == "path"
    return token.kind in (Kind.WORD, Kind.QUOTED) and identifier_value(token).lower() in ("path", "location")


def _governed(context: Context) -> list[str]:
    """The warehouse directory, and the locations of secured tables; the latter may be URIs."""
    secured = {
        (database, table)
        for kind in (attached.MASK, attached.ROW_FILTER)
        for _, database, table, *_ in context.store.annotations(kind)
    }
    locations = [
        table.location
        for table in context.store.tables()
        if table.location is not None and (table.database, table.name) in secured
    ]
    return [str(context.warehouse.root), *locations]


def _may_meet(path: str, place: str) -> bool:
    """Whether one of the two may be, or lie in, the other."""
    path, place = _LOCAL.sub("/", path), _LOCAL.sub("/", place)
    if "://" in path or "://" in place:
        return _may_overlap(path.split("/"), place.split("/"))
    governed = os.path.realpath(place).split("/")
    absolute = os.path.abspath(path)
    return _may_overlap(os.path.realpath(absolute).split("/"), governed) or _may_overlap(_pattern(absolute), governed)


def _pattern(absolute: str) -> list[str]:
    """The parts of a path, with links followed up to the first part that has a wild card."""
    parts = absolute.split("/")
    fixed = next((index for index, part in enumerate(parts) if _WILD.search(part)), len(parts))
    return [*os.path.realpath("/".join(parts[:fixed]) or "/").split("/"), *parts[fixed:]]


def _may_overlap(patterns: list[str], names: list[str]) -> bool:
    # An empty part is the root, or ends a path with a slash.
    pairs = zip(filter(None, patterns), filter(None, names), strict=False)
    return all(_may_match(pattern, name) for pattern, name in pairs)


def _may_match(pattern: str, name: str) -> bool:
    if pattern == name:
        return True
    # An alternative may hold slashes, and an escape anything: what they stand for is not looked into.
    if "\\" in pattern or pattern.count("{") != pattern.count("}"):
        return True
    return _WILD.search(pattern) is not None and matches(name, pattern)


def _refusal(path: str) -> NotSupportedError:
    return refused(
        "UNSUPPORTED_FEATURE.PATH_OF_GOVERNED_TABLE",
        f"{path} leads into the warehouse or into a table with masks; a principal reads a table by its name, so that "
        "masks and filters apply",
    )
