"""What an AUTO CDC flow means for its source: names resolved, rules on options checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, BooleanType, DataType, StringType, StructField, StructType

from databricks_local.auto_cdc.types import ddl, is_comparable, nullable
from databricks_local.errors import invalid
from databricks_local.sql.streaming_table import (
    AutoCdcFlow,
    ColumnDefinition,
    ColumnSelection,
    Storage,
)
from databricks_local.sql.tokens import quote_identifier

START_AT = "__START_AT"
END_AT = "__END_AT"
SYSTEM_START_AT = "__SYSTEM_START_AT"
SYSTEM_END_AT = "__SYSTEM_END_AT"
RESERVED_PREFIX = "__cdc_"

_DRIFT_ADVICE = "restore the old setting, or REFRESH STREAMING TABLE … FULL"


@dataclass(frozen=True)
class CdcPlan:
    """A checked flow.

    Attributes:
        flow: the parsed statement.
        source_schema: the columns that the expressions may use.
        keys: the key columns, in source order.
        payload: the other columns that the target keeps, in source order.
        tracked: names of the payload columns whose change opens a record (SCD TYPE 2); empty for
            SCD TYPE 1.
        ignore_null: names of the payload columns in which NULL means "not authored".
        columns_to_update: the array column that names what each row authors, or None.
        sequence_type: of SEQUENCE BY.
        system_sequence_type: of SYSTEM SEQUENCE BY; None unless BITEMPORAL.
        output_schema: of the target, with `__START_AT` and `__END_AT` where a history is kept, and for BITEMPORAL
            `__SYSTEM_START_AT` and `__SYSTEM_END_AT`.
    """

    flow: AutoCdcFlow
    source_schema: StructType
    keys: tuple[StructField, ...]
    payload: tuple[StructField, ...]
    tracked: tuple[str, ...]
    ignore_null: tuple[str, ...]
    columns_to_update: str | None
    sequence_type: DataType
    system_sequence_type: DataType | None
    output_schema: StructType

    @property
    def keeps_history(self) -> bool:
        """Whether the target holds records with a start and an end: SCD TYPE 2 and BITEMPORAL."""
        return self.flow.stored_as is not Storage.SCD_TYPE_1

    @property
    def is_bitemporal(self) -> bool:
        """Whether the target also holds what was believed before."""
        return self.flow.stored_as is Storage.BITEMPORAL

    @property
    def inherits(self) -> bool:
        """Whether an event may take values from an earlier one."""
        return bool(self.ignore_null) or self.columns_to_update is not None

    @property
    def needs_every_event(self) -> bool:
        """Whether the state holds every event, or per key only how far it has come."""
        return self.keeps_history or self.inherits

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What must not change between two runs, as JSON: key set, tracked set, sequence type, kind
        of state.
        """
        return {
            "keys": sorted(f.name.lower() for f in self.keys),
            "tracked": sorted(name.lower() for name in self.tracked) if self.keeps_history else None,
            "sequence": ddl(self.sequence_type).lower(),
            "system_sequence": None if self.system_sequence_type is None else ddl(self.system_sequence_type).lower(),
            "stored_as": self.flow.stored_as.value,
            "state": "events" if self.needs_every_event else "latest",
        }

    def check_against(self, previous: Mapping[str, Any], table: str = "the target") -> None:
        """Compare with the fingerprint of the last run; another order or spelling is no change.

        Raises:
            ProgrammingError: AUTOCDC_INVALID_STATE.KEY_DRIFT, .TRACK_HISTORY_DRIFT,
                .SEQUENCE_TYPE_DRIFT, .STORAGE_DRIFT.
        """
        current = self.fingerprint
        conditions = (
            ("keys", "KEY_DRIFT", "KEYS"),
            ("stored_as", "STORAGE_DRIFT", "STORED AS"),
            ("tracked", "TRACK_HISTORY_DRIFT", "the set of columns whose history is tracked"),
            ("sequence", "SEQUENCE_TYPE_DRIFT", "the type of SEQUENCE BY"),
            ("system_sequence", "SEQUENCE_TYPE_DRIFT", "the type of SYSTEM SEQUENCE BY"),
            ("state", "STORAGE_DRIFT", "whether rows may be updated in part"),
        )
        for entry, condition, what in conditions:
            if current[entry] != previous.get(entry):
                raise invalid(
                    f"AUTOCDC_INVALID_STATE.{condition}",
                    f"{what} of {table} changed from {_shown(previous.get(entry))} "
                    f"to {_shown(current[entry])}, and what was recorded "
                    f"under the old one cannot be read under the new one; {_DRIFT_ADVICE}",
                )


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def resolve(flow: AutoCdcFlow, source_schema: StructType, declared_columns: Sequence[ColumnDefinition] = ()) -> CdcPlan:
    """Check a flow against its source and against the target's column list.

    Args:
        flow: as parsed; expressions are SQL over the source's columns, kept in the target or not.
        source_schema: of the staging table.
        declared_columns: the column list of CREATE STREAMING TABLE, empty where there is none.
            Columns that the source does not deliver stay NULL, or get their default; a column that
            it does deliver must be listed.

    Raises:
        ProgrammingError: an AUTO_CDC_… condition that names the option.
    """
    _check_combinations(flow)
    columns = _Columns(source_schema)
    keys = _resolve_keys(flow, columns)
    key_names = {f.name for f in keys}
    selected = columns.select(flow.columns, "COLUMNS")
    missing = [f.name for f in keys if f not in selected]
    if missing:
        raise invalid(
            "AUTO_CDC_KEY_NOT_SELECTED",
            f"COLUMNS leaves out the key {_names(missing)}; a target keeps its keys",
        )
    payload = tuple(f for f in selected if f.name not in key_names)
    _refuse_reserved(flow, selected)

    expressions = _Expressions(source_schema)
    sequence_type = _sequence_type(expressions, "SEQUENCE BY", flow.sequence_by)
    system_sequence_type = None
    if flow.system_sequence_by is not None:
        system_sequence_type = _sequence_type(expressions, "SYSTEM SEQUENCE BY", flow.system_sequence_by)
    for option, text in (
        ("APPLY AS DELETE WHEN", flow.apply_as_delete_when),
        ("APPLY AS TRUNCATE WHEN", flow.apply_as_truncate_when),
    ):
        if text is not None and not isinstance(expressions.type_of(option, text), BooleanType):
            raise invalid("AUTO_CDC_CONDITION_NOT_BOOLEAN", f"{option} {text} is not a condition")

    tracked: tuple[str, ...] = ()
    if flow.stored_as is not Storage.SCD_TYPE_1:
        chosen = _Columns(StructType(list(selected))).select(flow.track_history_on, "TRACK HISTORY ON")
        tracked = tuple(f.name for f in chosen if f.name not in key_names)
    output = [*selected]
    if flow.stored_as is not Storage.SCD_TYPE_1:
        output += [StructField(START_AT, sequence_type), StructField(END_AT, sequence_type)]
    if system_sequence_type is not None:
        output += [StructField(name, system_sequence_type) for name in (SYSTEM_START_AT, SYSTEM_END_AT)]
    return CdcPlan(
        flow=flow,
        source_schema=source_schema,
        keys=keys,
        payload=payload,
        tracked=tracked,
        ignore_null=_ignored(flow, payload, key_names),
        columns_to_update=_columns_to_update(flow, columns),
        sequence_type=sequence_type,
        system_sequence_type=system_sequence_type,
        output_schema=_declared(output, declared_columns),
    )


