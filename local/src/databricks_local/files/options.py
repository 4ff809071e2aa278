"""The options of file reads: their names, and where each is allowed.

Lists: the pages of read_files, of Auto Loader's options and of COPY INTO's format options
(https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/options).
"""

from __future__ import annotations

from collections.abc import Iterable

from databricks_local.errors import invalid, refused

STREAM_ONLY = frozenset(
    {
        "allowOverwrites",
        "includeExistingFiles",
        "maxBytesPerTrigger",
        "maxFilesPerTrigger",
        "schemaEvolutionMode",
        "schemaLocation",
    }
)
BATCH_ONLY = frozenset({"modifiedAfter", "modifiedBefore"})

JSON_PARSER = (
    "allowBackslashEscapingAnyCharacter",
    "allowComments",
    "allowNonNumericNumbers",
    "allowNumericLeadingZeros",
    "allowSingleQuotes",
    "allowUnquotedControlChars",
    "allowUnquotedFieldNames",
    "dateFormat",
    "locale",
    "prefersDecimal",
    "primitivesAsString",
    "timestampFormat",
    "timestampNTZFormat",
    "timeZone",
)
CSV_TOKENIZER = (
    "charToEscapeQuoteEscaping",
    "escape",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "maxCharsPerColumn",
    "nullValue",
    "quote",
    "unescapedQuoteHandling",
)
SOURCE = ("ignoreCorruptFiles", "ignoreMissingFiles")

_GENERAL = (
    "columnNameOfCorruptRecord",
    "comment",
    "encoding",
    "fileNamePattern",
    "format",
    "header",
    "inferColumnTypes",
    "inferSchema",
    "inferTimestamp",
    "lineSep",
    "maxColumns",
    "mergeSchema",
    "mode",
    "multiLine",
    "partitionColumns",
    "readerCaseSensitive",
    "recursiveFileLookup",
    "rescuedDataColumn",
    "schema",
    "schemaHints",
    "sep",
    "skipRows",
    "wholeText",
)
_ALIASES = {"charset": "encoding", "delimiter": "sep", "pathglobfilter": "fileNamePattern"}

KNOWN = tuple(sorted({*_GENERAL, *JSON_PARSER, *CSV_TOKENIZER, *SOURCE, *STREAM_ONLY, *BATCH_ONLY}, key=str.lower))
_CANONICAL = {name.lower(): name for name in KNOWN}
FORMATS = ("json", "csv", "parquet", "orc", "text", "binaryfile")
_REFUSED_FORMATS = ("avro", "xml")


def canonical_option(name: str, *, statement: str) -> str:
    """The documented spelling of an option; a `cloudFiles.` prefix is accepted.

    Raises:
        ProgrammingError: the option is unknown; the message lists those that are known.
    """
    bare = name.lower().removeprefix("cloudfiles.")
    found = _CANONICAL.get(_ALIASES.get(bare, bare).lower())
    if found is None:
        raise invalid("UNKNOWN_OPTION", f"{statement}: unknown option {name!r}; known are {', '.join(KNOWN)}")
    return found


def check_placement(names: Iterable[str], *, streaming: bool) -> None:
    """Refuse options that Databricks allows on the other kind of read only.

    Raises:
        NotSupportedError: naming the options.
    """
    misplaced = sorted(set(names) & (BATCH_ONLY if streaming else STREAM_ONLY))
    if misplaced and streaming:
        raise refused(
            "READ_FILES_OPTION_NOT_SUPPORTED",
            f"STREAM read_files does not take {', '.join(misplaced)}: a stream reads every file once",
        )
    if misplaced:
        raise refused(
            "READ_FILES_OPTION_NOT_SUPPORTED",
            f"read_files takes {', '.join(misplaced)} only in a stream: write STREAM read_files(…)",
        )


def check_format(name: str) -> str:
    """The format in lower case.

    Raises:
        NotSupportedError: a format that Databricks reads and this executor does not.
        ProgrammingError: an unknown format.
    """
    lowered = name.lower()
    if lowered in _REFUSED_FORMATS:
        raise refused(
            "READ_FILES_FORMAT_NOT_SUPPORTED",
            f"format {name!r} is not read here; convert the files to one of {', '.join(FORMATS)}",
        )
    if lowered not in FORMATS:
        raise invalid("READ_FILES_UNKNOWN_FORMAT", f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return lowered
