"""Who belongs to which group, for the identity functions of masks, row filters and views.

On Databricks an account holds groups; here a file of the warehouse does,
`_databricks_local/groups.json`: an object from group to the list of its members. Members are users;
a group inside a group is not followed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from databricks_local.errors import OperationalError

_FILE = Path("_databricks_local", "groups.json")


def set_groups(warehouse: str | os.PathLike[str], groups: Mapping[str, Iterable[str]]) -> None:
    """Make these the groups of a warehouse, in place of what was there.

    Args:
        warehouse: the warehouse directory; made when absent.
        groups: members by group.
    """
    path = Path(warehouse) / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({group: sorted(set(members)) for group, members in sorted(groups.items())}, indent=2)
    # Readers in other threads see the old file or the new one, never half of it.
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def get_groups(warehouse: str | os.PathLike[str]) -> dict[str, list[str]]:
    """The groups of a warehouse; empty when none were set.

    Raises:
        OperationalError: the file is not an object from group to list of members.
    """
    path = Path(warehouse) / _FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise OperationalError(f"{path} is no JSON: {error}; set_groups() writes it anew") from error
    if not isinstance(found, dict) or not all(isinstance(members, list) for members in found.values()):
        raise OperationalError(f"{path} must be an object from group to list of members; set_groups() writes it anew")
    return {str(group): [str(member) for member in members] for group, members in found.items()}


def groups_of(warehouse: str | os.PathLike[str], principal: str) -> list[str]:
    """The groups that a user is a member of, sorted; the user's name is compared in any case."""
    wanted = principal.lower()
    found = get_groups(warehouse)
    return sorted(group for group, members in found.items() if wanted in (member.lower() for member in members))
