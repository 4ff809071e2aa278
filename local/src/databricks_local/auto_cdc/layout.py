"""The columns that the engine works with: one place for their names and types."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyspark.sql.types import StructField

from databricks_local.auto_cdc.plan import CdcPlan
from databricks_local.auto_cdc.types import merge_types, nullable, reshape
from databricks_local.sql.tokens import quote_identifier, quote_string

SEQUENCE = "__cdc_sequence"
SYSTEM = "__cdc_system"
KIND = "__cdc_kind"
DIGEST = "__cdc_digest"
AUTHORED = "__cdc_authored"
CONTENT = "__cdc_content"
LATEST = "__cdc_latest"
RECORDED_AT = "__cdc_recorded_at"
REMOVED = "__cdc_removed"
IS_NEW = "__cdc_is_new"
FIRST = "__cdc_first"
LAST = "__cdc_last"

UPSERT, DELETE, TRUNCATE = 0, 1, 2

# One order for every comparison of events of a key: by sequence, then (ties) a delete over an
# upsert, then content.
ORDER = f"struct({SEQUENCE}, {KIND}, {DIGEST})"


@dataclass(frozen=True)
class Layout:
    """The columns of a plan, in the types that the target has or gets.

    Attributes:
        plan: the plan.
        keys: key columns.
        payload: the other columns that this source delivers.
        carried: columns that the source no longer delivers, kept with the events of a history.
    """

    plan: CdcPlan
    keys: tuple[StructField, ...]
    payload: tuple[StructField, ...]
    carried: tuple[StructField, ...]

    @property
    def kept(self) -> tuple[StructField, ...]:
        """What the state keeps of an event beside its key: everything that a record may show."""
        return (*self.payload, *self.carried) if self.plan.needs_every_event else ()

    @property
    def event(self) -> list[str]:
        """What identifies an event of the state, quoted: its key, its sequence, for BITEMPORAL its system sequence."""
        return [*names(self.keys), SEQUENCE, *([SYSTEM] if self.plan.is_bitemporal else [])]

    def same_key(self, left: str, right: str) -> str:
        """The join condition on the keys, which are never NULL."""
        return " and ".join(
            f"{left}.{quote_identifier(f.name)} = {right}.{quote_identifier(f.name)}" for f in self.keys
        )


def names(fields: Sequence[StructField]) -> list[str]:
    """Column names, quoted."""
    return [quote_identifier(f.name) for f in fields]


# Microseconds are not the default of JSON.
JSON_FORMATS = (
    "'timeZone', 'UTC', "
    "'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX', "
    "'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS'"
)
"""Options of `to_json` and `from_json`, as entries of a SQL map."""


def packed(fields: Sequence[StructField]) -> str:
    """The fields as one struct; never empty, so that it can always be unpacked."""
    pairs = [f"{quote_string(f.name)}, {quote_identifier(f.name)}" for f in fields]
    return f"named_struct({', '.join(pairs) if pairs else quote_string('__cdc_none') + ', true'})"


def lay_out(plan: CdcPlan, target: Sequence[StructField], remembered: Collection[str]) -> Layout:
    """Bring the plan's columns and those that the target has together.

    Args:
        plan: what the source delivers now.
        target: columns of the target as it is.
        remembered: columns that the state keeps; only those can be carried, others are filled by
            the table itself.

    Raises:
        ProgrammingError: CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE: a column changed its type.
    """
    existing = {f.name.lower(): f for f in target}
    remembered = {name.lower() for name in remembered}
    delivered = {f.name.lower() for f in (*plan.keys, *plan.payload)}
    declared = {f.name.lower(): f.dataType for f in plan.output_schema.fields}

    def merged(field: StructField) -> StructField:
        incoming = declared[field.name.lower()]
        found = existing.get(field.name.lower())
        if found is None:
            return StructField(field.name, nullable(incoming))
        return StructField(found.name, nullable(merge_types(found.dataType, incoming, found.name)))

    return Layout(
        plan=plan,
        keys=tuple(merged(f) for f in plan.keys),
        payload=tuple(merged(f) for f in plan.payload),
        carried=tuple(
            StructField(f.name, nullable(f.dataType))
            for f in target
            if plan.keeps_history and f.name.lower() in remembered and f.name.lower() not in delivered
        ),
    )


def delivered_as(source: StructField, field: StructField) -> str:
    """The source's column in the target's type and spelling."""
    value = reshape(quote_identifier(source.name), source.dataType, field.dataType)
    return f"{value} as {quote_identifier(field.name)}"
