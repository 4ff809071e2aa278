"""JSON records: typed columns, what does not fit, and what is no JSON.

Rules: the pages of Auto Loader's schema inference ("What is the rescued data column?") and of JSON options.
Every record is read by expressions inside the JVM.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from pyspark.sql import DataFrame
from pyspark.sql import functions as f
from pyspark.sql import types as t

from databricks_local.files.source import METADATA, is_broken, restored
from databricks_local.sql.tokens import quote_identifier, quote_string

_LENIENT = {
    "allowcomments",
    "allowunquotedfieldnames",
    "allownumericleadingzeros",
    "allownonnumericnumbers",
    "allowbackslashescapinganycharacter",
    "allowunquotedcontrolchars",
}
_UNFIT = "__unfit"
_VARIANT_LIMIT = 16_000_000
_UNBOUNDED = {"maxStringLen": str(2**31 - 1)}
_UNBOUNDED_SQL = f"map('maxStringLen', '{2**31 - 1}')"


def read_json(
    texts: DataFrame,
    schema: t.StructType,
    options: Mapping[str, str],
    *,
    rescue: bool,
    keep_malformed: bool,
) -> DataFrame:
    """Parse text rows.

    Args:
        texts: `value`, `latin`, `_metadata`; a value holds one record, or an array of records.
        schema: columns to fill.
        options: of Spark's JSON parser.
        rescue: whether to work out what the schema leaves over.
        keep_malformed: whether a corrupt-record column will hold malformed records.

    Returns:
        `fields` struct of the schema, `raw` the record as written, `malformed` boolean, `unfit` boolean (a value
        has another type than its column), `leftover` JSON object text or NULL, `grown` boolean (a field that the
        schema lacks), `_metadata`.
    """
    # The parser of json_array_length gives up on strings beyond 20 million characters; that of from_json can be told
    # not to, and skips what its schema does not name.
    elements = (
        "case when octet_length(value) < 20000000 then json_array_length(concat('[', value, ']'))"
        f" when value rlike '^\\\\s*\\\\['"
        f" then size(from_json(concat('[', value, ']'), 'array<array<struct<__none:int>>>', {_UNBOUNDED_SQL}))"
        f" else size(from_json(concat('[', value, ']'), 'array<struct<__none:int>>', {_UNBOUNDED_SQL})) end"
    )
    single = f"coalesce({elements}, 0) = 1"
    if _LENIENT & {name.lower() for name, value in options.items() if value.lower() == "true"}:
        single = "true"
    lines = texts.where("value rlike '\\\\S'")
    records = (
        lines.selectExpr("value", "latin", f"{single} as single", METADATA)
        .selectExpr(
            "explode(case when single and value rlike '^\\\\s*\\\\['"
            f" then from_json(value, 'array<string>', {_UNBOUNDED_SQL})"
            " else array(value) end) as raw",
            "latin",
            "single",
            METADATA,
        )
        .where("raw is not null")
    )
    broken = is_broken("raw") if keep_malformed else "false"
    decoded = records.selectExpr(
        f"case when latin and not {broken} then {restored('raw')} else raw end as raw",
        f"{broken} as broken",
        "single",
        METADATA,
    )
    # In place, not as a column: a column would copy every record once more.
    record = f.expr(f"case when broken then {restored('raw', where='broken')} else raw end")
    parsed_type = t.StructType([*schema.fields, t.StructField(_UNFIT, t.StringType())])
    parser = {**_UNBOUNDED, **options, "mode": "PERMISSIVE", "columnNameOfCorruptRecord": _UNFIT}
    parsed = decoded.withColumn("fields", f.from_json(record, parsed_type, parser))
    if not rescue:
        no_object = f"from_json(raw, 'map<string,string>', {_UNBOUNDED_SQL}) is null"
        malformed = f"broken or not single or (fields.{_UNFIT} is not null and {no_object})"
        return parsed.selectExpr(
            "fields",
            "raw",
            f"coalesce({malformed}, true) as malformed",
            f"fields.{_UNFIT} is not null as unfit",
            "cast(null as string) as leftover",
            "false as grown",
            METADATA,
        )
    # A record beyond a variant's size limit is not taken apart: if anything of it is left over, all of it is rescued.
    small = f"octet_length(raw) < {_VARIANT_LIMIT}"
    objects = {**_UNBOUNDED, **options, "mode": "PERMISSIVE"}
    entries = f.when(f.expr(small), f.from_json(record, "map<string,variant>", objects))
    held = parsed.withColumn("entries", entries)
    names = ", ".join(quote_string(column.name) for column in schema.fields)
    new_name = f"exists(json_object_keys(raw), k -> k not in ({names}))" if names else "true"
    rest = f"nullif(to_json({_rest_of_object('entries', 'fields', schema, count())}), '{{}}')"
    large_rest = f"case when {new_name} or fields.{_UNFIT} is not null then trim(raw) end"
    return held.selectExpr(
        "fields",
        "raw",
        f"broken or not single or (entries is null and ({small} or json_object_keys(raw) is null)) as malformed",
        "false as unfit",
        f"case when {small} then {rest} else {large_rest} end as leftover",
        f"case when {small} then {_has_new('entries', schema, count())} else coalesce({new_name}, false) end as grown",
        METADATA,
    )


def _rest_of_object(entries: str, typed: str, schema: t.StructType, names: count[int]) -> str:
    """SQL map of what the typed struct does not hold; `entries` is a map<string, variant>."""
    key, value = f"k{next(names)}", f"v{next(names)}"
    cases = " ".join(
        f"when {quote_string(column.name)} then "
        + _rest_of_value(value, f"{typed}.{quote_identifier(column.name)}", column.dataType, names)
        for column in schema.fields
    )
    kept = f"case {key} {cases} else {value} end" if cases else value
    return f"map_filter(transform_values({entries}, ({key}, {value}) -> {kept}), (k, v) -> v is not null)"


def _rest_of_value(value: str, typed: str, kind: t.DataType, names: count[int]) -> str:
    """SQL variant of what a typed value does not hold of a variant; NULL where nothing is left."""
    whole = f"case when {typed} is null and not is_variant_null({value}) then {value} end"
    if isinstance(kind, t.StructType):
        rest = _rest_of_object(_object(value), typed, kind, names)
        nested = f"parse_json(nullif(to_json({rest}), '{{}}'))"
        return f"case when {typed} is null then {whole} else {nested} end"
    if isinstance(kind, t.ArrayType):
        item, element = f"i{next(names)}", f"e{next(names)}"
        rest = _rest_of_value(item, element, kind.elementType, names)
        items = f"try_variant_get({value}, '$', 'array<variant>')"
        differs = f"exists(zip_with({items}, {typed}, ({item}, {element}) -> {rest} is not null), d -> d)"
        return f"case when {typed} is null then {whole} when {differs} then {value} end"
    return whole


def _has_new(entries: str, schema: t.StructType, names: count[int]) -> str:
    """SQL boolean: an object, or an object within it, has a field that the schema lacks."""
    key = f"k{next(names)}"
    listed = ", ".join(quote_string(column.name) for column in schema.fields)
    new = f"exists(map_keys({entries}), {key} -> {key} not in ({listed}))" if listed else f"size({entries}) > 0"
    parts = [f"coalesce({new}, false)"]
    for column in schema.fields:
        value = f"try_element_at({entries}, {quote_string(column.name)})"
        if isinstance(column.dataType, t.StructType):
            parts.append(_has_new(_object(value), column.dataType, names))
        elif isinstance(column.dataType, t.ArrayType) and isinstance(column.dataType.elementType, t.StructType):
            item = f"i{next(names)}"
            inner = _has_new(_object(item), column.dataType.elementType, names)
            parts.append(f"coalesce(exists(try_variant_get({value}, '$', 'array<variant>'), {item} -> {inner}), false)")
    return "(" + " or ".join(parts) + ")"


def _object(value: str) -> str:
    return f"try_variant_get({value}, '$', 'map<string,variant>')"
