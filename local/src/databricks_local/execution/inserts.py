"""INSERT INTO … REPLACE {WHERE | USING | ON}, each as one Delta commit.

Spark knows REPLACE WHERE by position. REPLACE USING and REPLACE ON delete every target row that matches a row of
the query and insert all rows of the query; one MERGE does both: each row of the query goes in twice, once to
delete what it matches and once to be inserted.
https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-dml-insert-into
"""

from __future__ import annotations

from databricks_local.errors import DatabaseError, DataError, from_spark, invalid, refused
from databricks_local.execution import governance
from databricks_local.execution.context import Context, Outcome, Relation
from databricks_local.execution.handlers import Handler, begins
from databricks_local.execution.queries import runnable
from databricks_local.sql.insert import SelectiveInsert, parse_selective_insert
from databricks_local.sql.reader import Reader
from databricks_local.sql.tokens import quote_identifier

_TARGET = "__databricks_local_target"
_SOURCE = "__databricks_local_source"
_DELETES = "__databricks_local_deletes"

_INSERT = begins(("INSERT",))


def _is_selective(reader: Reader) -> bool:
    return _INSERT(reader) and parse_selective_insert(Reader(reader.sql)) is not None


def _insert(context: Context, reader: Reader) -> Outcome:
    governance.refuse_on_kinds(context, reader)
    statement = parse_selective_insert(reader)
    assert statement is not None
    relation = context.resolve(statement.target)
    if not context.exists(relation):
        raise invalid("TABLE_OR_VIEW_NOT_FOUND", f"the table {relation} cannot be found")
    if statement.schema_evolution:
        raise refused(
            "UNSUPPORTED_STATEMENT.INSERT_WITH_SCHEMA_EVOLUTION",
            f"INSERT WITH SCHEMA EVOLUTION … REPLACE into {relation} is not run here; add the columns with ALTER TABLE",
        )
    with runnable(context, statement.query) as query:
        given = context.sql(query).schema.fieldNames()
        pairs = _columns(context, relation, statement, given)
        if statement.where is not None:
            return _replace_where(context, relation, statement.where, query, pairs)
        return _replace_matching(context, relation, statement, query, pairs)


def _columns(
    context: Context, relation: Relation, statement: SelectiveInsert, given: list[str]
) -> list[tuple[str, str]]:
    """Pairs of target column and query column."""
    columns = context.spark.table(relation.quoted()).schema.fieldNames()
    if not statement.by_name:
        if len(columns) != len(given):
            raise invalid(
                "INSERT_COLUMN_ARITY_MISMATCH",
                f"{relation} has {len(columns)} columns ({', '.join(columns)}), the query gives {len(given)} "
                f"({', '.join(given)})",
            )
        return list(zip(columns, given, strict=True))
    known = {column.lower(): column for column in columns}
    extra = [name for name in given if name.lower() not in known]
    if extra:
        raise invalid(
            "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
            f"the query gives {', '.join(extra)}, which {relation} does not have; it has {', '.join(columns)}",
        )
    return [(known[name.lower()], name) for name in given]


def _replace_where(
    context: Context, relation: Relation, predicate: str, query: str, pairs: list[tuple[str, str]]
) -> Outcome:
    by_target = {target: quote_identifier(name) for target, name in pairs}
    values = [
        f"{by_target.get(column, 'NULL')} AS {quote_identifier(column)}"
        for column in context.spark.table(relation.quoted()).schema.fieldNames()
    ]
    statement = f"INSERT INTO {relation.quoted()} REPLACE WHERE {predicate} SELECT {', '.join(values)} FROM ({query})"
    try:
        return context.sql(statement)
    except Exception as error:
        raise _mismatch(relation, predicate, from_spark(error)) from error


def _mismatch(relation: Relation, predicate: str, error: DatabaseError) -> DatabaseError:
    """Open Delta checks the new rows by a constraint of its own making and names that one."""
    if error.error_class != "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES" or " EXPRESSION(" not in str(error):
        return error
    mismatch = DataError(
        f"[DELTA_REPLACE_WHERE_MISMATCH] a row written to {relation} does not satisfy REPLACE WHERE {predicate}: "
        f"{error}"
    )
    mismatch.tagged("DELTA_REPLACE_WHERE_MISMATCH", "44000")
    return mismatch


def _replace_matching(
    context: Context, relation: Relation, statement: SelectiveInsert, query: str, pairs: list[tuple[str, str]]
) -> Outcome:
    target = quote_identifier(statement.target_alias or (_TARGET if statement.using else statement.target.table))
    source = quote_identifier(statement.source_alias or _SOURCE)
    deletes = f"{source}.{quote_identifier(_DELETES)}"
    condition = statement.on or " AND ".join(
        f"{target}.{quote_identifier(column)} = {source}.{_source_column(relation, column, pairs)}"
        for column in statement.using
    )
    columns = ", ".join(quote_identifier(column) for column, _ in pairs)
    values = ", ".join(f"{source}.{quote_identifier(name)}" for _, name in pairs)
    merged = context.sql(
        f"MERGE INTO {relation.quoted()} AS {target} "
        f"USING (SELECT explode(array(true, false)) AS {quote_identifier(_DELETES)}, * FROM ({query})) AS {source} "
        f"ON {deletes} AND ({condition}) WHEN MATCHED THEN DELETE "
        f"WHEN NOT MATCHED AND NOT {deletes} THEN INSERT ({columns}) VALUES ({values})"
    )
    return merged.select("num_affected_rows", "num_inserted_rows")


def _source_column(relation: Relation, column: str, pairs: list[tuple[str, str]]) -> str:
    for target, name in pairs:
        if target.lower() == column.lower():
            return quote_identifier(name)
    given = ", ".join(target for target, _ in pairs)
    raise invalid("UNRESOLVED_COLUMN", f"REPLACE USING names {column}; what is inserted into {relation} is {given}")


HANDLERS = [Handler(_is_selective, _insert)]
