"""A statement made ready for Spark, and the temporary objects that it names."""

from __future__ import annotations

from dataclasses import dataclass, field

from databricks_local.execution.context import Context, Relation
from databricks_local.sql.tokens import quote_identifier


@dataclass
class PreparedQuery:
    """A query that Spark can run, and what it reads.

    Attributes:
        sql: the query with temporary views in place.
        views: the temporary views made for it; the caller drops them.
        functions: the temporary functions made for it; dropped with the views.
        streams: for each STREAM read, in order, what identifies its source (table or file path).
        tables: the tables read as streams.
    """

    sql: str
    views: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    tables: list[Relation] = field(default_factory=list)

    def drop_views(self, context: Context) -> None:
        """Drop the temporary views and functions, once the query is analyzed."""
        for view in self.views:
            context.spark.catalog.dropTempView(view)
        for function in self.functions:
            context.sql(f"DROP TEMPORARY FUNCTION IF EXISTS {quote_identifier(function)}")