def _check_combinations(flow: AutoCdcFlow) -> None:
    if (flow.stored_as is Storage.BITEMPORAL) != (flow.system_sequence_by is not None):
        raise invalid(
            "AUTO_CDC_BITEMPORAL_NEEDS_SYSTEM_SEQUENCE",
            "STORED AS BITEMPORAL and SYSTEM SEQUENCE BY go together: one says that beliefs are kept, the other when "
            "each event became known",
        )
    if flow.stored_as is Storage.BITEMPORAL and flow.columns_to_update is not None:
        raise invalid("AUTO_CDC_PARTIAL_UPDATE_OPTIONS", "COLUMNS TO UPDATE is not for BITEMPORAL")
    if flow.track_history_on is not None and flow.stored_as is Storage.SCD_TYPE_1:
        raise invalid("AUTO_CDC_TRACK_HISTORY_NEEDS_SCD_TYPE_2", "TRACK HISTORY ON is for SCD TYPE 2 and BITEMPORAL")
    if flow.apply_as_truncate_when is not None and flow.stored_as is not Storage.SCD_TYPE_1:
        raise invalid("AUTO_CDC_TRUNCATE_NEEDS_SCD_TYPE_1", "APPLY AS TRUNCATE WHEN is for SCD TYPE 1 only")
    if flow.columns_to_update is not None and flow.ignore_null_updates is not None:
        raise invalid(
            "AUTO_CDC_PARTIAL_UPDATE_OPTIONS",
            "COLUMNS TO UPDATE and IGNORE NULL UPDATES exclude each other",
        )


