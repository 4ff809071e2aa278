"""The variables of dbt_project.yml, for models that sqlfluff renders."""

from __future__ import annotations

from pathlib import Path

import yaml

_PROJECT = Path(__file__).parent.parent / "dbt_project.yml"
_VARIABLES: dict[str, object] = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))["vars"]


def var(name: str, default: object = None) -> object:
    """Return the project's value of a variable, else the caller's default."""
    return _VARIABLES.get(name, default)
