"""CREATE TABLE clauses that Databricks has and Spark or open Delta has not, taken out by token position.

https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-table-using
"""

from __future__ import annotations

from dataclasses import dataclass, field

from databricks_local.sql.reader import Name, Reader
from databricks_local.sql.splice import Edit, splice
from databricks_local.sql.streaming_table import (
    ColumnMask,
    KeyConstraint,
    RowFilter,
    parse_key_constraint,
    parse_mask,
    parse_row_filter,
)


@dataclass
class CreateTable:
    """A CREATE TABLE, split into what Spark executes and what is recorded here.

    Attributes:
        name: the new table.
        or_replace: whether `OR REPLACE` (or REPLACE TABLE) was given.
        if_not_exists: whether `IF NOT EXISTS` was given.
        sql: the statement without the recorded clauses.
        masks: mask by column.
        row_filter: the table's filter.
        keys: informational keys.
        auto_cluster: whether CLUSTER BY AUTO was given.
        clone_of: the source of a CLONE, and whether it is deep.
        query: the text behind AS, if any.
    """

    name: Name
    or_replace: bool
    if_not_exists: bool
    sql: str = ""
    masks: dict[str, ColumnMask] = field(default_factory=dict)
    row_filter: RowFilter | None = None
    keys: list[KeyConstraint] = field(default_factory=list)
    auto_cluster: bool = False
    clone_of: tuple[Name, bool] | None = None
    query: str | None = None


def parse_create_table(reader: Reader) -> CreateTable:
    """Parse `CREATE [OR REPLACE] [EXTERNAL] TABLE …` far enough to find the clauses that Spark lacks."""
    return _CreateTableParser(reader).parse()


class _CreateTableParser:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.edits: list[Edit] = []
        # Where the definition of each column ends that may be NULL.
        self.nullable: dict[str, int] = {}

    def parse(self) -> CreateTable:
        reader = self.reader
        or_replace = False
        if reader.accept_words("CREATE"):
            or_replace = reader.accept_words("OR", "REPLACE")
        else:
            reader.expect_words("REPLACE")
            or_replace = True
        reader.accept_words("EXTERNAL")
        reader.expect_words("TABLE")
        if_not_exists = reader.accept_words("IF", "NOT", "EXISTS")
        statement = CreateTable(reader.name(), or_replace, if_not_exists)
        if reader.at_symbol("("):
            self._columns(statement)
        while not reader.at_end:
            if reader.accept_words("AS"):
                statement.query = reader.rest()
            else:
                self._clause(statement)
        statement.sql = splice(reader.sql, self.edits)
        return statement

    def _clause(self, statement: CreateTable) -> None:
        reader = self.reader
        start = reader.position
        if reader.accept_words("WITH", "ROW", "FILTER"):
            statement.row_filter = parse_row_filter(reader)
            self._remove(start)
        elif reader.accept_words("CLUSTER", "BY", "AUTO"):
            statement.auto_cluster = True
            self._remove(start)
        elif reader.accept_words("DEFAULT", "COLLATION"):
            reader.identifier()
            self._remove(start)
        elif reader.at_words("SHALLOW", "CLONE") or reader.at_words("DEEP", "CLONE") or reader.at_words("CLONE"):
            deep = not reader.accept_words("SHALLOW")
            reader.accept_words("DEEP")
            reader.expect_words("CLONE")
            statement.clone_of = (reader.name(), deep)
        else:
            token = reader.peek()
            assert token is not None
            if token.is_symbol("("):
                reader.skip_group()
            else:
                reader.position += 1

    def _remove(self, first: int) -> None:
        tokens = self.reader.tokens
        self.edits.append(Edit(tokens[first].start, tokens[self.reader.position - 1].end, ""))

    def _columns(self, statement: CreateTable) -> None:
        reader = self.reader
        open_position = reader.position
        reader.expect_symbol("(")
        kept = 0
        while True:
            # An item is removed together with the comma before it, or, as long as none was kept, after it.
            start = reader.position
            if self._is_table_key():
                name = reader.identifier() if reader.accept_words("CONSTRAINT") else None
                statement.keys.append(parse_key_constraint(reader, name, ()))
                if kept:
                    self._remove(start - 1)
                else:
                    last = reader.peek()
                    end = reader.position + (1 if last is not None and last.is_symbol(",") else 0)
                    tokens = reader.tokens
                    self.edits.append(Edit(tokens[start].start, tokens[end - 1].end, ""))
            else:
                self._column(statement)
                kept += 1
            if not reader.accept_symbol(","):
                break
        reader.expect_symbol(")")
        if not kept:
            # Only keys were listed: Spark takes no empty list.
            tokens = reader.tokens
            self.edits = [e for e in self.edits if e.start < tokens[open_position].start]
            self._remove(open_position)
        for key in statement.keys:
            if key.kind == "PRIMARY KEY":
                self._make_not_null(key.columns)

    def _make_not_null(self, columns: tuple[str, ...]) -> None:
        """The columns of a primary key are implicitly NOT NULL, in a table that is made with it.

        https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-create-table-constraint
        """
        for column in columns:
            end = self.nullable.get(column.lower())
            if end is not None:
                self.edits.append(Edit(end, end, " NOT NULL"))

    def _is_table_key(self) -> bool:
        reader = self.reader
        if reader.at_words("PRIMARY", "KEY") or reader.at_words("FOREIGN", "KEY"):
            return True
        if not reader.at_words("CONSTRAINT"):
            return False
        following = reader.peek(2)
        return following is not None and following.is_word("PRIMARY", "FOREIGN")

    def _column(self, statement: CreateTable) -> None:
        reader = self.reader
        column: str | None = None
        nullable = True
        if not reader.at_words("CONSTRAINT"):
            column = reader.identifier()
        while (token := reader.peek()) is not None and not token.is_symbol(",", ")"):
            start = reader.position
            if column is not None and reader.accept_words("MASK"):
                statement.masks[column] = parse_mask(reader)
                self._remove(start)
            elif column is not None and self._at_column_key():
                name = reader.identifier() if reader.accept_words("CONSTRAINT") else None
                statement.keys.append(parse_key_constraint(reader, name, (column,)))
                self._remove(start)
            elif reader.accept_words("NOT", "NULL"):
                nullable = False
            elif token.is_symbol("(", "["):
                reader.skip_group()
            elif token.is_symbol("<"):
                depth = 0
                while True:
                    symbol = reader.next()
                    if symbol.is_symbol("<", "<>", ">", ">>"):
                        depth += symbol.text.count("<") - symbol.text.count(">")
                    if depth == 0:
                        break
            else:
                reader.position += 1
        if column is not None and nullable:
            self.nullable[column.lower()] = reader.tokens[reader.position - 1].end

    def _at_column_key(self) -> bool:
        reader = self.reader
        if reader.at_words("PRIMARY", "KEY") or reader.at_words("REFERENCES") or reader.at_words("FOREIGN", "KEY"):
            return True
        following = reader.peek(2)
        return (
            reader.at_words("CONSTRAINT")
            and following is not None
            and following.is_word("PRIMARY", "REFERENCES", "FOREIGN")
        )
