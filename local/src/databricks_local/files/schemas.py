"""Schemas of file reads: hints, merging, evolution, and where an inferred schema is remembered.

Rules: https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema (schema hints,
evolution modes, type widening).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import types as t

from databricks_local.errors import OperationalError, ProgrammingError, invalid
from databricks_local.files.listing import Found
from databricks_local.sql.reader import Reader


class Evolution(Enum):
    """What happens when a record has a field that the schema lacks."""

    ADD_NEW_COLUMNS = "addNewColumns"
    ADD_NEW_COLUMNS_WITH_TYPE_WIDENING = "addNewColumnsWithTypeWidening"
    RESCUE = "rescue"
    FAIL_ON_NEW_COLUMNS = "failOnNewColumns"
    NONE = "none"

    @property
    def adds(self) -> bool:
        """Whether the schema grows."""
        return self in (Evolution.ADD_NEW_COLUMNS, Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING)

    @property
    def stops(self) -> bool:
        """Whether the run that meets a new column fails."""
        return self.adds or self is Evolution.FAIL_ON_NEW_COLUMNS


def evolution_mode(text: str | None, *, schema_given: bool) -> Evolution:
    """The mode asked for, or the documented default: `none` with a schema, `addNewColumns` without.

    Raises:
        ProgrammingError: an unknown mode, or one that adds columns to a given schema.
    """
    if text is None:
        return Evolution.NONE if schema_given else Evolution.ADD_NEW_COLUMNS
    by_name = {mode.value.lower(): mode for mode in Evolution}
    mode = by_name.get(text.lower())
    if mode is None:
        raise invalid(
            "CF_UNKNOWN_OPTION_VALUE",
            f"schemaEvolutionMode is one of {', '.join(m.value for m in Evolution)}, not {text!r}",
        )
    if schema_given and mode.adds:
        raise invalid(
            "CF_ADD_NEW_NOT_SUPPORTED",
            f"schemaEvolutionMode {mode.value} does not go with schema; give the types as schemaHints instead",
        )
    return mode


def parse_schema(spark: SparkSession, ddl: str, option: str) -> t.StructType:
    """A schema from `name type, …` or `struct<…>`.

    Raises:
        ProgrammingError: it cannot be parsed.
    """
    try:
        parsed = t.DataType.fromDDL(ddl)
    except Exception as error:
        raise invalid("INVALID_SCHEMA", f"read_files: {option} {ddl!r} is no schema: {error}") from error
    if not isinstance(parsed, t.StructType):
        raise invalid("INVALID_SCHEMA", f"read_files: {option} {ddl!r} is no list of columns")
    return parsed


def apply_hints(schema: t.StructType, hints: str) -> t.StructType:
    """The schema with the types of `schemaHints`: `col type, col.field type, col.element type, …`.

    A column that no file has is added at the end.

    Raises:
        ProgrammingError: a hint without a type, or for a field of something that has none.
    """
    reader = Reader(hints)
    while reader.peek() is not None:
        path = [reader.identifier()]
        while reader.accept_symbol("."):
            path.append(reader.identifier())
        schema = _replace(schema, path, _hinted_type(reader), ".".join(path))
        if not reader.accept_symbol(","):
            break
    reader.expect_end()
    return schema


def _hinted_type(reader: Reader) -> t.DataType:
    """A type, whose angle brackets may hold commas."""
    first = reader.peek()
    if first is None:
        reader.fail("a schema hint is a name and a type")
    depth = 0
    end = first.end
    while (token := reader.peek()) is not None:
        if depth == 0 and token.is_symbol(","):
            break
        depth += token.text.count("<") + token.text.count("(")
        if token.text != "=>":
            depth -= token.text.count(">") + token.text.count(")")
        end = reader.next().end
    text = reader.sql[first.start : end]
    try:
        return t.DataType.fromDDL(text)
    except Exception as error:
        raise invalid("INVALID_SCHEMA", f"schemaHints: {text!r} is no type: {error}") from error


def _replace(kind: t.DataType, path: Sequence[str], hinted: t.DataType, whole: str) -> t.StructType:
    changed = _replaced(kind, path, hinted, whole)
    assert isinstance(changed, t.StructType)
    return changed


def _replaced(kind: t.DataType, path: Sequence[str], hinted: t.DataType, whole: str) -> t.DataType:
    if not path:
        return hinted
    first, rest = path[0], path[1:]
    if isinstance(kind, t.StructType):
        fields = list(kind.fields)
        for index, present in enumerate(fields):
            if present.name.lower() == first.lower():
                fields[index] = t.StructField(present.name, _replaced(present.dataType, rest, hinted, whole))
                return t.StructType(fields)
        added = hinted if not rest else _replaced(t.StructType([]), rest, hinted, whole)
        return t.StructType([*fields, t.StructField(first, added)])
    if isinstance(kind, t.ArrayType) and first.lower() == "element":
        return t.ArrayType(_replaced(kind.elementType, rest, hinted, whole))
    if isinstance(kind, t.MapType) and first.lower() == "value":
        return t.MapType(kind.keyType, _replaced(kind.valueType, rest, hinted, whole))
    if isinstance(kind, t.MapType) and first.lower() == "key":
        return t.MapType(_replaced(kind.keyType, rest, hinted, whole), kind.valueType)
    raise invalid(
        "INVALID_SCHEMA",
        f"schemaHints: {whole} names a field of {kind.simpleString()}, which has none",
    )


def without_duplicates(schema: t.StructType) -> t.StructType:
    """The columns whose names differ in more than case; the first wins, the others are rescued."""
    seen: set[str] = set()
    fields = []
    for column in schema.fields:
        if column.name.lower() not in seen:
            seen.add(column.name.lower())
            fields.append(column)
    return t.StructType(fields)


_WIDER: dict[type[t.DataType], tuple[type[t.DataType], ...]] = {
    t.ByteType: (t.ShortType, t.IntegerType, t.LongType, t.DoubleType),
    t.ShortType: (t.IntegerType, t.LongType, t.DoubleType),
    t.IntegerType: (t.LongType, t.DoubleType),
    t.FloatType: (t.DoubleType,),
    t.DateType: (t.TimestampNTZType,),
}


def widens(known: t.DataType, found: t.DataType) -> bool:
    """Whether `found` is a type that Delta widens `known` to (the page "Type widening")."""
    if isinstance(known, t.DecimalType) and isinstance(found, t.DecimalType):
        gain = found.scale - known.scale
        return found != known and gain >= 0 and found.precision - known.precision >= gain
    return isinstance(found, _WIDER.get(type(known), ()))


def merged(known: t.StructType, found: t.StructType, *, widening: bool) -> t.StructType:
    """The known columns, then the new ones; nested structs likewise, arrays of structs too."""
    fields = [
        t.StructField(column.name, _merged_type(column.dataType, other.dataType, widening))
        if (other := _field(found, column.name)) is not None
        else column
        for column in known.fields
    ]
    fields += [column for column in found.fields if _field(known, column.name) is None]
    return t.StructType(fields)


def _field(schema: t.StructType, name: str) -> t.StructField | None:
    return next((column for column in schema.fields if column.name.lower() == name.lower()), None)


def _merged_type(known: t.DataType, found: t.DataType, widening: bool) -> t.DataType:
    if isinstance(known, t.StructType) and isinstance(found, t.StructType):
        return merged(known, found, widening=widening)
    if isinstance(known, t.ArrayType) and isinstance(found, t.ArrayType):
        return t.ArrayType(_merged_type(known.elementType, found.elementType, widening))
    return found if widening and widens(known, found) else known


@dataclass
class Remembered:
    """What a stream knows of its source from earlier runs.

    Attributes:
        data: columns of the records, hints applied.
        partitions: columns from directory names.
        seen: digests of the files that the schema was inferred from.
    """

    data: t.StructType
    partitions: t.StructType = field(default_factory=lambda: t.StructType([]))
    seen: set[bytes] = field(default_factory=set)


class SchemaMemory:
    """The directory that keeps the inferred schema of one stream, one numbered file per version.

    Args:
        directory: private to the stream; made when first written to.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "_schemas"

    def load(self) -> Remembered | None:
        """The newest version, or None before the first.

        Raises:
            OperationalError: the newest version cannot be read.
        """
        versions = self._versions()
        if not versions:
            return None
        newest = versions[-1]
        try:
            content = json.loads(newest.read_text(encoding="utf-8"))
            remembered = Remembered(
                t.StructType.fromJson(content["data"]), t.StructType.fromJson(content["partitions"])
            )
        except (ValueError, KeyError) as error:
            raise OperationalError(
                f"the inferred schema in {newest} cannot be read ({error}); "
                "refresh the streaming table in full to infer it anew"
            ) from error
        digests = self.directory / "files"
        if digests.exists():
            raw = digests.read_bytes()
            whole = len(raw) - len(raw) % 8
            remembered.seen = {raw[at : at + 8] for at in range(0, whole, 8)}
        return remembered

    def store(self, remembered: Remembered) -> None:
        """Write a new version; it appears whole or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True)
        versions = self._versions()
        number = int(versions[-1].stem) + 1 if versions else 0
        content = {
            "data": remembered.data.jsonValue(),
            "partitions": remembered.partitions.jsonValue(),
        }
        self._write(f"{number}.json", json.dumps(content, indent=1).encode("utf-8"))

    def note(self, remembered: Remembered, files: Sequence[Found]) -> None:
        """Remember that the schema covers these files."""
        self.directory.mkdir(parents=True, exist_ok=True)
        remembered.seen |= {digest(file) for file in files}
        self._write("files", b"".join(sorted(remembered.seen)))

    def _versions(self) -> list[Path]:
        return sorted(self.directory.glob("[0-9]*.json"), key=lambda path: int(path.stem))

    def _write(self, name: str, content: bytes) -> None:
        draft = self.directory / f".{name}.draft"
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self.directory / name)


def digest(file: Found) -> bytes:
    """Eight bytes that stand for a file's path."""
    return hashlib.blake2b(file.path.encode("utf-8", "surrogateescape"), digest_size=8).digest()


def unknown_fields(added: Sequence[str], path: str) -> ProgrammingError:
    """The error of the run that meets new columns and has noted them."""
    return invalid(
        "UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_FILE",
        f"new columns in {path}: {', '.join(added)}; the schema now has them: run again",
    )
