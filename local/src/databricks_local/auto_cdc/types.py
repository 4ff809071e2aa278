"""SQL text over values of any type: comparing, reshaping and naming them.

Maps and variants can neither be compared nor grouped by, and struct types print their field names
unquoted; what is built here works for every type and every name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType, VariantType

from databricks_local.errors import invalid
from databricks_local.sql.tokens import quote_identifier, quote_string


def ddl(data_type: DataType) -> str:
    """The type as SQL text, nested names quoted."""
    if isinstance(data_type, StructType):
        fields = ", ".join(f"{quote_identifier(f.name)}: {ddl(f.dataType)}" for f in data_type.fields)
        return f"struct<{fields}>"
    if isinstance(data_type, ArrayType):
        return f"array<{ddl(data_type.elementType)}>"
    if isinstance(data_type, MapType):
        return f"map<{ddl(data_type.keyType)}, {ddl(data_type.valueType)}>"
    return data_type.simpleString()


def nullable(data_type: DataType) -> DataType:
    """The same type with everything inside it nullable."""
    if isinstance(data_type, StructType):
        return StructType([StructField(f.name, nullable(f.dataType)) for f in data_type.fields])
    if isinstance(data_type, ArrayType):
        return ArrayType(nullable(data_type.elementType))
    if isinstance(data_type, MapType):
        return MapType(nullable(data_type.keyType), nullable(data_type.valueType))
    return data_type


def is_comparable(data_type: DataType) -> bool:
    """Whether Spark can compare and group values of this type as they are."""
    if isinstance(data_type, StructType):
        return all(is_comparable(f.dataType) for f in data_type.fields)
    if isinstance(data_type, ArrayType):
        return is_comparable(data_type.elementType)
    return not isinstance(data_type, MapType | VariantType)


def comparable(expression: str, data_type: DataType) -> str:
    """An expression that can be compared, and is equal exactly where the values are.

    A map becomes its sorted entries, a variant its JSON text; both also inside structs and arrays.
    """
    return _comparable(expression, data_type, count())


def _comparable(value: str, data_type: DataType, names: Iterator[int]) -> str:
    if is_comparable(data_type):
        return value
    if isinstance(data_type, StructType):
        fields = [
            f"{quote_string(f.name)}, {_comparable(f'{value}.{quote_identifier(f.name)}', f.dataType, names)}"
            for f in data_type.fields
        ]
        return f"if({value} is null, null, named_struct({', '.join(fields)}))"
    if isinstance(data_type, ArrayType):
        item = f"__cdc_x{next(names)}"
        return f"transform({value}, {item} -> {_comparable(item, data_type.elementType, names)})"
    if isinstance(data_type, MapType):
        item = f"__cdc_x{next(names)}"
        key = _comparable(f"{item}.key", data_type.keyType, names)
        entry = _comparable(f"{item}.value", data_type.valueType, names)
        pair = f"{item} -> named_struct('k', {key}, 'v', {entry})"
        return f"array_sort(transform(map_entries({value}), {pair}))"
    return f"to_json({value})"


def equal(left: str, right: str, data_type: DataType) -> str:
    """A null-safe comparison of two values of one type."""
    return f"({comparable(left, data_type)} <=> {comparable(right, data_type)})"


def merge_types(existing: DataType, incoming: DataType, column: str) -> DataType:
    """The type that holds both: fields that only one side has are added, at any depth.

    Raises:
        ProgrammingError: CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE, naming the column: a type changed
            between runs.
    """
    if isinstance(existing, StructType) and isinstance(incoming, StructType):
        theirs = {f.name.lower(): f for f in incoming.fields}
        ours = {f.name.lower() for f in existing.fields}
        merged = [
            StructField(
                f.name,
                merge_types(f.dataType, theirs[f.name.lower()].dataType, f"{column}.{f.name}"),
            )
            if f.name.lower() in theirs
            else StructField(f.name, nullable(f.dataType))
            for f in existing.fields
        ]
        added = [StructField(f.name, nullable(f.dataType)) for f in incoming.fields if f.name.lower() not in ours]
        return StructType(merged + added)
    if isinstance(existing, ArrayType) and isinstance(incoming, ArrayType):
        return ArrayType(merge_types(existing.elementType, incoming.elementType, f"{column}.element"))
    if isinstance(existing, MapType) and isinstance(incoming, MapType):
        key = merge_types(existing.keyType, incoming.keyType, f"{column}.key")
        return MapType(key, merge_types(existing.valueType, incoming.valueType, f"{column}.value"))
    if existing != incoming:
        raise invalid(
            "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
            f"column {column} is {ddl(existing)} in the target and {ddl(incoming)} in the source; "
            "cast it in the source, or refresh the table with FULL",
        )
    return existing


def reshape(expression: str, have: DataType, want: DataType) -> str:
    """The value as a wider type: missing struct fields NULL, leaves cast."""
    return _reshape(expression, have, want, count())


def _reshape(value: str, have: DataType, want: DataType, names: Iterator[int]) -> str:
    if nullable(have) == nullable(want):
        return value
    if isinstance(have, StructType) and isinstance(want, StructType):
        present = {f.name.lower(): f for f in have.fields}
        fields = []
        for field in want.fields:
            source = present.get(field.name.lower())
            inner = (
                f"cast(null as {ddl(field.dataType)})"
                if source is None
                else _reshape(
                    f"{value}.{quote_identifier(source.name)}",
                    source.dataType,
                    field.dataType,
                    names,
                )
            )
            fields.append(f"{quote_string(field.name)}, {inner}")
        return f"if({value} is null, null, named_struct({', '.join(fields)}))"
    if isinstance(have, ArrayType) and isinstance(want, ArrayType):
        item = f"__cdc_x{next(names)}"
        inner = _reshape(item, have.elementType, want.elementType, names)
        return f"transform({value}, {item} -> {inner})"
    if isinstance(have, MapType) and isinstance(want, MapType) and nullable(have.keyType) == nullable(want.keyType):
        number = next(names)
        inner = _reshape(f"__cdc_v{number}", have.valueType, want.valueType, names)
        return f"transform_values({value}, (__cdc_k{number}, __cdc_v{number}) -> {inner})"
    return f"cast({value} as {ddl(want)})"
