"""`read_files` and `STREAM read_files`: a DataFrame from the arguments of a call.

Page: https://docs.databricks.com/aws/en/sql/language-manual/functions/read_files. What differs from Databricks is in
the docstring of `databricks_local.files`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

from databricks_local.errors import OperationalError, invalid, refused
from databricks_local.files import options as known
from databricks_local.files.csv_records import CsvFormat, csv_tokens, infer_csv, read_csv
from databricks_local.files.json_records import read_json
from databricks_local.files.listing import (
    Found,
    format_of,
    is_glob,
    list_files,
    local_path,
    partitions_of,
)
from databricks_local.files.schemas import (
    Evolution,
    Remembered,
    SchemaMemory,
    apply_hints,
    digest,
    evolution_mode,
    merged,
    parse_schema,
    unknown_fields,
    without_duplicates,
)
from databricks_local.files.source import METADATA, Place, load, needs_whole_files, restored, text_rows
from databricks_local.sql.read_files import ReadFilesArguments
from databricks_local.sql.tokens import quote_identifier, quote_string

_RESCUED = "_rescued_data"
_CORRUPT = "_corrupt_record"
_MODES = ("PERMISSIVE", "DROPMALFORMED", "FAILFAST")
_FIXED = {"text": "value string", "binaryfile": None}


def read_files(
    spark: SparkSession,
    arguments: ReadFilesArguments,
    *,
    streaming: bool,
    state: Path | None,
    files: Sequence[Found] | None = None,
) -> DataFrame:
    """The rows of a call.

    Args:
        arguments: what `parse_arguments` gives.
        streaming: `STREAM read_files`.
        state: a directory private to the stream, for its inferred schema; None infers at every call.
        files: exactly these files in place of those that the path stands for (COPY INTO).

    Returns:
        the columns of the records, the corrupt-record column, partition columns, the rescued-data column, and last a
        struct column `_metadata`, which `star.hide_metadata` keeps out of `*`.

    Raises:
        ProgrammingError: a wrong option or value; UNKNOWN_FIELD_EXCEPTION when a stream met new columns (run again).
        NotSupportedError: an option or a format that is refused.
        OperationalError: CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE.
    """
    return _Call(spark, arguments, streaming, state, files).frame()


@dataclass(frozen=True)
class _Columns:
    """What the result consists of.

    Attributes:
        data: columns of the records, without the three below.
        partitions: columns from directory names.
        corrupt, rescued: names, or None.
    """

    data: t.StructType
    partitions: t.StructType
    corrupt: str | None
    rescued: str | None


class _Call:
    def __init__(
        self,
        spark: SparkSession,
        arguments: ReadFilesArguments,
        streaming: bool,
        state: Path | None,
        files: Sequence[Found] | None,
    ) -> None:
        known.check_placement(arguments.options, streaming=streaming)
        if arguments.flag("allowOverwrites", False):
            raise refused(
                "READ_FILES_OPTION_NOT_SUPPORTED",
                "allowOverwrites => true: a file is read once here, by its name; write new content to a new file",
            )
        self.spark = spark
        self.arguments = arguments
        self.streaming = streaming
        self.mode = (arguments.get("mode") or "PERMISSIVE").upper()
        if self.mode not in _MODES:
            raise invalid(
                "INVALID_OPTION_VALUE",
                f"read_files: mode is one of {', '.join(_MODES)}, not {self.mode!r}",
            )
        location = arguments.get("schemaLocation")
        directory = Path(local_path(location)) if location else state
        self.directory = directory if streaming else None
        self.memory = SchemaMemory(directory) if streaming and directory is not None else None
        recursive = arguments.get("recursiveFileLookup")
        self.recursive = (
            not is_glob(local_path(arguments.path))
            if recursive is None
            else arguments.flag("recursiveFileLookup", True)
        )
        self.files = list(
            list_files(
                spark,
                arguments.path,
                name_pattern=arguments.get("fileNamePattern"),
                recursive=self.recursive,
            )
            if files is None
            else files
        )
        self.listed = files is not None
        self.format = self._format()
        self.given = arguments.get("schema")
        self.evolution = evolution_mode(arguments.get("schemaEvolutionMode"), schema_given=self.given is not None)
        if self.given is not None and arguments.get("schemaHints") is not None:
            raise invalid(
                "CF_SCHEMA_HINTS_WITH_SCHEMA",
                "read_files: schemaHints go with an inferred schema, not with schema",
            )

    def frame(self) -> DataFrame:
        if self.format in _FIXED:
            return self._fixed()
        columns = self._columns()
        if self.format in ("parquet", "orc"):
            return self._native(columns)
        return self._records(columns)

    # -- options

    def _format(self) -> str:
        named = self.arguments.get("format")
        if named is not None:
            return known.check_format(named)
        detected = format_of(self.files)
        if detected is None:
            if not self.files:
                raise self._empty()
            raise invalid(
                "READ_FILES_FORMAT_UNKNOWN",
                f"the format of the files in {self.arguments.path} does not follow from their names: "
                "give format => '…'",
            )
        return detected

    def _place(self, files: Sequence[Found] | None = None) -> Place:
        options = {name: value for name, value in self.arguments.options.items() if name in known.SOURCE}
        if (pattern := self.arguments.get("fileNamePattern")) is not None and files is None and not self.listed:
            options["pathGlobFilter"] = pattern
        for name in known.BATCH_ONLY:
            if (moment := self.arguments.get(name)) is not None:
                options[name] = moment
        if (count := self.arguments.get("maxFilesPerTrigger")) is not None:
            options["maxFilesPerTrigger"] = count
        if (size := self.arguments.get("maxBytesPerTrigger")) is not None:
            options["maxBytesPerTrigger"] = str(_bytes(size))
        exactly = files if files is not None else (self.files if self.listed else None)
        present = bool(self.files if exactly is None else exactly)
        return Place(
            self.arguments.path,
            self.streaming and files is None,
            present,
            exactly,
            options,
            self.recursive,
        )

    def _layout(self) -> CsvFormat:
        arguments = self.arguments
        tokenizer = {name: value for name, value in arguments.options.items() if name in known.CSV_TOKENIZER}
        if (separator := arguments.get("sep")) is not None:
            tokenizer["sep"] = separator
        return CsvFormat(
            # Auto Loader assumes a header when it infers; with a schema the default of the CSV options holds.
            header=arguments.flag("header", self.given is None),
            multi_line=arguments.flag("multiLine", False),
            skip_rows=int(arguments.get("skipRows") or 0),
            line_separator=arguments.get("lineSep"),
            comment=arguments.get("comment"),
            tokenizer=tokenizer,
            date_format=arguments.get("dateFormat"),
            timestamp_format=arguments.get("timestampFormat"),
            case_sensitive=arguments.flag("readerCaseSensitive", True),
        )

    def _typed(self) -> bool:
        if "inferSchema" in self.arguments.options:
            return self.arguments.flag("inferSchema", True)
        return self.arguments.flag("inferColumnTypes", True)

    # -- schema

    def _columns(self) -> _Columns:
        named = self.arguments.get("columnNameOfCorruptRecord")
        rescued = self.arguments.get("rescuedDataColumn")
        if self.given is not None:
            schema = parse_schema(self.spark, self.given, "schema")
            partitions = self._partitions(schema)
            remembered = Remembered(_without(schema, partitions.names), partitions)
        else:
            remembered = self._inferred()
            rescued = rescued or _RESCUED
        corrupt = named
        if corrupt is None and _CORRUPT in remembered.data.names:
            corrupt = _CORRUPT
        data = _without(remembered.data, [name for name in (corrupt, rescued) if name])
        return _Columns(data, _without(remembered.partitions, data.names), corrupt, rescued)

    def _inferred(self) -> Remembered:
        remembered = self.memory.load() if self.memory is not None else None
        if remembered is None:
            if not self.files:
                raise self._empty()
            data = self._hinted(without_duplicates(self._infer(self.files)))
            remembered = Remembered(data, self._partitions(None))
            if self.memory is not None:
                self.memory.store(remembered)
                self.memory.note(remembered, self.files)
            return remembered
        if self.memory is None or not self.evolution.adds:
            return remembered
        return self._evolved(remembered, self.memory)

    def _evolved(self, remembered: Remembered, memory: SchemaMemory) -> Remembered:
        fresh = [file for file in self.files if digest(file) not in remembered.seen]
        if not fresh:
            return remembered
        found = self._hinted(without_duplicates(self._infer(fresh)))
        found = _without(found, [_CORRUPT]) if _CORRUPT not in remembered.data.names else found
        widening = self.evolution is Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING
        data = merged(remembered.data, found, widening=widening)
        grown = replace(remembered, data=data)
        if data != remembered.data:
            memory.store(grown)
            memory.note(grown, fresh)
            changed = [c.simpleString() for c in data.fields if c not in remembered.data.fields]
            raise unknown_fields(changed, self.arguments.path)
        memory.note(grown, fresh)
        return grown

    def _hinted(self, schema: t.StructType) -> t.StructType:
        hints = self.arguments.get("schemaHints")
        return schema if hints is None else apply_hints(schema, hints)

    def _infer(self, files: Sequence[Found]) -> t.StructType:
        place = self._place(files)
        if self.format == "json":
            return self._infer_json(place)
        if self.format == "csv":
            layout = replace(self._layout(), columns=self._width(files))
            return infer_csv(self._csv_tokens(place, layout, keep_malformed=False), layout, typed=self._typed())
        return load(self.spark, place, self.format, extra={"mergeSchema": "true"}).schema

    def _infer_json(self, place: Place) -> t.StructType:
        texts = self._texts(place, whole=self.arguments.flag("multiLine", False))
        options = {n: v for n, v in self.arguments.options.items() if n in (*known.JSON_PARSER, "inferTimestamp")}
        lines = texts.select(f.regexp_replace("value", r"[\r\n]+", " ")).toDF("value")
        reader = self.spark.read.options(columnNameOfCorruptRecord=_CORRUPT, **options)
        schema = reader.json(lines).schema
        if self._typed():
            return schema
        return t.StructType([t.StructField(name, t.StringType()) for name in schema.names])

    def _width(self, files: Sequence[Found]) -> int:
        """How many columns a record of these files may have: by their first lines, or as told."""
        told = self.arguments.get("maxColumns")
        if told is not None:
            return int(told)
        separator = self._layout().separator.encode()
        widest = 0
        for file in files:
            with open(file.path, "rb") as content:
                widest = max(widest, content.readline(1 << 20).count(separator) + 1)
        return max(64, 2 * widest)

    def _partitions(self, schema: t.StructType | None) -> t.StructType:
        """Columns from `name=value` directories; with a given schema only those that it or the option names."""
        asked = self.arguments.get("partitionColumns")
        values = partitions_of(self.files, self.arguments.path)
        names = [name.strip() for name in asked.split(",") if name.strip()] if asked is not None else list(values)
        fields = []
        for name in names:
            declared = next((c for c in schema.fields if c.name == name), None) if schema is not None else None
            if schema is not None and declared is None and asked is None:
                continue
            inferred = _partition_type(values.get(name, []), self._typed())
            fields.append(declared or t.StructField(name, inferred))
        return t.StructType(fields)

    def _empty(self) -> OperationalError:
        error = OperationalError(
            "[CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE] the schema cannot be inferred: "
            f"{self.arguments.path} holds no file that "
            "is read (names that begin with _ or . are not); put a file there or give schema => '…' and format => '…'"
        )
        error.tagged("CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE")
        return error

    # -- rows

    def _texts(self, place: Place, *, whole: bool) -> DataFrame:
        encoding = self.arguments.get("encoding") or "utf-8"
        whole_files = whole or needs_whole_files(encoding)
        texts = text_rows(
            self.spark,
            place,
            whole=whole_files,
            encoding=encoding,
            line_separator=self.arguments.get("lineSep"),
        )
        if whole_files and not whole:
            return texts.select(f.explode(f.split("value", r"\r\n|\n|\r")).alias("value"), "latin", METADATA)
        return texts

    def _csv_tokens(self, place: Place, layout: CsvFormat, *, keep_malformed: bool) -> DataFrame:
        return csv_tokens(self._texts(place, whole=layout.by_file), layout, keep_malformed=keep_malformed)

    def _records(self, columns: _Columns) -> DataFrame:
        rescue = columns.rescued is not None or self.evolution.stops
        keep = columns.corrupt is not None
        if self.format == "json":
            if not self.arguments.flag("readerCaseSensitive", True):
                raise refused(
                    "READ_FILES_OPTION_NOT_SUPPORTED",
                    "readerCaseSensitive => false: JSON names are matched by case here",
                )
            texts = self._texts(self._place(), whole=self.arguments.flag("multiLine", False))
            options = {n: v for n, v in self.arguments.options.items() if n in known.JSON_PARSER}
            rows = read_json(self._unseen(texts), columns.data, options, rescue=rescue, keep_malformed=keep)
        else:
            layout = self._layout()
            width = int(self.arguments.get("maxColumns") or max(64, 2 * len(columns.data)))
            layout = replace(
                layout,
                columns=width,
                case_sensitive=layout.case_sensitive and columns.rescued is not None,
            )
            tokens = csv_tokens(
                self._unseen(self._texts(self._place(), whole=layout.by_file)),
                layout,
                keep_malformed=keep,
            )
            rows = read_csv(tokens, columns.data, layout, rescue=rescue, keep_malformed=keep)
        return self._finished(self._judged(rows, columns), columns)

    def _unseen(self, rows: DataFrame) -> DataFrame:
        """Without the files that were there before the stream, if `includeExistingFiles` is false."""
        if self.arguments.flag("includeExistingFiles", True):
            return rows
        if self.directory is None:
            raise invalid("READ_FILES_NEEDS_STATE", "includeExistingFiles => false is for streaming tables")
        kept = self.directory / "existing.txt"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(".draft")
            uris = [Path(file.path).as_uri().replace("file:///", "file:/", 1) for file in self.files]
            draft.write_text("".join(f"{uri}\n" for uri in uris), encoding="ascii")
            draft.replace(kept)
        decoded = f.expr("url_decode(replace(value, '+', '%2B'))")
        existing = self.spark.read.text(str(kept)).select(decoded.alias("existing_path"))
        here = f.expr(f"url_decode(replace({METADATA}.file_path, '+', '%2B'))")
        return rows.join(f.broadcast(existing), here == existing["existing_path"], "left_anti")

    def _judged(self, rows: DataFrame, columns: _Columns) -> DataFrame:
        """Apply `mode` and the modes of evolution that stop a run."""
        bad = "malformed" if columns.rescued is not None else "(malformed or unfit)"
        if self.evolution.stops and self.streaming:
            complaint = (
                "concat('[UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH] a record of ', "
                f"{METADATA}.file_path, ' has fields that the schema lacks: ', coalesce(leftover, ''), "
                f"{quote_string(self._advice())})"
            )
            rows = rows.where(f"case when grown and not malformed then raise_error({complaint}) is null else true end")
        if self.mode == "DROPMALFORMED":
            return rows.where(f"not {bad}")
        if self.mode == "FAILFAST":
            complaint = (
                "concat('[MALFORMED_RECORD_IN_PARSING] mode FAILFAST: malformed record in ', "
                f"{METADATA}.file_path, ': ', left(raw, 200))"
            )
            return rows.where(f"case when {bad} then raise_error({complaint}) is null else true end")
        return rows

    def _advice(self) -> str:
        if self.evolution is Evolution.FAIL_ON_NEW_COLUMNS:
            return "; change the schema or remove the file (schemaEvolutionMode failOnNewColumns)"
        return "; run again to add them"

    def _finished(self, rows: DataFrame, columns: _Columns) -> DataFrame:
        # A malformed JSON record has no fields; a ragged CSV record keeps those that it has.
        selected = [f"fields.{quote_identifier(name)} as {quote_identifier(name)}" for name in columns.data.names]
        if columns.corrupt is not None:
            bad = "malformed" if columns.rescued is not None else "(malformed or unfit)"
            selected.append(f"case when {bad} then raw end as {quote_identifier(columns.corrupt)}")
        selected += [_partition_value(column) for column in columns.partitions.fields]
        if columns.rescued is not None:
            path = f"to_json(cast({METADATA}.file_path as variant))"
            rest = "leftover" if columns.corrupt is None else "case when not malformed then leftover end"
            whole = f"concat(left({rest}, length({rest}) - 1), ',\"_file_path\":', {path}, '}}')"
            selected.append(f"{whole} as {quote_identifier(columns.rescued)}")
        return rows.selectExpr(*selected, METADATA)

    def _fixed(self) -> DataFrame:
        partitions = self._partitions(None)
        if self.format == "text":
            texts = self._texts(self._place(), whole=self.arguments.flag("wholeText", False))
            restoring = f"case when latin then {restored('value')} else value end"
            return self._unseen(texts).selectExpr(
                f"{restoring} as value", *[_partition_value(c) for c in partitions.fields], METADATA
            )
        schema = "path string, modificationTime timestamp, length bigint, content binary"
        rows = self._unseen(load(self.spark, self._place(), "binaryFile", schema).select("*", METADATA))
        names = ("path", "modificationTime", "length", "content")
        return rows.selectExpr(*names, *[_partition_value(c) for c in partitions.fields], METADATA)

    def _native(self, columns: _Columns) -> DataFrame:
        wide = columns.data
        extra: list[str] = []
        if columns.rescued is not None and self.files:
            present = load(self.spark, self._place(self.files), self.format, extra={"mergeSchema": "true"}).schema
            hidden = {name.lower() for name in (*columns.data.names, *columns.partitions.names)}
            added = [column for column in present.fields if column.name.lower() not in hidden]
            extra = [column.name for column in added]
            wide = t.StructType([*columns.data.fields, *added])
        ddl = ", ".join(f"{quote_identifier(c.name)} {c.dataType.simpleString()}" for c in wide.fields)
        rows = self._unseen(load(self.spark, self._place(), self.format, ddl).select("*", METADATA))
        packed = ", ".join(f"{quote_string(c.name)}, {quote_identifier(c.name)}" for c in columns.data.fields)
        spare = ", ".join(f"{quote_string(name)}, {quote_identifier(name)}" for name in extra)
        leftover = f"nullif(to_json(named_struct({spare})), '{{}}')" if extra else "cast(null as string)"
        shaped = rows.selectExpr(
            f"named_struct({packed}) as fields",
            f"{leftover} as leftover",
            "false as malformed",
            "false as unfit",
            "cast(null as string) as raw",
            METADATA,
        )
        return self._finished(shaped, columns)


def _without(schema: t.StructType, names: Sequence[str]) -> t.StructType:
    left_out = {name.lower() for name in names}
    return t.StructType([column for column in schema.fields if column.name.lower() not in left_out])


def _partition_type(values: Sequence[str], typed: bool) -> t.DataType:
    """int, bigint, date or string, as the documentation's examples infer them."""
    present = [value for value in values if value != "__HIVE_DEFAULT_PARTITION__"]
    if typed and present and all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", value) for value in present):
        small = all(-(2**31) <= int(value) < 2**31 for value in present)
        return t.IntegerType() if small else t.LongType()
    if typed and present and all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) for value in present):
        return t.DateType()
    return t.StringType()


def _partition_value(column: t.StructField) -> str:
    pattern = "/" + re.escape(column.name) + "=([^/]*)/"
    decoded = f"url_decode(replace({METADATA}.file_path, '+', '%2B'))"
    value = f"nullif(nullif(regexp_extract({decoded}, {quote_string(pattern)}, 1), ''), '__HIVE_DEFAULT_PARTITION__')"
    unescaped = f"url_decode(replace({value}, '+', '%2B'))"
    return f"try_cast({unescaped} as {column.dataType.simpleString()}) as {quote_identifier(column.name)}"


_UNITS = {
    "": 1,
    "b": 1,
    "k": 2**10,
    "kb": 2**10,
    "m": 2**20,
    "mb": 2**20,
    "g": 2**30,
    "gb": 2**30,
    "t": 2**40,
    "tb": 2**40,
}


def _bytes(text: str) -> int:
    found = re.fullmatch(r"\s*(\d+)\s*([a-zA-Z]*)\s*", text)
    if found is None or found[2].lower() not in _UNITS:
        raise invalid(
            "INVALID_OPTION_VALUE",
            f"read_files: maxBytesPerTrigger is a size like 10g, not {text!r}",
        )
    return int(found[1]) * _UNITS[found[2].lower()]
