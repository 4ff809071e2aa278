"""ALTER, GRANT, COMMENT ON and SET TAG: what Databricks governs a table by, and Spark does not
know.

Grammar: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-alter-table,
…-ddl-alter-streaming-table, …-ddl-alter-materialized-view, …-ddl-alter-view, …-ddl-alter-schema,
…-ddl-set-tag, …-ddl-comment, .../security-grant, …/security-revoke and …/security-show-grant.
"""

from __future__ import annotations

from dataclasses import dataclass

from databricks_local.errors import invalid, refused
from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.streaming_table import (
    ColumnMask,
    KeyConstraint,
    RowFilter,
    Schedule,
    parse_key_constraint,
    parse_mask,
    parse_row_filter,
    parse_schedule,
)
from databricks_local.sql.tokens import Kind


@dataclass(frozen=True)
class SetTags:
    """`SET TAGS ('key' = 'value', 'key', …)`; a tag without a value has the empty string."""

    tags: dict[str, str]


@dataclass(frozen=True)
class UnsetTags:
    """`UNSET TAGS ('key', …)`."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class SetMask:
    """`SET MASK function [USING COLUMNS (…)]`."""

    mask: ColumnMask


@dataclass(frozen=True)
class DropMask:
    """`DROP MASK`."""


@dataclass(frozen=True)
class SetRowFilter:
    """`SET ROW FILTER function ON (…)`."""

    row_filter: RowFilter


@dataclass(frozen=True)
class DropRowFilter:
    """`DROP ROW FILTER`."""


@dataclass(frozen=True)
class AddKey:
    """`ADD [CONSTRAINT name] {PRIMARY KEY | FOREIGN KEY} …`."""

    key: KeyConstraint


@dataclass(frozen=True)
class DropKey:
    """`DROP {PRIMARY KEY | FOREIGN KEY (…) | CONSTRAINT name} [IF EXISTS] [RESTRICT | CASCADE]`.

    One of `name`, `primary` and `columns` (of a foreign key) is given.
    """

    name: str | None = None
    primary: bool = False
    columns: tuple[str, ...] = ()
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class SetSchedule:
    """`{ADD | ALTER} schedule`, or `DROP SCHEDULE` when it is None."""

    schedule: Schedule | None


@dataclass(frozen=True)
class SetOwner:
    """`[SET] OWNER TO principal`."""

    principal: str


@dataclass(frozen=True)
class SetColumnComment:
    """`ALTER COLUMN column COMMENT 'text'`."""

    comment: str


@dataclass(frozen=True)
class RenameColumn:
    """`RENAME COLUMN old TO new`: Delta renames it, what is attached to it follows."""

    old: str
    new: str


@dataclass(frozen=True)
class DropColumns:
    """`DROP {COLUMN | COLUMNS} …`: Delta drops them, what is attached to them goes."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class ClusterByAuto:
    """`CLUSTER BY AUTO`."""


@dataclass(frozen=True)
class OtherChange:
    """Anything else: Spark and Delta know it, or nobody does."""


Change = (
    SetTags
    | UnsetTags
    | SetMask
    | DropMask
    | SetRowFilter
    | DropRowFilter
    | AddKey
    | DropKey
    | SetSchedule
    | SetOwner
    | SetColumnComment
    | RenameColumn
    | DropColumns
    | ClusterByAuto
    | OtherChange
)


@dataclass(frozen=True)
class Alter:
    """A whole ALTER statement.

    Attributes:
        kind: `TABLE`, `VIEW`, `STREAMING TABLE`, `MATERIALIZED VIEW`, `SCHEMA` or `CATALOG`.
        name: what is altered.
        column: the column of `ALTER COLUMN`.
        change: what happens to it.
    """

    kind: str
    name: Name
    column: str | None
    change: Change


ALTERED_KINDS = (
    ("STREAMING", "TABLE"),
    ("MATERIALIZED", "VIEW"),
    ("TABLE",),
    ("VIEW",),
    ("SCHEMA",),
    ("DATABASE",),
    ("CATALOG",),
)


def parse_alter(reader: Reader) -> Alter:
    """Parse from `ALTER` on.

    Raises:
        ProgrammingError: PARSE_SYNTAX_ERROR.
    """
    reader.expect_words("ALTER")
    kind = next((" ".join(words) for words in ALTERED_KINDS if reader.accept_words(*words)), None)
    if kind is None:
        reader.fail("expected TABLE, VIEW, STREAMING TABLE, MATERIALIZED VIEW, SCHEMA or CATALOG")
    kind = "SCHEMA" if kind == "DATABASE" else kind
    name = reader.name()
    column, change = _change(reader)
    if not isinstance(change, OtherChange):
        reader.expect_end()
    return Alter(kind, name, column, change)


