"""Typed values for the symbols of histories, as Arrow writes and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    CharType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
)

_DAY = date(2024, 2, 29)
_MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
_WHOLE = (ByteType, ShortType, IntegerType, LongType)
_FRACTIONAL = (FloatType, DoubleType)
_TEXT = (StringType, CharType, VarcharType)


def three_values(data_type: DataType) -> list[Any]:
    """Three values of a type, different where it has three; the third is one that is easily taken for NULL.

    A type that Arrow cannot carry (variant, intervals) has only NULL.
    """
    if isinstance(data_type, _TEXT):
        return ["a", "it's \\ ü", ""]
    if isinstance(data_type, _WHOLE):
        return [1, -2, 0]
    if isinstance(data_type, _FRACTIONAL):
        return [1.5, -2.25, 0.0]
    if isinstance(data_type, DecimalType):
        return [Decimal(n).scaleb(-data_type.scale) for n in (1, -2, 0)]
    if isinstance(data_type, BooleanType):
        return [True, False, False]
    if isinstance(data_type, DateType):
        return [_DAY, date(1969, 12, 31), date(1970, 1, 1)]
    if isinstance(data_type, TimestampType | TimestampNTZType):
        moments = [_MOMENT, datetime(1969, 12, 31, 23, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]
        return [m if isinstance(data_type, TimestampType) else m.replace(tzinfo=None) for m in moments]
    if isinstance(data_type, BinaryType):
        return [b"a", b"\x00", b""]
    if isinstance(data_type, ArrayType):
        first, second, _ = three_values(data_type.elementType)
        return [[first], [second, None], []]
    if isinstance(data_type, MapType):
        keys, values = three_values(data_type.keyType), three_values(data_type.valueType)
        return [[(keys[0], values[0])], [(keys[0], values[1]), (keys[1], None)], []]
    if isinstance(data_type, StructType):
        parts = [three_values(field.dataType) for field in data_type.fields]
        return [{f.name: p[n] for f, p in zip(data_type.fields, parts, strict=True)} for n in range(3)]
    return [None, None, None]


def symbol_value(symbol: str, data_type: DataType, three: Sequence[Any]) -> Any:
    """The value that a symbol stands for.

    Args:
        symbol: one of `histories.SYMBOLS`.
        data_type: of the column.
        three: what `a`, `b` and `c` stand for.
    """
    if symbol == "-":
        return None
    if symbol in "pqe" and isinstance(data_type, StructType):
        kept = {"p": 0, "q": 1}.get(symbol)
        whole = three[0 if symbol == "p" else 1]
        return {f.name: whole[f.name] if n % 2 == kept else None for n, f in enumerate(data_type.fields)}
    return None if symbol == "e" else three["abc".index({"p": "a", "q": "b"}.get(symbol, symbol))]


def numbered(data_type: DataType, number: int) -> Any:
    """A value that grows with a number from 0 on; None for a type that has too few of them."""
    if isinstance(data_type, ShortType | IntegerType | LongType):
        return number
    if isinstance(data_type, _FRACTIONAL):
        return float(number)
    if isinstance(data_type, DecimalType):
        return Decimal(number) if data_type.precision - data_type.scale >= 5 else None
    if isinstance(data_type, _TEXT):
        return f"{number:06d}"
    if isinstance(data_type, BinaryType):
        return f"{number:06d}".encode()
    if isinstance(data_type, DateType):
        return _DAY + timedelta(days=number)
    if isinstance(data_type, TimestampType):
        return _MOMENT + timedelta(minutes=number)
    if isinstance(data_type, TimestampNTZType):
        return _MOMENT.replace(tzinfo=None) + timedelta(minutes=number)
    return None


def comparable(value: Any, *, empty_is_null: bool) -> Any:
    """A value that can be hashed, and is equal exactly where the values are.

    Args:
        value: as read from Arrow.
        empty_is_null: whether a struct of NULLs counts as NULL, as it does with IGNORE NULL UPDATES.
    """
    if isinstance(value, dict):
        items = tuple((k, comparable(v, empty_is_null=empty_is_null)) for k, v in sorted(value.items()))
        return None if empty_is_null and all(v is None for _, v in items) else items
    if isinstance(value, list):
        parts = [comparable(v, empty_is_null=empty_is_null) for v in value]
        # A map comes as a list of pairs, in no order.
        return tuple(sorted(parts, key=repr)) if value and isinstance(value[0], tuple) else tuple(parts)
    if isinstance(value, tuple):
        return tuple(comparable(v, empty_is_null=empty_is_null) for v in value)
    return value
