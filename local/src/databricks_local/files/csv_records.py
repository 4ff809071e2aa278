"""CSV records: columns by the header of their own file, typed, with what does not fit.

Spark's CSV reader takes columns by position; Auto Loader reads each file by its header
(https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema, "How does Auto Loader
schema inference work?"). So a file with a header is read whole and taken apart by expressions inside the JVM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as f
from pyspark.sql import types as t

from databricks_local.errors import invalid
from databricks_local.files.source import METADATA, is_broken, restored
from databricks_local.sql.tokens import quote_identifier, quote_string

# Appended as one more column before a record is taken apart: where it is found again tells how many columns the
# record has, and that no quote was left open. Private-use characters, which are never trimmed.
_END = "\ue000end of record\ue000"
_COLUMNS = 64


@dataclass(frozen=True)
class CsvFormat:
    """How the text is laid out.

    Attributes:
        header: whether the first record of each file names its columns.
        multi_line: whether a quoted value may hold line breaks.
        skip_rows: lines to leave out at the start of each file.
        line_separator: in place of `\\n`, `\\r\\n` and `\\r`.
        comment: character that begins a line to leave out.
        tokenizer: options of Spark's CSV parser.
        date_format, timestamp_format: patterns in place of ISO 8601.
        columns: how many columns a record may have.
        case_sensitive: whether `Name` is another column than `name`.
    """

    header: bool
    multi_line: bool = False
    skip_rows: int = 0
    line_separator: str | None = None
    comment: str | None = None
    tokenizer: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    timestamp_format: str | None = None
    columns: int = _COLUMNS
    case_sensitive: bool = True

    @property
    def by_file(self) -> bool:
        """Whether files have to be read whole."""
        return self.header or self.multi_line or self.skip_rows > 0

    @property
    def separator(self) -> str:
        """Between two columns."""
        return self.tokenizer.get("sep", ",").replace("\\t", "\t")


def csv_tokens(texts: DataFrame, layout: CsvFormat, *, keep_malformed: bool) -> DataFrame:
    """Take text rows apart.

    Args:
        texts: `value`, `latin`, `_metadata`; a value is a file if `layout.by_file`, else a line.

    Returns:
        one row per record: `header` array of column names or NULL, `tokens` array of text (NULL where empty), `raw`
        the record as written, `broken` boolean (cannot be taken apart), `_metadata`.
    """
    blank = "x -> x rlike '\\\\S'"
    if layout.comment:
        blank += f" and not startswith(x, {quote_string(layout.comment)})"
    pieces = _records_of("value", layout) if layout.by_file else "array(value)"
    if layout.skip_rows:
        pieces = f"slice({pieces}, {layout.skip_rows + 1}, size({pieces}))"
    files = texts.selectExpr(f"filter({pieces}, {blank}) as pieces", "latin", METADATA).where("size(pieces) > 0")
    parser = {"mode": "PERMISSIVE", **layout.tokenizer}
    options = "map(" + ", ".join(f"{quote_string(k)}, {quote_string(v)}" for k, v in parser.items()) + ")"
    if layout.header:
        first = f"case when latin then {restored('get(pieces, 0)')} else get(pieces, 0) end"
        headed = files.selectExpr(f"{_parsed(first, layout, options)} as parsed", "pieces", "latin", METADATA)
        files = (
            headed.selectExpr(f"{_cells(layout)} as cells", "pieces", "latin", METADATA)
            .selectExpr(
                f"{_checked_header(layout)} as header",
                "slice(pieces, 2, size(pieces)) as pieces",
                "latin",
                METADATA,
            )
            .where("size(header) >= 0")
        )
    else:
        files = files.selectExpr("cast(null as array<string>) as header", "pieces", "latin", METADATA)
    broken = is_broken("raw") if keep_malformed else "false"
    decoded = restored("raw", where="undecodable")
    records = (
        files.selectExpr("header", "explode(pieces) as raw", "latin", METADATA)
        .selectExpr(
            "header",
            f"{broken} as undecodable",
            f"case when latin and not {broken} then {restored('raw')} else raw end as raw",
            METADATA,
        )
        .selectExpr(
            "header",
            "raw",
            "undecodable",
            METADATA,
            f"{_parsed(f'case when undecodable then {decoded} else raw end', layout, options)} as parsed",
        )
        .selectExpr("header", "raw", "undecodable", METADATA, f"{_cells(layout)} as cells")
    )
    return records.selectExpr(
        "header",
        f"{_cut('cells')} as tokens",
        "raw",
        f"undecodable or array_position(cells, {quote_string(_END)}) = 0 as broken",
        METADATA,
    )


def _cut(cells: str) -> str:
    """The cells before the end mark; all of them where it was swallowed."""
    end = f"array_position({cells}, {quote_string(_END)})"
    return f"case when {end} > 0 then slice({cells}, 1, cast({end} - 1 as int)) else slice({cells}, 1, 1) end"


def _parsed(record: str, layout: CsvFormat, options: str) -> str:
    schema = ", ".join(f"_c{index} string" for index in range(layout.columns + 1))
    return f"from_csv(concat({record}, {quote_string(layout.separator + _END)}), '{schema}', {options})"


def _cells(layout: CsvFormat) -> str:
    return "array(" + ", ".join(f"parsed._c{index}" for index in range(layout.columns + 1)) + ")"


def _checked_header(layout: CsvFormat) -> str:
    complaint = (
        "concat('[CSV_HEADER_NOT_READABLE] the header of ', _metadata.file_path, "
        f"' has an open quote or more than {layout.columns} columns; for wider files give maxColumns')"
    )
    named = f"transform({_cut('cells')}, (c, i) -> coalesce(c, concat('_c', i)))"
    return f"case when array_position(cells, {quote_string(_END)}) = 0 then raise_error({complaint}) else {named} end"


def _records_of(text: str, layout: CsvFormat) -> str:
    if not layout.multi_line:
        separator = r"\r\n|\n|\r" if layout.line_separator is None else re.escape(layout.line_separator)
        return f"split({text}, {quote_string(separator)})"
    quote = re.escape(layout.tokenizer.get("quote", '"'))
    escape = re.escape(layout.tokenizer.get("escape", "\\"))
    separator = re.escape(layout.separator)
    escaped = "" if quote == escape else f"{escape}.|"
    inside = f"[^{quote}{'' if quote == escape else escape}]++"
    quoted = f"{quote}(?:{inside}|{escaped}{quote}{quote})*+{quote}(?={separator}|[\\r\\n]|\\z)"
    plain = f"(?:(?!{separator})[^\\r\\n])++"
    # Possessive throughout: Java matches such loops without recursion, whatever the length of a record.
    pattern = f"(?s)(?:{quoted}|{plain}|{separator})++"
    return f"regexp_extract_all({text}, {quote_string(pattern)}, 0)"


def read_csv(
    tokens: DataFrame,
    schema: t.StructType,
    layout: CsvFormat,
    *,
    rescue: bool,
    keep_malformed: bool,
) -> DataFrame:
    """Name and type what `csv_tokens` gives.

    Returns:
        the same columns as `json_records.read_json`.

    Raises:
        ProgrammingError: a column of a nested type.
    """
    for column in schema.fields:
        if isinstance(column.dataType, t.StructType | t.ArrayType | t.MapType):
            raise invalid(
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                f"CSV has no nested values: column {column.name} is {column.dataType.simpleString()}; "
                "read it as string",
            )
    names = [column.name for column in schema.fields]
    places = ", ".join(_place(name, index, layout) for index, name in enumerate(names))
    placed = tokens.withColumn("places", f.expr(f"array({places})" if names else "cast(array() as array<bigint>)"))
    cells = ", ".join(f"try_element_at(tokens, cast(nullif(places[{i}], 0) as int))" for i in range(len(names)))
    celled = placed.withColumn("cells", f.expr(f"array({cells})" if names else "cast(array() as array<string>)"))
    typed = ", ".join(
        f"{quote_string(column.name)}, {_typed(f'cells[{index}]', column.dataType, layout)}"
        for index, column in enumerate(schema.fields)
    )
    named = celled.withColumn("fields", f.expr(f"named_struct({typed})" if typed else "named_struct()"))
    unfit = ", ".join(
        f"case when cells[{index}] is not null and fields.{quote_identifier(name)} is null then places[{index}] end"
        for index, name in enumerate(names)
    )
    mismatched = f"array_compact(array({unfit}))" if names else "cast(array() as array<bigint>)"
    full = named.withColumn("mismatched", f.expr(mismatched))
    width = "size(header)" if layout.header else str(len(names))
    ragged = f"size(tokens) <> {width}"
    # With a place for malformed records a ragged one is malformed; with rescued data only, its extra values are kept.
    malformed = f"broken or ({ragged})" if keep_malformed or not rescue else "broken"
    title = "coalesce(try_element_at(header, i + 1), concat('_c', i))" if layout.header else "concat('_c', i)"
    if not layout.header and names:
        listed = ", ".join(quote_string(name) for name in names)
        title = f"coalesce(try_element_at(array({listed}), i + 1), concat('_c', i))"
    entry = f"concat(to_json(cast({title} as variant)), ':', to_json(cast(c as variant)))"
    place = "cast(i + 1 as bigint)"
    kept = f"c is not null and (not array_contains(places, {place}) or array_contains(mismatched, {place}))"
    entries = f"array_compact(transform(tokens, (c, i) -> case when {kept} then {entry} end))"
    grown = f"exists(header, h -> {_unlisted('h', names, layout)})" if layout.header else "false"
    return full.withColumn("entries", f.expr(entries if rescue else "cast(array() as array<string>)")).selectExpr(
        "fields",
        "raw",
        f"{malformed} as malformed",
        "size(mismatched) > 0 as unfit",
        "case when size(entries) > 0 then concat('{', array_join(entries, ','), '}') end as leftover",
        f"coalesce({grown}, false) as grown",
        METADATA,
    )


def _place(name: str, index: int, layout: CsvFormat) -> str:
    """SQL: the place of a column in the records of its file, from 1; 0 where the file lacks it."""
    if not layout.header:
        return f"cast({index + 1} as bigint)"
    if layout.case_sensitive:
        return f"array_position(header, {quote_string(name)})"
    return f"array_position(transform(header, h -> lower(h)), {quote_string(name.lower())})"


def _unlisted(column: str, names: Sequence[str], layout: CsvFormat) -> str:
    if not names:
        return "true"
    # The schema cannot hold two columns that differ in case only, so such a column is rescued, not added.
    return f"lower({column}) not in ({', '.join(quote_string(name.lower()) for name in names)})"


def _typed(cell: str, kind: t.DataType, layout: CsvFormat) -> str:
    if isinstance(kind, t.StringType):
        return cell
    name = kind.simpleString()
    if isinstance(kind, t.DateType) and layout.date_format:
        return f"cast(try_to_timestamp({cell}, {quote_string(layout.date_format)}) as date)"
    if isinstance(kind, t.TimestampType | t.TimestampNTZType) and layout.timestamp_format:
        return f"cast(try_to_timestamp({cell}, {quote_string(layout.timestamp_format)}) as {name})"
    if isinstance(kind, t.VariantType):
        return f"cast({cell} as variant)"
    # A cast would cut the time off a date, and take `y` or `1` for true.
    if isinstance(kind, t.DateType):
        return f"case when trim({cell}) rlike {quote_string(_DATE)} then try_cast({cell} as date) end"
    if isinstance(kind, t.BooleanType):
        return f"case when lower(trim({cell})) in ('true', 'false') then try_cast({cell} as boolean) end"
    return f"try_cast({cell} as {name})"


_DATE = r"^[+-]?\d{4,7}-\d{1,2}-\d{1,2}$"
# What a value must look like for a type to be inferred, where a cast alone would accept more.
_SHAPES = {"decimal(38,0)": r"^\s*[+-]?\d+\s*$", "timestamp": r"^\s*[+-]?\d{4,6}-\d"}
_CANDIDATES = ("int", "bigint", "decimal(38,0)", "double", "date", "timestamp", "boolean")


def infer_csv(tokens: DataFrame, layout: CsvFormat, *, typed: bool) -> t.StructType:
    """The columns of all headers, first seen first in order of file path, with the narrowest type that fits all values.

    Types in order of preference: int, bigint, decimal(38,0), double, date, timestamp, boolean, string.
    """
    if layout.header:
        headers = tokens.groupBy("header").agg(f.expr("min(_metadata.file_path) as first")).orderBy("first").collect()
        names = list(dict.fromkeys(name for row in headers for name in row["header"]))
    else:
        width = tokens.agg(f.expr("max(size(tokens)) as width")).collect()[0]["width"] or 0
        names = [f"_c{index}" for index in range(width)]
    columns = t.StructType([t.StructField(name, t.StringType()) for name in names])
    if not typed or not names:
        return columns
    rows = read_csv(tokens, columns, layout, rescue=True, keep_malformed=False).where("not malformed")
    checks = []
    for index, name in enumerate(names):
        value = f"fields.{quote_identifier(name)}"
        checks.append(f"count({value}) as n{index}")
        for place, kind in enumerate(_CANDIDATES):
            cast = _typed(value, t.DataType.fromDDL(kind), layout)
            shape = _SHAPES.get(kind) if not (kind == "timestamp" and layout.timestamp_format) else None
            odd = f" or not {value} rlike {quote_string(shape)}" if shape else ""
            checks.append(f"count_if({value} is not null and ({cast} is null{odd})) as c{index}_{place}")
    counted = rows.selectExpr(*checks).collect()[0]
    fields = []
    for index, name in enumerate(names):
        kind = "string"
        if counted[f"n{index}"]:
            kind = next((k for p, k in enumerate(_CANDIDATES) if counted[f"c{index}_{p}"] == 0), "string")
        fields.append(t.StructField(name, t.DataType.fromDDL(kind)))
    return t.StructType(fields)
