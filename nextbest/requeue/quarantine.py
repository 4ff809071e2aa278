"""A quarantine table, its refused rows, and the statement that sends repaired ones back.

A repaired row is inserted into the bronze table that its stage reads, in the one commit that also records it: its
source position is `requeue/<quarantine_id>`. A row whose position is there already is not inserted again, so a command
that is repeated, or was killed at any moment, leaves each row sent back once or not at all. The next build reads the
new bronze rows like all others, rules included: what is still broken is refused again, under a new id.

The statement appends and nothing else, which is what a table that streams read may see.
https://docs.databricks.com/aws/en/ldp/cdc-advanced (DML on streaming tables: allowed unless it changes the schema)
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nextbest.requeue.repairs import ID, Repair

if TYPE_CHECKING:
    from dbt.contracts.graph.nodes import ModelNode

POSITION_PREFIX = "requeue/"
# What the platform says about a record, which no repair may change.
PROVENANCE = ("source_position", "source_time", "arrived_at")
CORRUPT_RECORD = "_corrupt_record"

_REPAIRS_TYPE = f"array<struct<{ID}: string, changes: map<string, string>>>"
# Keeps a statement with its values well below what a warehouse accepts.
_REPAIRS_PER_STATEMENT = 1_000


class RequeueError(Exception):
    """Nothing was sent back; the message names the table and says what to do."""


@dataclass(frozen=True)
class Quarantine:
    """A quarantine table and the stage that it belongs to.

    Attributes:
        name: of the quarantine model.
        relation: its table, quoted.
        source_name: of the bronze model that the stage reads.
        source: its table, quoted.
        columns: types of the record's columns by name, those of `source` without PROVENANCE.
        rules: names of the staging model's expectations.
        masks: functions, quoted, that mask text columns of the quarantine table.
    """

    name: str
    relation: str
    source_name: str
    source: str
    columns: Mapping[str, str]
    rules: tuple[str, ...]
    masks: tuple[str, ...]


@dataclass(frozen=True)
class RefusedRow:
    """A row of a quarantine table.

    Attributes:
        quarantine_id: names it; equal records of one file share it.
        broken_rules: names of the expectations that it broke.
        source_position: where it was read.
        arrived_at: when.
        is_sent: whether it was sent back.
    """

    quarantine_id: str
    broken_rules: tuple[str, ...]
    source_position: str
    arrived_at: datetime
    is_sent: bool


def find_quarantine(models: Mapping[str, ModelNode], name: str) -> Quarantine:
    """The quarantine table of a feed.

    Args:
        models: of the project, by name.
        name: of the feed, of its staging model or of its quarantine model.

    Raises:
        RequeueError: there is none, or its rows do not come from a table that new rows can be added to.
    """
    stages = {str(q): node for node in models.values() if (q := node.config.meta.get("quarantined_in"))}
    for candidate in (name, f"quarantine_{name}", str(_meta_of(models.get(name)).get("quarantined_in"))):
        if candidate in stages and candidate in models:
            return _quarantine(models, models[candidate], stages[candidate])
    raise RequeueError(
        f"{name} has no quarantine table; those of the project are {', '.join(sorted(stages)) or 'none'}"
    )


def _quarantine(models: Mapping[str, ModelNode], node: ModelNode, staging: ModelNode) -> Quarantine:
    sources = _read_by(models, node)
    if len(sources) != 1 or sources[0].config.materialized != "streaming_table":
        raise RequeueError(
            f"{node.name} is computed from {', '.join(s.name for s in sources) or 'no model'} at each build: "
            "repair the rows there, and the next build judges them again"
        )
    (source,) = sources
    columns = {column.name: str(column.data_type) for column in source.columns.values()}
    missing = [c for c in PROVENANCE if c not in columns]
    if missing:
        raise RequeueError(
            f"{source.name} has no column {', '.join(missing)} in its YAML; a row that is sent back is known by it"
        )
    expectations = staging.config.meta.get("expectations") or []
    return Quarantine(
        name=node.name,
        relation=str(node.relation_name),
        source_name=source.name,
        source=str(source.relation_name),
        columns={name: data_type for name, data_type in columns.items() if name not in PROVENANCE},
        rules=tuple(str(e["name"]) for e in _flat(expectations)),
        masks=tuple(dict.fromkeys(_masks(node))),
    )


def _meta_of(node: ModelNode | None) -> dict[str, Any]:
    return {} if node is None else node.config.meta


def _flat(entries: Iterable[Any]) -> list[Any]:
    return list(itertools.chain.from_iterable(e if isinstance(e, list) else [e] for e in entries))


def _read_by(models: Mapping[str, ModelNode], node: ModelNode) -> list[ModelNode]:
    """The tables that a model reads, through ephemeral models."""
    by_id = {other.unique_id: other for other in models.values()}
    read: list[ModelNode] = []
    for unique_id in node.depends_on.nodes:
        parent = by_id.get(unique_id)
        if parent is None:
            continue
        read += _read_by(models, parent) if parent.config.materialized == "ephemeral" else [parent]
    return read


def _masks(node: ModelNode) -> Iterable[str]:
    for column in node.columns.values():
        mask = column._extra.get("column_mask")
        if mask and str(column.data_type).lower() == "string":
            name = str(mask["function"])
            parts = [name] if "." in name else [str(node.database), node.schema, name]
            yield name if "." in name else ".".join(map(_quoted, parts))


class Requeue:
    """Reads a quarantine table and sends rows of it back.

    Args:
        cursor: DB-API, of `databricks_local` or `databricks.sql`.
        quarantine: the table.
    """

    def __init__(self, cursor: Any, quarantine: Quarantine) -> None:
        self._cursor = cursor
        self._quarantine = quarantine

    def rows(
        self, *, rule: str | None = None, prefixes: Sequence[str] = (), ids: Collection[str] | None = None
    ) -> list[RefusedRow]:
        """Refused rows, oldest first, each id once.

        Args:
            rule: only rows that broke it.
            prefixes: only rows whose id begins with one of them.
            ids: only these rows.

        Raises:
            RequeueError: no such rule; a prefix that fits no row or several.
        """
        quarantine = self._quarantine
        if rule is not None and rule not in quarantine.rules:
            raise RequeueError(
                f"{rule} is no expectation behind {quarantine.name}; those are {', '.join(quarantine.rules)}"
            )
        conditions, values = ["true"], {}
        if rule is not None:
            conditions.append("array_contains(broken_rules, :rule)")
            values["rule"] = rule
        if prefixes:
            conditions.append(f"exists(from_json(:prefixes, 'array<string>'), p -> startswith({ID}, p))")
            values["prefixes"] = json.dumps(list(prefixes))
        if ids is not None:
            conditions.append(f"{ID} in (select explode(from_json(:ids, 'array<string>')))")
            values["ids"] = json.dumps(list(ids))
        self._cursor.execute(
            f"select {ID}, broken_rules, source_position, arrived_at, is_sent from ({self._refused()}) "
            f"where {' and '.join(conditions)} order by arrived_at, source_position, {ID}",
            values or None,
        )
        found = [RefusedRow(row[0], tuple(row[1]), row[2], row[3], row[4]) for row in self._cursor.fetchall()]
        for prefix in prefixes:
            fitting = sum(row.quarantine_id.startswith(prefix) for row in found)
            if fitting != 1:
                raise RequeueError(
                    f"{fitting or 'no'} rows of {quarantine.name} have an id that begins with {prefix}"
                    + ("; give more of it" if fitting else "; see --list")
                )
        return found

    def records(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """The rows as they were refused, with `quarantine_id`, `broken_rules` and the record's columns."""
        columns = [ID, "broken_rules", *self._quarantine.columns]
        self._cursor.execute(
            f"select {', '.join(map(_quoted, columns))} from ({self._refused()}) "
            f"where {ID} in (select explode(from_json(:ids, 'array<string>'))) "
            f"order by arrived_at, source_position, {ID}",
            {"ids": json.dumps(list(ids))},
        )
        return [dict(zip(columns, row, strict=True)) for row in self._cursor.fetchall()]

    def refuse_masked_values(self) -> None:
        """Stop where this user sees masked values, which would be stored for good.

        Raises:
            RequeueError: naming the mask.
        """
        for function in self._quarantine.masks:
            self._cursor.execute(f"select {function}('seen')")
            if self._cursor.fetchone()[0] != "seen":
                raise RequeueError(
                    f"the target's user sees columns of {self._quarantine.name} masked by {function}, and would send "
                    "back what it sees: use the user that builds, or a member of the group that the mask exempts"
                )

    def repaired(self, ids: Collection[str], changes: Mapping[str, str] | Sequence[Repair]) -> list[dict[str, Any]]:
        """What would be sent back: `quarantine_id` and the record's columns.

        Args:
            ids: of rows that are still open.
            changes: as for `send_back`.
        """
        rows: list[dict[str, Any]] = []
        for query, values in self._queries(ids, changes):
            columns = [ID, *self._quarantine.columns]
            self._cursor.execute(f"{query} select {', '.join(map(_quoted, columns))} from repaired", values)
            rows += [dict(zip(columns, row, strict=True)) for row in self._cursor.fetchall()]
        return rows

    def send_back(self, ids: Collection[str], changes: Mapping[str, str] | Sequence[Repair]) -> None:
        """Insert the repaired rows into the bronze table; each at most once, whoever else does the same.

        Args:
            ids: of rows that are still open.
            changes: SQL expressions over the refused row by column, or repaired rows.

        Raises:
            databricks_local.Error, databricks.sql.exc.Error: an expression or a value does not fit its column.
        """
        columns = [*self._quarantine.columns, *PROVENANCE]
        for query, values in self._queries(ids, changes):
            self._cursor.execute(
                f"insert into {self._quarantine.source} by name {query} "
                f"select {', '.join(map(_quoted, columns))} from repaired",
                values,
            )

    def _queries(
        self, ids: Collection[str], changes: Mapping[str, str] | Sequence[Repair]
    ) -> Iterable[tuple[str, dict[str, str]]]:
        """CTEs that end with `repaired`, and their parameters."""
        if isinstance(changes, Mapping):
            wanted = [{ID: quarantine_id, "changes": {}} for quarantine_id in ids]
            columns = [self._assigned(name, changes) for name in self._quarantine.columns]
        else:
            chosen = set(ids)
            wanted = [{ID: r.quarantine_id, "changes": r.values} for r in changes if r.quarantine_id in chosen]
            columns = [self._replaced(name, data_type) for name, data_type in self._quarantine.columns.items()]
        for start in range(0, len(wanted), _REPAIRS_PER_STATEMENT):
            part = wanted[start : start + _REPAIRS_PER_STATEMENT]
            query = (
                f"with repairs as (select inline(from_json(:repairs, '{_REPAIRS_TYPE}'))), "
                f"open_rows as (select refused.*, repairs.changes as __changes from ({self._refused()}) as refused "
                f"inner join repairs on refused.{ID} = repairs.{ID} where not refused.is_sent), "
                f"repaired as (select {ID}, {', '.join(columns)}, "
                f"concat('{POSITION_PREFIX}', {ID}) as source_position, source_time, current_timestamp() as arrived_at "
                "from open_rows)"
            )
            yield query, {"repairs": json.dumps(part, ensure_ascii=False)}

    def _assigned(self, name: str, expressions: Mapping[str, str]) -> str:
        column = _quoted(name)
        if name not in expressions:
            return column
        return f"cast(({expressions[name]}\n) as {self._quarantine.columns[name]}) as {column}"

    def _replaced(self, name: str, data_type: str) -> str:
        key, column = f"'{name}'", _quoted(name)
        # Who gives a record anew gives it readable, unless they say otherwise.
        otherwise = "null" if name == CORRUPT_RECORD else column
        given = f"cast(__changes[{key}] as {data_type})"
        return f"if(map_contains_key(__changes, {key}), {given}, {otherwise}) as {column}"

    def _refused(self) -> str:
        """A query: the rows of the quarantine table, each id once, with `is_sent`."""
        return (
            f"select quarantine.*, sent.source_position is not null as is_sent "
            f"from {self._quarantine.relation} as quarantine left join ("
            f"select distinct source_position from {self._quarantine.source} "
            f"where source_position like '{POSITION_PREFIX}%') as sent "
            f"on sent.source_position = concat('{POSITION_PREFIX}', quarantine.{ID}) "
            f"qualify row_number() over (partition by quarantine.{ID} order by quarantine.arrived_at) = 1"
        )


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
