"""dbt.tests.adapter.persist_docs on the local executor.

The base classes read comments from catalog.json, where dbt-databricks puts no comment of a column: it reads a table's
columns from SHOW TABLE EXTENDED, which lists none. The same is asserted here of what DESCRIBE TABLE EXTENDED shows.
"""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.persist_docs.test_persist_docs import (
    BasePersistDocs,
    BasePersistDocsColumnMissing,
    BasePersistDocsCommentOnQuotedColumn,
)
from dbt.tests.util import run_dbt


def described(project: Any, name: str) -> dict[str, Any]:
    """What DESCRIBE shows of a relation, in the shape of a node of catalog.json."""
    rows = [tuple(row) for row in project.run_sql(f"describe table extended {{schema}}.{name}", fetch="all")]
    end = next(index for index, row in enumerate(rows) if not row[0] or row[0].startswith("#"))
    details = {row[0]: row[1] for row in rows[end:]}
    return {
        "metadata": {"comment": details.get("Comment")},
        "columns": {column: {"comment": comment} for column, _, comment in rows[:end]},
    }


@pytest.mark.long
class TestPersistDocs(BasePersistDocs):
    def test_has_comments_pglike(self, project: Any) -> None:
        self._assert_has_table_comments(described(project, "table_model"))
        self._assert_has_view_comments(described(project, "view_model"))
        self._assert_has_view_comments(described(project, "no_docs_model"), False, False)


@pytest.mark.long
class TestPersistDocsColumnMissing(BasePersistDocsColumnMissing):
    def test_missing_column(self, project: Any) -> None:
        columns = described(project, "missing_column")["columns"]
        assert columns["id"]["comment"].startswith("test id column description")
        assert "column_that_does_not_exist" not in columns


@pytest.mark.long
class TestPersistDocsCommentOnQuotedColumn(BasePersistDocsCommentOnQuotedColumn):
    def test_quoted_column_comments(self, project: Any) -> None:
        run_dbt()
        assert described(project, "quote_model")["columns"]["2id"]["comment"].startswith("XXX")