def _sequence_type(expressions: _Expressions, option: str, text: str) -> DataType:
    found = expressions.type_of(option, text)
    if not is_comparable(found):
        raise invalid("AUTO_CDC_SEQUENCE_NOT_ORDERABLE", f"{option} is {ddl(found)}, which has no order")
    return nullable(found)


class _Columns:
    """The columns of a schema, found by name in any case."""

    def __init__(self, schema: StructType) -> None:
        self.fields = tuple(schema.fields)
        self.by_name = {f.name.lower(): f for f in schema.fields}

    def find(self, names: Iterable[str], option: str) -> tuple[StructField, ...]:
        names = tuple(names)
        unknown = [name for name in names if name.lower() not in self.by_name]
        if unknown:
            raise invalid(
                "AUTO_CDC_COLUMN_NOT_FOUND",
                f"{option} names {_names(unknown)}, expected one of {_names(f.name for f in self.fields)}",
            )
        wanted = {name.lower() for name in names}
        return tuple(f for f in self.fields if f.name.lower() in wanted)

    def select(self, selection: ColumnSelection | None, option: str) -> tuple[StructField, ...]:
        if selection is None:
            return self.fields
        found = self.find(selection.columns, option)
        if selection.is_except:
            return tuple(f for f in self.fields if f not in found)
        if not found:
            raise invalid("AUTO_CDC_EMPTY_COLUMN_LIST", f"{option} () names no column")
        return found


def _names(names: Iterable[str]) -> str:
    return ", ".join(quote_identifier(name) for name in names)


def _resolve_keys(flow: AutoCdcFlow, columns: _Columns) -> tuple[StructField, ...]:
    if not flow.keys:
        raise invalid("AUTO_CDC_NO_KEYS", "KEYS () names no column")
    lowered = [key.lower() for key in flow.keys]
    repeated = sorted({key for key in flow.keys if lowered.count(key.lower()) > 1})
    if repeated:
        raise invalid("AUTO_CDC_DUPLICATE_KEY", f"KEYS names {_names(repeated)} twice")
    keys = columns.find(flow.keys, "KEYS")
    for field in keys:
        if not is_comparable(field.dataType):
            raise invalid(
                "AUTO_CDC_KEY_NOT_COMPARABLE",
                f"KEYS names {_names([field.name])} of type {ddl(field.dataType)}; maps and variants cannot be keys",
            )
    return keys


def _refuse_reserved(flow: AutoCdcFlow, selected: Iterable[StructField]) -> None:
    reserved = set()
    if flow.stored_as is not Storage.SCD_TYPE_1:
        reserved |= {START_AT.lower(), END_AT.lower()}
    if flow.stored_as is Storage.BITEMPORAL:
        reserved |= {SYSTEM_START_AT.lower(), SYSTEM_END_AT.lower()}
    for field in selected:
        lowered = field.name.lower()
        if lowered in reserved or lowered.startswith(RESERVED_PREFIX):
            raise invalid(
                "AUTO_CDC_RESERVED_COLUMN_NAME",
                f"the source column {_names([field.name])} has a name that AUTO CDC uses itself; "
                "rename it, or leave it out by COLUMNS * EXCEPT",
            )


