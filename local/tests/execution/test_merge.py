"""MERGE, as far as it is more than Spark's."""

from __future__ import annotations

import pytest
from querying import Query

from databricks_local.errors import ProgrammingError


def test_a_merge_names_the_column_that_it_cannot_find_and_changes_nothing(query: Query) -> None:
    query("create table t (id int, name string)")
    with pytest.raises(
        ProgrammingError, match=r"\[DELTA_MERGE_UNRESOLVED_EXPRESSION\] Cannot resolve s.nothing"
    ) as raised:
        query(
            "merge into t using (select 1 as id, 'a' as name) as s on t.id = s.nothing "
            "when not matched then insert (id, name) values (s.id, s.name)"
        )
    assert raised.value.error_class == "DELTA_MERGE_UNRESOLVED_EXPRESSION"
    assert raised.value.sqlstate == "42601"
    assert query("select * from t") == []


def test_an_error_of_spark_keeps_its_words_afterwards(query: Query) -> None:
    query("create table t (id int)")
    with pytest.raises(ProgrammingError, match="DELTA_MERGE_UNRESOLVED_EXPRESSION"):
        query("merge into t using (select 1 as id) as s on t.id = s.nothing when matched then delete")
    with pytest.raises(ProgrammingError, match=r"\[UNRESOLVED_COLUMN.WITH_SUGGESTION\] .*`nothing`.*`id`"):
        query("select nothing from t")
