"""How a statement finds who executes it: the first handler whose leading keywords fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from databricks_local.execution.context import Context, Outcome
from databricks_local.sql.reader import Reader


@dataclass(frozen=True)
class Handler:
    """Executes one kind of statement.

    Attributes:
        matches: looks at a fresh reader without consuming from it.
        run: parses from the start and executes.
    """

    matches: Callable[[Reader], bool]
    run: Callable[[Context, Reader], Outcome]


def begins(*alternatives: tuple[str, ...]) -> Callable[[Reader], bool]:
    """Whether a statement begins with one of the given keyword sequences."""
    return lambda reader: any(reader.at_words(*words) for words in alternatives)
