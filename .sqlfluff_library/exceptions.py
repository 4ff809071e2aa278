"""dbt's `exceptions` in Jinja, as far as our macros use it while sqlfluff renders a model."""

from __future__ import annotations

from typing import NoReturn


def raise_compiler_error(message: str) -> NoReturn:
    """Refuse, as dbt does, so that the lint fails where a build would.

    Raises:
        ValueError: always.
    """
    raise ValueError(message)