def _change(reader: Reader) -> tuple[str | None, Change]:
    if reader.accept_words("ALTER", "COLUMN") or reader.accept_words("CHANGE", "COLUMN"):
        column = reader.identifier()
        if reader.at_symbol("."):
            return None, OtherChange()
        return column, _column_change(reader)
    if reader.accept_words("SET", "ROW", "FILTER"):
        return None, SetRowFilter(parse_row_filter(reader))
    if reader.accept_words("DROP", "ROW", "FILTER"):
        return None, DropRowFilter()
    if reader.accept_words("DROP", "SCHEDULE"):
        return None, SetSchedule(None)
    if reader.at_words("ADD") or reader.at_words("ALTER"):
        following = reader.peek(1)
        if following is not None and following.is_word("SCHEDULE", "TRIGGER"):
            reader.next()
            return None, SetSchedule(parse_schedule(reader))
    if (key := _key_change(reader)) is not None:
        return None, key
    if reader.accept_words("OWNER", "TO") or reader.accept_words("SET", "OWNER", "TO"):
        return None, SetOwner(parse_principal(reader))
    if reader.accept_words("RENAME", "COLUMN"):
        old = reader.identifier()
        if reader.at_symbol("."):
            return None, OtherChange()
        reader.expect_words("TO")
        return None, RenameColumn(old, reader.identifier())
    if reader.at_words("DROP", "COLUMN") or reader.at_words("DROP", "COLUMNS"):
        return None, _drop_columns(reader)
    if reader.accept_words("CLUSTER", "BY", "AUTO"):
        return None, ClusterByAuto()
    return None, _tag_change(reader) or OtherChange()


def _column_change(reader: Reader) -> Change:
    if reader.accept_words("SET", "MASK"):
        return SetMask(parse_mask(reader))
    if reader.accept_words("DROP", "MASK"):
        return DropMask()
    if reader.accept_words("COMMENT"):
        return SetColumnComment(reader.string())
    return _tag_change(reader) or OtherChange()


def _tag_change(reader: Reader) -> SetTags | UnsetTags | None:
    if reader.accept_words("SET", "TAGS"):
        return SetTags(dict(reader.list_of(lambda: _tag(reader))))
    if reader.accept_words("UNSET", "TAGS"):
        return UnsetTags(tuple(reader.list_of(lambda: _tag_key(reader))))
    return None


def _tag(reader: Reader) -> tuple[str, str]:
    key = _tag_key(reader)
    return key, _tag_key(reader) if reader.accept_symbol("=") else ""


def _tag_key(reader: Reader) -> str:
    token = reader.peek()
    return reader.string() if token is not None and token.kind is Kind.STRING else reader.identifier()


def _key_change(reader: Reader) -> AddKey | DropKey | None:
    start = reader.position
    if reader.accept_words("ADD"):
        name = reader.identifier() if reader.accept_words("CONSTRAINT") else None
        if reader.at_words("PRIMARY", "KEY") or reader.at_words("FOREIGN", "KEY"):
            return AddKey(parse_key_constraint(reader, name, ()))
    elif reader.accept_words("DROP"):
        if reader.accept_words("PRIMARY", "KEY"):
            if_exists = reader.accept_words("IF", "EXISTS")
            return DropKey(primary=True, if_exists=if_exists, cascade=_cascade(reader))
        if reader.accept_words("FOREIGN", "KEY"):
            if_exists = reader.accept_words("IF", "EXISTS")
            return DropKey(columns=tuple(reader.list_of(reader.identifier)), if_exists=if_exists)
        if reader.accept_words("CONSTRAINT"):
            if_exists = reader.accept_words("IF", "EXISTS")
            return DropKey(name=reader.identifier(), if_exists=if_exists, cascade=_cascade(reader))
    reader.position = start
    return None


def _cascade(reader: Reader) -> bool:
    if reader.accept_words("CASCADE"):
        return True
    reader.accept_words("RESTRICT")
    return False


def _drop_columns(reader: Reader) -> Change:
    start = reader.position
    reader.position += 2
    reader.accept_words("IF", "EXISTS")
    columns = reader.list_of(reader.name) if reader.at_symbol("(") else [reader.name()]
    while reader.accept_symbol(","):
        columns.append(reader.name())
    if not reader.at_end:
        reader.position = start
        return OtherChange()
    return DropColumns(tuple(name.table for name in columns if len(name.parts) == 1))


