"""The raw source below every record format: text by line or by file, with the hidden file metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from databricks_local.errors import invalid
from databricks_local.files.listing import Found, is_glob, local_path

METADATA = "_metadata"
_METADATA_TYPE = (
    "struct<file_path:string,file_name:string,file_size:bigint,file_block_start:bigint,"
    "file_block_length:bigint,file_modification_time:timestamp>"
)
# Spark's own option for paths that are names, not patterns: file names may contain any of `[]{}*?`.
_LITERAL_PATHS = {"__globPaths__": "false"}
# Spark forgets files older than a week (`maxFileAge`) and would not read one that arrives late; Auto Loader never
# forgets by default (cloudFiles.maxFileAge is unset).
_FOR_GOOD = "36500d"
# The default of cloudFiles.maxFilesPerTrigger.
_FILES_PER_BATCH = "1000"


@dataclass(frozen=True)
class Place:
    """Where to read from.

    Attributes:
        path: directory, file or glob.
        streaming: whether files are read as they arrive.
        files: exactly these files, in place of what the path stands for; batch only.
        present: whether the path stands for any file now.
        options: of Spark's reader: filters, rates, tolerance.
        recursive: whether subdirectories are read.
    """

    path: str
    streaming: bool
    present: bool
    files: Sequence[Found] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    recursive: bool = True


def load(
    spark: SparkSession,
    place: Place,
    source: str,
    schema: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> DataFrame:
    """Read with one of Spark's file formats; the result has the hidden column `_metadata`.

    Args:
        source: `text`, `parquet`, `orc` or `binaryFile`.
        schema: the columns to read; needed where the path may stand for no file yet.
        extra: further options of the format.
    """
    options = {
        "recursiveFileLookup": str(place.recursive).lower(),
        **place.options,
        **(extra or {}),
    }
    if place.streaming:
        rate = (
            {}
            if {"maxBytesPerTrigger", "maxFilesPerTrigger"} & set(options)
            else {"maxFilesPerTrigger": _FILES_PER_BATCH}
        )
        stream = spark.readStream.format(source).options(maxFileAge=_FOR_GOOD, **rate, **options)
        if schema is not None:
            stream = stream.schema(schema)
        return stream.load(_tolerating_absence(local_path(place.path)))
    if not place.present:
        columns = schema or "value string"
        return spark.createDataFrame([], f"{columns}, {METADATA} {_METADATA_TYPE}")
    reader = spark.read.format(source).options(**options)
    if schema is not None:
        reader = reader.schema(schema)
    if place.files is not None:
        return reader.options(**_LITERAL_PATHS).load([file.path for file in place.files])
    absolute = local_path(place.path)
    return (reader if is_glob(absolute) else reader.options(**_LITERAL_PATHS)).load(absolute)


def _tolerating_absence(path: str) -> str:
    """The path as a pattern that matches itself only.

    Spark refuses to stream from a directory that does not exist yet, but not from a pattern without a match.
    """
    if is_glob(path):
        return path
    literal = re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
    head, slash, last = literal.rpartition("/")
    return f"{head}{slash}{{{last}}}" if last else literal


_DECODABLE = ("us-ascii", "iso-8859-1", "utf-8", "utf-16be", "utf-16le", "utf-16", "utf-32")


def text_rows(
    spark: SparkSession, place: Place, *, whole: bool, encoding: str, line_separator: str | None
) -> DataFrame:
    """One row per line or per file: `value` (text), `latin` (boolean), `_metadata`.

    `latin` marks text whose bytes are not UTF-8 though they should be: it holds one character per byte
    (ISO-8859-1), so that no byte is lost; `restored` turns single records of it back.

    Raises:
        ProgrammingError: an encoding that Spark cannot decode.
    """
    name = encoding.lower()
    if name == "utf8":
        name = "utf-8"
    if name not in _DECODABLE:
        raise invalid(
            "UNSUPPORTED_ENCODING",
            f"encoding {encoding!r} is not read; known are {', '.join(_DECODABLE)}",
        )
    extra = {"wholetext": str(whole).lower()}
    if line_separator is not None and not whole:
        extra["lineSep"] = line_separator
    raw = load(spark, place, "text", "value string", extra)
    if name == "utf-8":
        latin = f.expr("not is_valid_utf8(value)")
        text = f.expr("case when is_valid_utf8(value) then value else decode(cast(value as binary), 'iso-8859-1') end")
    else:
        latin = f.lit(False)
        text = f.expr(f"decode(cast(value as binary), '{name}')")
    unmarked = f.regexp_replace(text, "^(\\uFEFF|\\u00EF\\u00BB\\u00BF)", "")
    return raw.select(unmarked.alias("value"), latin.alias("latin"), METADATA)


def needs_whole_files(encoding: str) -> bool:
    """Whether lines cannot be found before decoding."""
    return encoding.lower().startswith(("utf-16", "utf-32", "utf16", "utf32"))


def restored(record: str, *, where: str = "latin") -> str:
    """SQL for the UTF-8 text of one record of a `latin` text, invalid bytes as U+FFFD; used only `where` it is one."""
    return f"make_valid_utf8({_bytes(record, where)})"


def is_broken(record: str) -> str:
    """SQL: this record itself, not only another one of its file, has bytes that are not UTF-8."""
    return f"(latin and not is_valid_utf8({_bytes(record, 'latin')}))"


def _bytes(record: str, where: str) -> str:
    # Guarded inside, not only around: Spark shares common subexpressions and then evaluates them for every row, and
    # `encode` refuses what ISO-8859-1 lacks.
    return f"cast(encode(if({where}, {record}, ''), 'iso-8859-1') as string)"
