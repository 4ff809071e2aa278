"""CREATE [OR REFRESH] STREAMING TABLE, its flows, and REFRESH and ALTER of it.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-streaming-table,
…-ddl-alter-streaming-table, …-ddl-refresh-full and (AUTO CDC) …/ldp/developer/ldp-sql-ref-apply-changes-into.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from databricks_local.errors import invalid, refused
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.tokens import Kind


class OnViolation(Enum):
    """What happens to a row that breaks an expectation."""

    WARN = "warn"
    DROP_ROW = "drop row"
    FAIL_UPDATE = "fail update"


@dataclass(frozen=True)
class Expectation:
    """`CONSTRAINT name EXPECT (expression) [ON VIOLATION …]`."""

    name: str
    expression: str
    on_violation: OnViolation


@dataclass(frozen=True)
class KeyConstraint:
    """An informational PRIMARY KEY or FOREIGN KEY."""

    name: str | None
    kind: str
    columns: tuple[str, ...]
    references: Name | None = None
    referenced_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnMask:
    """`MASK function [USING COLUMNS (…)]`; `using` holds column names or literals as written."""

    function: Name
    using: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowFilter:
    """`WITH ROW FILTER function ON (…)`."""

    function: Name
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ColumnDefinition:
    """One column of a column list; `data_type` is None where only a name is given."""

    name: str
    data_type: str | None
    not_null: bool = False
    comment: str | None = None
    default: str | None = None
    generated_as: str | None = None
    mask: ColumnMask | None = None


@dataclass(frozen=True)
class Schedule:
    """`SCHEDULE EVERY …`, `SCHEDULE CRON …` or `TRIGGER ON UPDATE …`, as `text` describes it."""

    text: str
    every: str | None = None
    cron: str | None = None
    time_zone: str | None = None
    on_update: bool = False
    at_most_every: str | None = None


@dataclass(frozen=True)
class ColumnSelection:
    """`cols`, or `* EXCEPT (cols)`."""

    columns: tuple[str, ...]
    is_except: bool = False


class Storage(Enum):
    """How an AUTO CDC flow keeps its target."""

    SCD_TYPE_1 = "SCD TYPE 1"
    SCD_TYPE_2 = "SCD TYPE 2"
    BITEMPORAL = "BITEMPORAL"


@dataclass(frozen=True)
class AutoCdcFlow:
    """`FLOW AUTO CDC FROM STREAM(source) KEYS (…) …`; expressions as written."""

    source: Name
    keys: tuple[str, ...]
    sequence_by: str
    apply_as_delete_when: str | None = None
    apply_as_truncate_when: str | None = None
    ignore_null_updates: ColumnSelection | None = None
    system_sequence_by: str | None = None
    columns: ColumnSelection | None = None
    stored_as: Storage = Storage.SCD_TYPE_1
    track_history_on: ColumnSelection | None = None
    columns_to_update: str | None = None


@dataclass(frozen=True)
class TableClauses:
    """What CREATE STREAMING TABLE and CREATE MATERIALIZED VIEW have in common; each clause at most once."""

    partitioned_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    cluster_by_auto: bool = False
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    schedule: Schedule | None = None
    row_filter: RowFilter | None = None


@dataclass(frozen=True)
class CreateStreamingTable:
    """A whole CREATE statement; exactly one of `query` and `auto_cdc` is given, or neither (a table for flows)."""

    name: Name
    or_refresh: bool
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...]
    expectations: tuple[Expectation, ...]
    key_constraints: tuple[KeyConstraint, ...]
    clauses: TableClauses
    query: str | None
    auto_cdc: AutoCdcFlow | None
    sql: str


@dataclass(frozen=True)
class RefreshTable:
    """`REFRESH {STREAMING TABLE | MATERIALIZED VIEW} name [FULL] [SYNC | ASYNC]`."""

    kind: str
    name: Name
    full: bool


def parse_create_streaming_table(reader: Reader) -> CreateStreamingTable:
    """Parse from `CREATE` on.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR, or DUPLICATE_CLAUSES for a clause given twice.
        NotSupportedError: a flow that only pipelines have.
    """
    reader.expect_words("CREATE")
    or_refresh = reader.accept_words("OR", "REFRESH")
    reader.expect_words("STREAMING", "TABLE")
    if_not_exists = reader.accept_words("IF", "NOT", "EXISTS")
    if or_refresh and if_not_exists:
        reader.fail("OR REFRESH and IF NOT EXISTS exclude each other")
    name = reader.name()
    columns, expectations, keys = parse_column_list(reader) if reader.at_symbol("(") else ((), (), ())
    clauses = parse_table_clauses(reader, until=("AS", "FLOW"))
    query: str | None = None
    auto_cdc: AutoCdcFlow | None = None
    if reader.accept_words("AS"):
        query = _query(reader)
    elif reader.accept_words("FLOW"):
        if reader.accept_words("AUTO", "CDC"):
            auto_cdc = _auto_cdc(reader)
        elif reader.accept_words("INSERT", "BY", "NAME"):
            query = _query(reader)
        elif reader.at_words("REPLACE"):
            raise refused(
                "FLOW_REPLACE_NOT_SUPPORTED",
                f"FLOW REPLACE (Beta) of streaming table {name} is not executed here; use AUTO CDC or INSERT BY NAME",
            )
        else:
            reader.fail("expected AUTO CDC or INSERT BY NAME after FLOW")
    reader.expect_end()
    return CreateStreamingTable(
        name=name,
        or_refresh=or_refresh,
        if_not_exists=if_not_exists,
        columns=columns,
        expectations=expectations,
        key_constraints=keys,
        clauses=clauses,
        query=query,
        auto_cdc=auto_cdc,
        sql=reader.sql,
    )


def _query(reader: Reader) -> str:
    text = reader.rest()
    if not text:
        reader.fail("expected a query")
    return text


def parse_refresh(reader: Reader) -> RefreshTable:
    """Parse `REFRESH {STREAMING TABLE | MATERIALIZED VIEW} …`."""
    reader.expect_words("REFRESH")
    if reader.accept_words("STREAMING", "TABLE"):
        kind = "STREAMING TABLE"
    else:
        reader.expect_words("MATERIALIZED", "VIEW")
        kind = "MATERIALIZED VIEW"
    name = reader.name()
    full = reader.accept_words("FULL")
    if not reader.accept_words("SYNC"):
        reader.accept_words("ASYNC")
    reader.expect_end()
    return RefreshTable(kind, name, full)


ColumnList = tuple[tuple[ColumnDefinition, ...], tuple[Expectation, ...], tuple[KeyConstraint, ...]]


def parse_column_list(reader: Reader) -> ColumnList:
    """Parse `(column …, CONSTRAINT …, …)`: columns, expectations, key constraints in written order."""
    columns: list[ColumnDefinition] = []
    expectations: list[Expectation] = []
    keys: list[KeyConstraint] = []

    def item() -> None:
        if reader.at_words("CONSTRAINT") or reader.at_words("PRIMARY", "KEY") or reader.at_words("FOREIGN", "KEY"):
            constraint = _table_constraint(reader)
            if isinstance(constraint, Expectation):
                expectations.append(constraint)
            else:
                keys.append(constraint)
        else:
            column, column_keys = _column(reader)
            columns.append(column)
            keys.extend(column_keys)

    reader.list_of(item)
    _refuse_repeated([c.name for c in columns], "column")
    _refuse_repeated([e.name for e in expectations], "expectation")
    return tuple(columns), tuple(expectations), tuple(keys)


def _refuse_repeated(names: list[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise invalid(
                "COLUMN_ALREADY_EXISTS" if what == "column" else "DUPLICATE_EXPECTATION",
                f"the {what} {name} is given twice",
            )
        seen.add(name.lower())


def _table_constraint(reader: Reader) -> Expectation | KeyConstraint:
    name = reader.identifier() if reader.accept_words("CONSTRAINT") else None
    if reader.accept_words("EXPECT"):
        if name is None:
            reader.fail("an expectation needs CONSTRAINT and a name")
        return Expectation(name, reader.group(), _on_violation(reader))
    return parse_key_constraint(reader, name, ())


def _on_violation(reader: Reader) -> OnViolation:
    if not reader.accept_words("ON", "VIOLATION"):
        return OnViolation.WARN
    if reader.accept_words("DROP", "ROW"):
        return OnViolation.DROP_ROW
    reader.expect_words("FAIL", "UPDATE")
    return OnViolation.FAIL_UPDATE


def parse_key_constraint(reader: Reader, name: str | None, columns: tuple[str, ...]) -> KeyConstraint:
    """Parse `PRIMARY KEY …`, `FOREIGN KEY …` or `REFERENCES …` of the given columns."""
    if reader.accept_words("PRIMARY", "KEY"):
        if reader.at_symbol("("):
            columns = tuple(reader.list_of(lambda: _key_column(reader)))
        _constraint_options(reader)
        return KeyConstraint(name, "PRIMARY KEY", columns)
    if reader.accept_words("FOREIGN", "KEY"):
        columns = tuple(reader.list_of(reader.identifier))
    reader.expect_words("REFERENCES")
    target = reader.name()
    referenced = tuple(reader.list_of(reader.identifier)) if reader.at_symbol("(") else ()
    _constraint_options(reader)
    return KeyConstraint(name, "FOREIGN KEY", columns, target, referenced)


def _key_column(reader: Reader) -> str:
    column = reader.identifier()
    reader.accept_words("TIMESERIES")
    return column


def _constraint_options(reader: Reader) -> None:
    options = (
        ("NOT", "ENFORCED"), ("DEFERRABLE",), ("NOT", "DEFERRABLE"), ("INITIALLY", "DEFERRED"),
        ("INITIALLY", "IMMEDIATE"), ("NORELY",), ("RELY",), ("MATCH", "FULL"),
        ("ON", "UPDATE", "NO", "ACTION"), ("ON", "DELETE", "NO", "ACTION"),
    )  # fmt: skip
    while any(reader.accept_words(*option) for option in options):
        pass


_COLUMN_CLAUSES = (
    "NOT",
    "COMMENT",
    "DEFAULT",
    "GENERATED",
    "MASK",
    "CONSTRAINT",
    "PRIMARY",
    "REFERENCES",
    "COLLATE",
)


def _column(reader: Reader) -> tuple[ColumnDefinition, list[KeyConstraint]]:
    name = reader.identifier()
    data_type: str | None = None
    token = reader.peek()
    if token is not None and not token.is_symbol(",", ")") and not token.is_word(*_COLUMN_CLAUSES):
        data_type = _data_type(reader)
    not_null = False
    comment = default = generated = None
    mask: ColumnMask | None = None
    keys: list[KeyConstraint] = []
    while True:
        if reader.accept_words("NOT", "NULL"):
            not_null = True
        elif reader.accept_words("COMMENT"):
            comment = reader.string()
        elif reader.accept_words("DEFAULT"):
            default = reader.expression("NOT", "COMMENT", "GENERATED", "MASK", "CONSTRAINT", "PRIMARY", "REFERENCES")
        elif reader.accept_words("GENERATED", "ALWAYS", "AS"):
            generated = reader.group()
        elif reader.accept_words("MASK"):
            mask = parse_mask(reader)
        elif reader.accept_words("COLLATE"):
            reader.identifier()
        elif reader.at_words("CONSTRAINT") or reader.at_words("PRIMARY") or reader.at_words("REFERENCES"):
            constraint_name = reader.identifier() if reader.accept_words("CONSTRAINT") else None
            keys.append(parse_key_constraint(reader, constraint_name, (name,)))
        else:
            break
    return ColumnDefinition(name, data_type, not_null, comment, default, generated, mask), keys


def parse_mask(reader: Reader) -> ColumnMask:
    """Parse what follows `MASK`: a function and the other columns it is given."""
    function = reader.name()
    using: tuple[str, ...] = ()
    if reader.accept_words("USING", "COLUMNS"):
        using = tuple(reader.list_of(lambda: _mask_argument(reader)))
    return ColumnMask(function, using)


def _mask_argument(reader: Reader) -> str:
    token = reader.peek()
    if token is not None and token.kind in (Kind.WORD, Kind.QUOTED):
        return reader.identifier()
    return reader.expression()


def parse_row_filter(reader: Reader) -> RowFilter:
    """Parse what follows `ROW FILTER`: a function and the columns it is given."""
    function = reader.name()
    reader.expect_words("ON")
    if reader.at_symbol("(") and (after := reader.peek(1)) is not None and after.is_symbol(")"):
        reader.skip_group()
        return RowFilter(function, ())
    return RowFilter(function, tuple(reader.list_of(lambda: _mask_argument(reader))))


def _data_type(reader: Reader) -> str:
    first = reader.next()
    end = first.end
    if first.is_word("INTERVAL"):
        while (token := reader.peek()) is not None and token.kind is Kind.WORD and not token.is_word(*_COLUMN_CLAUSES):
            end = reader.next().end
    elif reader.at_symbol("("):
        reader.skip_group()
        end = reader.tokens[reader.position - 1].end
    elif reader.at_symbol("<") or ((token := reader.peek()) is not None and token.is_symbol("<>")):
        end = _angle_group_end(reader)
    return reader.sql[first.start : end]


def _angle_group_end(reader: Reader) -> int:
    depth = 0
    while True:
        token = reader.next()
        if token.kind is Kind.SYMBOL:
            depth += token.text.count("<") - token.text.count(">")
        if depth == 0:
            return token.end


def parse_table_clauses(reader: Reader, until: tuple[str, ...]) -> TableClauses:
    """Parse the clauses between the column list and the query, in any order, each once."""
    found: dict[str, object] = {}

    def put(clause: str, value: object) -> None:
        if clause in found:
            raise invalid("DUPLICATE_CLAUSES", f"the clause {clause} is given twice")
        found[clause] = value

    while not reader.at_end and not any(reader.at_words(word) for word in until):
        if reader.accept_words("PARTITIONED", "BY"):
            put("PARTITIONED BY", tuple(reader.list_of(reader.identifier)))
        elif reader.accept_words("CLUSTER", "BY"):
            if reader.accept_words("AUTO"):
                put("CLUSTER BY", "AUTO")
            elif reader.accept_words("NONE"):
                put("CLUSTER BY", ())
            else:
                put("CLUSTER BY", tuple(reader.list_of(lambda: str(reader.name()))))
        elif reader.accept_words("COMMENT"):
            put("COMMENT", reader.string())
        elif reader.accept_words("DEFAULT", "COLLATION"):
            put("DEFAULT COLLATION", reader.identifier())
        elif reader.accept_words("TBLPROPERTIES"):
            put("TBLPROPERTIES", reader.properties())
        elif reader.at_words("SCHEDULE") or reader.at_words("TRIGGER"):
            put("SCHEDULE", parse_schedule(reader))
        elif reader.accept_words("WITH", "ROW", "FILTER"):
            put("WITH ROW FILTER", parse_row_filter(reader))
        else:
            reader.fail("unexpected clause")
    if "PARTITIONED BY" in found and "CLUSTER BY" in found:
        raise invalid(
            "SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED",
            "PARTITIONED BY and CLUSTER BY exclude each other",
        )
    cluster = found.get("CLUSTER BY", ())
    return TableClauses(
        partitioned_by=found.get("PARTITIONED BY", ()),  # type: ignore[arg-type]
        cluster_by=() if cluster == "AUTO" else cluster,  # type: ignore[arg-type]
        cluster_by_auto=cluster == "AUTO",
        comment=found.get("COMMENT"),  # type: ignore[arg-type]
        properties=found.get("TBLPROPERTIES", {}),  # type: ignore[arg-type]
        schedule=found.get("SCHEDULE"),  # type: ignore[arg-type]
        row_filter=found.get("WITH ROW FILTER"),  # type: ignore[arg-type]
    )


_EVERY_UNITS = {"HOUR": 72, "HOURS": 72, "DAY": 31, "DAYS": 31, "WEEK": 8, "WEEKS": 8}


def parse_schedule(reader: Reader) -> Schedule:
    """Parse `SCHEDULE [REFRESH] {EVERY n unit | CRON …}` or `TRIGGER ON UPDATE …`.

    The largest counts are those of the page of CREATE STREAMING TABLE: 72 hours, 31 days, 8 weeks.
    """
    if reader.accept_words("TRIGGER", "ON", "UPDATE"):
        at_most: str | None = None
        if reader.accept_words("AT", "MOST", "EVERY"):
            reader.accept_words("INTERVAL")
            at_most = reader.expression("AS", "FLOW", "COMMENT", "TBLPROPERTIES", "WITH", "CLUSTER", "PARTITIONED")
        text = "TRIGGER ON UPDATE" + (f" AT MOST EVERY {at_most}" if at_most else "")
        return Schedule(text, on_update=True, at_most_every=at_most)
    reader.expect_words("SCHEDULE")
    reader.accept_words("REFRESH")
    if reader.accept_words("EVERY"):
        count = reader.integer()
        unit = reader.identifier().upper()
        if unit not in _EVERY_UNITS:
            reader.fail(f"SCHEDULE EVERY takes HOURS, DAYS or WEEKS, not {unit}")
        if not 1 <= count <= _EVERY_UNITS[unit]:
            raise invalid(
                "INVALID_SCHEDULE",
                f"SCHEDULE EVERY takes 1 to {_EVERY_UNITS[unit]} {unit}, not {count}",
            )
        return Schedule(f"EVERY {count} {unit}", every=f"{count} {unit}")
    reader.expect_words("CRON")
    cron = reader.string()
    zone = reader.string() if reader.accept_words("AT", "TIME", "ZONE") else None
    text = f"CRON '{cron}'" + (f" AT TIME ZONE '{zone}'" if zone else "")
    return Schedule(text, cron=cron, time_zone=zone)


_CDC_CLAUSES = ("IGNORE", "APPLY", "SEQUENCE", "SYSTEM", "COLUMNS", "STORED", "TRACK")


def _auto_cdc(reader: Reader) -> AutoCdcFlow:
    reader.expect_words("FROM")
    if reader.at_words("SNAPSHOT"):
        raise refused(
            "AUTO_CDC_FROM_SNAPSHOT_NOT_SUPPORTED",
            "AUTO CDC FROM SNAPSHOT has no SQL form; use a dbt snapshot for full copies",
        )
    reader.expect_words("STREAM")
    if reader.accept_symbol("("):
        source = reader.name()
        reader.expect_symbol(")")
    else:
        source = reader.name()
    reader.expect_words("KEYS")
    found: dict[str, object] = {"keys": tuple(reader.list_of(lambda: _column_path(reader)))}

    def put(option: str, value: object) -> None:
        if option in found:
            raise invalid(
                "DUPLICATE_CLAUSES",
                f"the AUTO CDC clause {option.replace('_', ' ').upper()} is given twice",
            )
        found[option] = value

    while not reader.at_end:
        if reader.accept_words("IGNORE", "NULL", "UPDATES"):
            selection = ColumnSelection((), is_except=True)
            put(
                "ignore_null_updates",
                _column_selection(reader) if reader.accept_words("ON") else selection,
            )
        elif reader.accept_words("APPLY", "AS", "DELETE", "WHEN"):
            put("apply_as_delete_when", reader.expression(*_CDC_CLAUSES))
        elif reader.accept_words("APPLY", "AS", "TRUNCATE", "WHEN"):
            put("apply_as_truncate_when", reader.expression(*_CDC_CLAUSES))
        elif reader.accept_words("SEQUENCE", "BY"):
            put("sequence_by", reader.expression(*_CDC_CLAUSES))
        elif reader.accept_words("SYSTEM", "SEQUENCE", "BY"):
            put("system_sequence_by", reader.expression(*_CDC_CLAUSES))
        elif reader.accept_words("COLUMNS", "TO", "UPDATE"):
            put("columns_to_update", reader.identifier())
        elif reader.accept_words("COLUMNS"):
            put("columns", _column_selection(reader))
        elif reader.accept_words("STORED", "AS"):
            put("stored_as", _storage(reader))
        elif reader.accept_words("TRACK", "HISTORY", "ON"):
            put("track_history_on", _column_selection(reader))
        else:
            reader.fail("unexpected AUTO CDC clause")
    if "sequence_by" not in found:
        reader.fail("AUTO CDC needs SEQUENCE BY")
    flow = AutoCdcFlow(source=source, **found)  # type: ignore[arg-type]
    if flow.track_history_on is not None and flow.stored_as is Storage.SCD_TYPE_1:
        raise invalid(
            "AUTO_CDC_TRACK_HISTORY_NEEDS_SCD_TYPE_2",
            "TRACK HISTORY ON is for SCD TYPE 2 and BITEMPORAL",
        )
    if flow.apply_as_truncate_when is not None and flow.stored_as is not Storage.SCD_TYPE_1:
        raise invalid("AUTO_CDC_TRUNCATE_NEEDS_SCD_TYPE_1", "APPLY AS TRUNCATE WHEN is for SCD TYPE 1 only")
    return flow


def _column_path(reader: Reader) -> str:
    return reader.identifier()


def _column_selection(reader: Reader) -> ColumnSelection:
    if reader.accept_symbol("*"):
        reader.expect_words("EXCEPT")
        return ColumnSelection(tuple(reader.list_of(reader.identifier)), is_except=True)
    if reader.at_symbol("("):
        return ColumnSelection(tuple(reader.list_of(reader.identifier)))
    names = [reader.identifier()]
    while reader.accept_symbol(","):
        names.append(reader.identifier())
    return ColumnSelection(tuple(names))


def _storage(reader: Reader) -> Storage:
    if reader.accept_words("BITEMPORAL"):
        return Storage.BITEMPORAL
    reader.expect_words("SCD", "TYPE")
    kind = reader.integer()
    if kind not in (1, 2):
        reader.fail("SCD TYPE is 1 or 2")
    return Storage.SCD_TYPE_1 if kind == 1 else Storage.SCD_TYPE_2