# tags and comments


@dataclass(frozen=True)
class Securable:
    """What a tag, a comment or a grant is for: a kind of `SECURABLES`, and the name as written."""

    kind: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


SECURABLES = (
    ("STREAMING", "TABLE"),
    ("MATERIALIZED", "VIEW"),
    ("TABLE",),
    ("VIEW",),
    ("COLUMN",),
    ("SCHEMA",),
    ("DATABASE",),
    ("CATALOG",),
    ("FUNCTION",),
)

# Securables of an account that a warehouse on one machine does not have.
_ABSENT = (
    "METASTORE",
    "VOLUME",
    "EXTERNAL",
    "STORAGE",
    "SERVICE",
    "CONNECTION",
    "SHARE",
    "RECIPIENT",
    "PROVIDER",
    "CLEAN",
    "ANY",
    "ANONYMOUS",
    "PROCEDURE",
    "MODEL",
    "REGISTERED",
    "CREDENTIAL",
)


def parse_securable(reader: Reader, *, default: str = "TABLE") -> Securable:
    """Parse `[kind] name`.

    Raises:
        NotSupportedError: a kind that does not exist here.
    """
    token = reader.peek()
    following = reader.peek(1)
    if (
        token is not None
        and token.is_word(*_ABSENT)
        and following is not None
        and following.kind in (Kind.WORD, Kind.QUOTED)
    ):
        raise refused(
            "UNSUPPORTED_SECURABLE",
            f"{token.text.upper()} is a securable of an account; a local warehouse has none",
        )
    kind = default
    for words in SECURABLES:
        if reader.at_words(*words) and _is_name(reader, len(words)):
            reader.accept_words(*words)
            kind = " ".join(words)
            break
    parts = [reader.identifier()]
    while reader.accept_symbol("."):
        parts.append(reader.identifier())
    return Securable("SCHEMA" if kind == "DATABASE" else kind, tuple(parts))


def _is_name(reader: Reader, ahead: int) -> bool:
    """Whether a name comes `ahead` places on: a table may itself be called `table` or `schema`."""
    token = reader.peek(ahead)
    return token is not None and token.kind in (Kind.WORD, Kind.QUOTED) and not token.is_word("TO", "FROM", "IS")


@dataclass(frozen=True)
class TagStatement:
    """`{SET | UNSET} TAG ON securable key [= value]`."""

    securable: Securable
    change: SetTags | UnsetTags


def parse_tag_statement(reader: Reader) -> TagStatement:
    """Parse `SET TAG ON …` or `UNSET TAG ON …`."""
    is_set = reader.accept_words("SET")
    if not is_set:
        reader.expect_words("UNSET")
    reader.expect_words("TAG", "ON")
    securable = parse_securable(reader)
    key, value = _tag(reader)
    reader.expect_end()
    return TagStatement(securable, SetTags({key: value}) if is_set else UnsetTags((key,)))


@dataclass(frozen=True)
class CommentOn:
    """`COMMENT ON securable IS {'text' | NULL}`."""

    securable: Securable
    comment: str | None


def parse_comment_on(reader: Reader) -> CommentOn:
    """Parse from `COMMENT` on."""
    reader.expect_words("COMMENT", "ON")
    securable = parse_securable(reader)
    reader.expect_words("IS")
    comment = None if reader.accept_words("NULL") else reader.string()
    reader.expect_end()
    return CommentOn(securable, comment)


# grants

# https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/privileges
PRIVILEGES = frozenset(
    {
        "ALL PRIVILEGES",
        "APPLY TAG",
        "BROWSE",
        "CREATE FUNCTION",
        "CREATE MATERIALIZED VIEW",
        "CREATE MODEL",
        "CREATE MODEL VERSION",
        "CREATE SCHEMA",
        "CREATE TABLE",
        "CREATE VOLUME",
        "EXECUTE",
        "EXTERNAL USE SCHEMA",
        "MANAGE",
        "MODIFY",
        "READ VOLUME",
        "REFERENCES",
        "REFRESH",
        "SELECT",
        "USAGE",
        "USE CATALOG",
        "USE SCHEMA",
        "WRITE VOLUME",
    }
)


@dataclass(frozen=True)
class Grant:
    """`{GRANT | REVOKE} privileges ON securable {TO | FROM} principals`."""

    privileges: tuple[str, ...]
    securable: Securable
    principals: tuple[str, ...]
    revoke: bool = False