class _Expressions:
    """Analyses SQL text over a schema without reading a row."""

    def __init__(self, schema: StructType) -> None:
        self.empty = SparkSession.active().createDataFrame([], schema)

    def type_of(self, option: str, text: str) -> DataType:
        try:
            return self.empty.selectExpr(text).schema.fields[0].dataType
        except PySparkException as error:
            raise invalid("AUTO_CDC_INVALID_EXPRESSION", f"{option} {text}: {error}") from error


def _ignored(flow: AutoCdcFlow, payload: tuple[StructField, ...], key_names: set[str]) -> tuple[str, ...]:
    selection = flow.ignore_null_updates
    if selection is None:
        return ()
    lowered = {name.lower() for name in key_names}
    listed_keys = [name for name in selection.columns if name.lower() in lowered]
    if listed_keys:
        raise invalid(
            "AUTO_CDC_IGNORE_NULL_ON_KEY",
            f"IGNORE NULL UPDATES ON names the key {_names(listed_keys)}",
        )
    columns = _Columns(StructType(list(payload)))
    return tuple(f.name for f in columns.select(selection, "IGNORE NULL UPDATES ON"))


def _columns_to_update(flow: AutoCdcFlow, columns: _Columns) -> str | None:
    if flow.columns_to_update is None:
        return None
    (field,) = columns.find([flow.columns_to_update], "COLUMNS TO UPDATE")
    if not (isinstance(field.dataType, ArrayType) and isinstance(field.dataType.elementType, StringType)):
        raise invalid(
            "AUTO_CDC_COLUMNS_TO_UPDATE_TYPE",
            f"COLUMNS TO UPDATE {_names([field.name])} is {ddl(field.dataType)}, expected array<string>",
        )
    return field.name


def _declared(output: list[StructField], declared: Sequence[ColumnDefinition]) -> StructType:
    if not declared:
        return StructType([StructField(f.name, nullable(f.dataType)) for f in output])
    by_name = {f.name.lower(): f for f in output}
    listed = {column.name.lower() for column in declared}
    absent = [f.name for f in output if f.name.lower() not in listed]
    if absent:
        raise invalid(
            "AUTO_CDC_COLUMN_NOT_DECLARED",
            f"the column list leaves out {_names(absent)}; "
            "list what the flow writes, or leave it out by COLUMNS * EXCEPT",
        )
    spark = SparkSession.active()
    fields = []
    for column in declared:
        delivered = by_name.get(column.name.lower())
        if column.data_type is None:
            if delivered is None:
                raise invalid(
                    "AUTO_CDC_COLUMN_NOT_FOUND",
                    f"the column {_names([column.name])} has no type and no source",
                )
            data_type = nullable(delivered.dataType)
        else:
            data_type = spark.createDataFrame([], f"c {column.data_type}").schema.fields[0].dataType
        if delivered is not None and not _widens(spark, delivered.dataType, data_type):
            raise invalid(
                "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
                f"column {_names([column.name])} is declared {ddl(data_type)}, "
                f"the flow delivers {ddl(delivered.dataType)}",
            )
        fields.append(StructField(column.name, data_type, not column.not_null))
    return StructType(fields)


def _widens(spark: SparkSession, have: DataType, want: DataType) -> bool:
    if nullable(have) == nullable(want):
        return True
    parse = spark._jvm.org.apache.spark.sql.types.DataType.fromJson  # type: ignore[union-attr]  # set on a live session
    cast = spark._jvm.org.apache.spark.sql.catalyst.expressions.Cast  # type: ignore[union-attr]
    return bool(cast.canUpCast(parse(nullable(have).json()), parse(nullable(want).json())))
