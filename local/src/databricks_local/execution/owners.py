"""Who owns a streaming table or a materialized view, and whose permissions its refreshes have.

The owner is who created it, until ALTER … SET OWNER TO. A refresh reads what the owner may read, whoever asks for it,
and only the owner changes its definition; the owner of the warehouse, who is no principal, may do so too, and the table
stays whose it was.
https://docs.databricks.com/aws/en/sql/mv-st/compute
"""

from __future__ import annotations

import getpass
from dataclasses import replace

from databricks_local.errors import refused
from databricks_local.execution import annotations as attached
from databricks_local.execution.catalog_entries import OWNER
from databricks_local.execution.context import Context, Relation


def as_owner(context: Context, relation: Relation) -> Context:
    """The context with the permissions of the relation's owner, which a refresh runs with."""
    return replace(context, principal=_owner(context, relation))


def claim(context: Context, relation: Relation) -> None:
    """Make who runs the statement the owner of a relation that is about to be created."""
    if context.principal is None:
        context.store.unannotate(attached.TABLE, relation.database, relation.table, OWNER)
    else:
        context.store.annotate(attached.TABLE, relation.database, relation.table, OWNER, context.principal)


def refuse_unless_owner(context: Context, relation: Relation, operation: str) -> None:
    """Refuse a principal who would change what another one's refreshes read.

    Raises:
        NotSupportedError: PERMISSION_DENIED names the principal, the relation and its owner.
    """
    owner = _owner(context, relation)
    if context.principal is None or (owner is not None and owner.lower() == context.principal.lower()):
        return
    raise refused(
        "PERMISSION_DENIED",
        f"{context.principal} cannot {operation} {relation}, which {owner or getpass.getuser()} owns: its refreshes "
        "run with the permissions of its owner; use REFRESH, or another name",
    )


def _owner(context: Context, relation: Relation) -> str | None:
    """The owning principal; None for the owner of the warehouse."""
    for *_, owner in context.store.annotations(OWNER, relation.database, relation.table):
        return None if owner == getpass.getuser() else str(owner)
    return None