@dataclass(frozen=True)
class ShowGrants:
    """`SHOW GRANTS [principal] ON securable`."""

    principal: str | None
    securable: Securable


def parse_grant(reader: Reader) -> Grant:
    """Parse `GRANT …` or `REVOKE …`.

    Raises:
        ProgrammingError: INVALID_PRIVILEGE for a word that is no privilege of Unity Catalog.
    """
    revoke = reader.accept_words("REVOKE")
    if not revoke:
        reader.expect_words("GRANT")
    privileges = [_privilege(reader)]
    while reader.accept_symbol(","):
        privileges.append(_privilege(reader))
    reader.expect_words("ON")
    securable = parse_securable(reader)
    reader.expect_words("FROM" if revoke else "TO")
    principals = [parse_principal(reader)]
    while reader.accept_symbol(","):
        principals.append(parse_principal(reader))
    reader.expect_end()
    return Grant(tuple(privileges), securable, tuple(principals), revoke)


def _privilege(reader: Reader) -> str:
    words = []
    while not reader.at_end and not reader.at_words("ON") and not reader.at_symbol(","):
        words.append(reader.identifier().upper())
    privilege = " ".join(words).replace("_", " ")
    if privilege not in PRIVILEGES:
        raise invalid(
            "INVALID_PRIVILEGE",
            f"{privilege or 'nothing'} is no privilege; known are {', '.join(sorted(PRIVILEGES))}",
        )
    return privilege


def parse_principal(reader: Reader) -> str:
    """A user, group or service principal: a name, quoted when it holds more than letters, or a
    string.

    An address such as `ann@bank.example` needs back-quotes on Databricks, and here.
    """
    token = reader.peek()
    return reader.string() if token is not None and token.kind is Kind.STRING else reader.identifier()


def parse_show_grants(reader: Reader) -> ShowGrants:
    """Parse from `SHOW` on."""
    reader.expect_words("SHOW")
    if not reader.accept_words("GRANTS"):
        reader.expect_words("GRANT")
    principal = None if reader.at_words("ON") else parse_principal(reader)
    reader.expect_words("ON")
    securable = parse_securable(reader)
    reader.expect_end()
    return ShowGrants(principal, securable)


# what a statement changes


@dataclass(frozen=True)
class Target:
    """The relation that a statement changes or copies, and by what."""

    operation: str
    name: Name


_TARGETS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ALTER", "TABLE"), "ALTER TABLE"),
    (("ALTER", "VIEW"), "ALTER VIEW"),
    (("ALTER", "STREAMING", "TABLE"), "ALTER STREAMING TABLE"),
    (("ALTER", "MATERIALIZED", "VIEW"), "ALTER MATERIALIZED VIEW"),
    (("TRUNCATE", "TABLE"), "TRUNCATE"),
    (("ANALYZE", "TABLE"), "ANALYZE"),
    (("RESTORE", "TABLE"), "RESTORE"),
    (("RESTORE",), "RESTORE"),
    (("COPY", "INTO"), "COPY INTO"),
    (("OPTIMIZE",), "OPTIMIZE"),
    (("INSERT", "OVERWRITE", "TABLE"), "INSERT"),
    (("INSERT", "OVERWRITE"), "INSERT"),
    (("INSERT", "INTO", "TABLE"), "INSERT"),
    (("INSERT", "INTO"), "INSERT"),
    (("UPDATE",), "UPDATE"),
    (("DELETE", "FROM"), "DELETE"),
    (("MERGE", "WITH", "SCHEMA", "EVOLUTION", "INTO"), "MERGE"),
    (("MERGE", "INTO"), "MERGE"),
)


def find_target(reader: Reader) -> Target | None:
    """What a statement changes, or the source of a CLONE; None for any other statement.

    The reader is left where it was.
    """
    start = reader.position
    try:
        for words, operation in _TARGETS:
            if reader.accept_words(*words):
                token = reader.peek()
                if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
                    return None
                return Target(operation, reader.name())
        if reader.at_words("CREATE"):
            return _clone_source(reader)
        return None
    finally:
        reader.position = start


def _clone_source(reader: Reader) -> Target | None:
    reader.expect_words("CREATE")
    reader.accept_words("OR", "REPLACE")
    if not reader.accept_words("TABLE"):
        return None
    reader.accept_words("IF", "NOT", "EXISTS")
    reader.name()
    if not reader.accept_words("SHALLOW"):
        reader.accept_words("DEEP")
    return Target("CLONE", reader.name()) if reader.accept_words("CLONE") else None
