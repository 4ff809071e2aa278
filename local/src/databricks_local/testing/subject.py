"""A model made ready: which columns play which part, and which row stands for which event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DataType, StringType, StructField, StructType

from databricks_local.testing.exhaustive import Alphabet
from databricks_local.testing.histories import SLOTS, Event
from databricks_local.testing.model import CdcModel, Marks, columns_of_sequence, marks_of
from databricks_local.testing.oracle import Rules, Values
from databricks_local.testing.statement import read_statement, rules_of
from databricks_local.testing.values import numbered, symbol_value, three_values

SourceRow = dict[str, Any]
Kind = Literal["upsert", "delete", "truncate"]

ADDED_COLUMN = "added_by_the_kit"
LOWEST_PLACE, HIGHEST_PLACE = -50, 100


class UnknownShape(ValueError):  # noqa: N818  (it says what the kit cannot know)
    """Something about a model that its statement does not say and its author has to."""


class Subject:
    """One model, in the terms of histories.

    Args:
        model: the model.
        spark: a session of the warehouse that the model is tested in.

    Raises:
        UnknownShape: names the part of the model that has to be given, and how.
    """

    def __init__(self, model: CdcModel, spark: SparkSession) -> None:
        self.statement = read_statement(model.statement)
        self._model = model
        self._spark = spark
        self.schema = _schema(model, spark)
        self._fields = {f.name.lower(): f for f in self.schema.fields}
        self.flow = self.statement.flow
        self.name = self.statement.parsed.name.table
        self.columns, self.rules = rules_of(self.flow, self.schema.fieldNames())
        self.keys = [self._field(key, "KEYS").name for key in self.flow.keys]
        self._marks = self._all_marks()
        self._sequence = self._sequence_function()
        self._slot_of = self._slots()
        self._null_upserts = False
        self._check_conditions()
        self._check_sequence()

    # what the model is

    @property
    def keeps_history(self) -> bool:
        """Whether the table has several rows of a key."""
        return self.rules.stored_as != "SCD TYPE 1"

    @property
    def truncates(self) -> bool:
        """Whether a row can truncate the table."""
        return self.flow.apply_as_truncate_when is not None

    @property
    def inherits(self) -> bool:
        """Whether NULL may mean "not authored"."""
        return bool(self.rules.ignored)

    @property
    def symbols(self) -> str:
        """What values of random histories are made of."""
        has_structs = any(isinstance(self._fields[c.lower()].dataType, StructType) for c in self._slot_of)
        return "ab-" + ("pqe" if self.inherits and has_structs else "c")

    def alphabet(self, *, short: bool = False) -> Alphabet:
        """The upserts that tell the rules of this flow apart, and a delete where there is one.

        Args:
            short: two upserts only, for the longer of exhaustive histories.
        """
        upserts = ["aaa", "-bb"]
        if self.inherits:
            upserts = ["a-a", "-bb"] if short else ["a-a", "-bb", "---"]
        elif self.keeps_history and "z" in self._slot_of.values():
            upserts = ["aaa", "aab"] if short else ["aaa", "aab", "-ba"]
        return [*upserts, *([None] if self.flow.apply_as_delete_when is not None else [])]

    def rules_with_added_column(self) -> Rules:
        """The rules once the source has one more column."""
        return rules_of(self.with_added_column.flow, [*self.schema.fieldNames(), ADDED_COLUMN])[1]

    @cached_property
    def with_added_column(self) -> Any:
        """The statement once the source has one more column."""
        return self.statement.with_column(ADDED_COLUMN, "string")

    # rows

    def row(self, event: Event, key: int, *, delivery: int = 0) -> SourceRow:
        """The source row of an event.

        Args:
            event: what happens to the key.
            key: the number of the key.
            delivery: counts the deliveries of this event; columns that the table does not keep differ with each.
        """
        kind: Kind = "delete" if event.values is None else "upsert"
        marks = self._marks[kind]
        if kind == "upsert" and self._null_upserts and event.at % 3 == 0:
            marks = dict.fromkeys(marks)
        return {**self._filled(event, kind, delivery), **self.key(key), **self._sequence(event.at), **marks}

    def truncate_row(self, at: int) -> SourceRow:
        """The source row of a truncate; it has no key."""
        empty = dict.fromkeys(self.schema.fieldNames())
        return {**empty, **self._sequence(at), **self._marks["truncate"]}

    def values(self, event: Event) -> Values | None:
        """What the oracle is told of an event: the selected columns that are no keys."""
        if event.values is None:
            return None
        row = self.row(event, 0)
        return {column: row[column] for column in self.columns}

    def added_value(self, event: Event) -> Any:
        """What the added column holds in the row of an event."""
        return None if event.values is None else symbol_value(event.values[0], StringType(), ["a", "b", "c"])

    def sequence_value(self, at: int) -> Any:
        """What SEQUENCE BY gives at a place, as `__START_AT` shows it."""
        return self._sequence_values[at]

    def key(self, number: int) -> Marks:
        """The key columns of a key, by its number."""
        if self._model.keys is not None:
            return self._model.keys(number)
        types = {key: self._field(key, "KEYS").dataType for key in self.keys}
        wide = [k for k, t in types.items() if numbered(t, 0) is not None]
        if not wide:
            raise self._unknown("KEYS", ", ".join(self.keys), "keys=lambda number: {…}, another key for each number")
        carrier, others = wide[0], [k for k in self.keys if k != wide[0]]
        # Two keys each share what is in the carrier, so that no part of a key identifies it alone.
        shared, rest = divmod(number, 2) if others else (number, 0)
        return {carrier: numbered(types[carrier], shared), **{k: _one_of_two(types[k], rest) for k in others}}

    # how parts are found out

    def _field(self, name: str, option: str) -> StructField:
        found = self._fields.get(name.lower())
        if found is None:
            known = ", ".join(self.schema.fieldNames())
            raise ValueError(f"{self.name}: {option} names {name}, expected one of {known}")
        return found

    def _unknown(self, option: str, text: str, give: str) -> UnknownShape:
        return UnknownShape(f"{self.name}: the kit cannot make rows for {option} {text}; say how: {give}")

    def _all_marks(self) -> dict[Kind, Marks]:
        marks: dict[Kind, Marks] = {"upsert": {}, "delete": {}, "truncate": {}}
        conditions: tuple[tuple[Kind, str | None, Marks | None], ...] = (
            ("delete", self.flow.apply_as_delete_when, self._model.delete),
            ("truncate", self.flow.apply_as_truncate_when, self._model.truncate),
        )
        for kind, condition, given in conditions:
            if condition is None:
                continue
            found = given if given is not None else marks_of(condition)
            if found is None:
                option = f"APPLY AS {kind.upper()} WHEN"
                raise self._unknown(option, condition, f"{kind}={{'column': value}}, with which it is true")
            marks[kind] = self._spelled(found)
        marked = {column for kind in marks for column in marks[kind]}
        upsert = self._model.upsert
        marks["upsert"] = {c: self._unmarked(c, marks) for c in marked} if upsert is None else self._spelled(upsert)
        for kind in marks:
            marks[kind] = {**dict.fromkeys(marked), **marks[kind]}
        return marks

    def _spelled(self, marks: Marks) -> Marks:
        return {self._field(column, "a condition").name: value for column, value in marks.items()}

    def _unmarked(self, column: str, marks: Mapping[Kind, Marks]) -> Any:
        """A value that no condition asks for."""
        taken = [marks[kind][column] for kind in marks if column in marks[kind]]
        data_type = self._fields[column.lower()].dataType
        candidates = ["u"] if isinstance(data_type, StringType) else three_values(data_type)
        return next((value for value in candidates if value not in taken), None)

    def _sequence_function(self) -> Callable[[int], Marks]:
        if self._model.sequence is not None:
            given = self._model.sequence
            return lambda at: self._spelled(given(at - LOWEST_PLACE))
        columns = columns_of_sequence(self.flow.sequence_by)
        fields = [self._field(c, "SEQUENCE BY") for c in columns or []]
        if not fields or any(numbered(f.dataType, 0) is None for f in fields):
            raise self._unknown("SEQUENCE BY", self.flow.sequence_by, "sequence=lambda place: {'column': value, …}")
        *coarse, fine = fields

        def at_place(at: int) -> Marks:
            number = at - LOWEST_PLACE
            # Two places share what is in front of the last column, so that only the last one tells them apart.
            return {
                **{f.name: numbered(f.dataType, number // 2) for f in coarse},
                fine.name: numbered(fine.dataType, number),
            }

        return at_place

    def _slots(self) -> dict[str, str]:
        """Per column that is free to vary, the symbol of an event that decides it."""
        taken = {*self._sequence(0), *self._marks["upsert"]}
        free = [column for column in self.columns if column not in taken]
        main = [
            column
            for column in free
            if (not self.keeps_history or column in self.rules.tracked)
            and (not self.inherits or column in self.rules.ignored)
        ]
        slots = {column: SLOTS[n % 2] for n, column in enumerate(main or free)}
        return {column: slots.get(column, "z") for column in free}

    @cached_property
    def _three(self) -> dict[str, Sequence[Any]]:
        given = {self._field(c, "values=").name: _three_of(c, v) for c, v in self._model.values.items()}
        return {f.name: given.get(f.name) or three_values(f.dataType) for f in self.schema.fields}

    @cached_property
    def _never_null(self) -> frozenset[str]:
        return frozenset(c.name.lower() for c in self.statement.parsed.columns if c.not_null)

    def _filled(self, event: Event, kind: Kind, delivery: int) -> SourceRow:
        """Every column by symbol: those kept by the event's, others by the delivery, and both at random in deletes."""
        row: SourceRow = {}
        for field in self.schema.fields:
            slot = self._slot_of.get(field.name)
            if kind == "delete":
                symbol = "-" if event.at % 2 else "c"
            elif slot is None or event.values is None:
                symbol = "abc"[delivery % 3]
            else:
                symbol = event.values[SLOTS.index(slot)]
                if field.name.lower() in self._never_null and symbol in "-e":
                    symbol = "c"
            row[field.name] = symbol_value(symbol, field.dataType, self._three[field.name])
        return row

    # whether they were found out rightly

    def _check_sequence(self) -> None:
        """Let Spark evaluate SEQUENCE BY, and remember what it gives at each place."""
        places = range(LOWEST_PLACE, HIGHEST_PLACE)
        evaluated = self.frame([self.row(Event(at, "aaa"), 0) for at in places]).selectExpr(
            f"{self.flow.sequence_by} as value"
        )
        values = evaluated.toArrow().column(0).to_pylist()
        if evaluated.distinct().orderBy("value").toArrow().column(0).to_pylist() != values:
            raise self._unknown(
                "SEQUENCE BY", self.flow.sequence_by, "sequence=lambda place: {'column': value, …}, growing with it"
            )
        self._sequence_values = dict(zip(places, values, strict=True))

    def _check_conditions(self) -> None:
        """Let Spark evaluate the conditions on a row of each kind."""
        rows: dict[Kind, SourceRow] = {"upsert": self.row(Event(0, "aaa"), 0)}
        if self.flow.apply_as_delete_when is not None:
            rows["delete"] = self.row(Event(0, None), 0)
        if self.truncates:
            rows["truncate"] = self.truncate_row(0)
        for kind, row in rows.items():
            judged = self._judged(row)
            if judged != kind:
                raise self._unknown(
                    "an upsert" if kind == "upsert" else f"a {kind}",
                    f"(a row with {self._marks[kind]} is taken for a {judged})",
                    f"{kind}={{'column': value, …}}",
                )
        # A NULL condition is false, so that a row with NULL there is an upsert too.
        unmarked = {**rows["upsert"], **dict.fromkeys(self._marks["upsert"])}
        self._null_upserts = self._model.upsert is None and self._judged(unmarked) == "upsert"

    def _judged(self, row: SourceRow) -> Kind:
        truncate, delete = (
            f"coalesce(({condition or 'false'}), false)"
            for condition in (self.flow.apply_as_truncate_when, self.flow.apply_as_delete_when)
        )
        kind = f"case when {truncate} then 'truncate' when {delete} then 'delete' else 'upsert' end as kind"
        (judged,) = self.frame([row]).selectExpr(kind).collect()
        found: Kind = judged["kind"]
        return found

    def frame(self, rows: Sequence[SourceRow], *, added: bool = False) -> DataFrame:
        """Source rows as a frame.

        Args:
            rows: each with all columns of the source.
            added: whether the source has the added column; a row without it has NULL there.
        """
        import pyarrow as pa

        fields = [*self.schema.fields, *([StructField(ADDED_COLUMN, StringType())] if added else [])]
        schema = StructType([StructField(f.name, f.dataType) for f in fields])
        arrow = to_arrow_schema(schema, timezone="UTC")
        columns = [pa.array([row.get(f.name) for row in rows], type=f.type) for f in arrow]
        return self._spark.createDataFrame(pa.Table.from_arrays(columns, schema=arrow), schema=schema)


def _schema(model: CdcModel, spark: SparkSession) -> StructType:
    if isinstance(model.source, str):
        return spark.createDataFrame([], model.source).schema
    return spark.read.format("delta").load(str(model.source)).schema


def _one_of_two(data_type: DataType, number: int) -> Any:
    return three_values(data_type)[number] if numbered(data_type, 0) is None else numbered(data_type, number)


def _three_of(column: str, given: Any) -> Sequence[Any]:
    """Three values from a list, which is repeated where it is short, or from a strategy."""
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        return [given[n % len(given)] for n in range(3)]
    if hasattr(given, "example"):
        from databricks_local.testing.random_histories import different_values

        return different_values(given, 3)
    raise ValueError(f"values={{{column!r}: …}} is {given!r}; expected a list of values or a strategy of Hypothesis")
