"""Which names of a statement are tables; no Spark needed."""

from __future__ import annotations

import pytest

from databricks_local.sql.references import table_references
from databricks_local.sql.tokens import significant


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select a.b, c from s.t as x where x.id = y", ["s.t"]),
        ("select 1 from a, `b c` x, (select * from d) e, f", ["a", "b c", "d", "f"]),
        ("select * from a join b using (id), c", ["a", "b", "c"]),
        ("select * from (a join b on a.id = b.id)", ["a", "b"]),
        ("with t as (select * from t), u as (select * from t) select * from t, u, w", ["t", "w"]),
        ("with recursive t as (select 1 union all select * from t) select * from t", []),
        ("select * from (with t as (select 1) select * from t) join t", ["t"]),
        ("with t (a, b) as (select * from s) select * from T", ["s"]),
        ("select extract(year from d), trim(both 'x' from v) from t", ["t"]),
        ("select * from t where a is distinct from b", ["t"]),
        ("select * from t where a is not distinct from b", ["t"]),
        ("select 'from x', `from` from t -- from z", ["t"]),
        ("select * from explode(array(1)), range(3), t", ["t"]),
        ("delete from t where id in (select id from s)", ["s"]),
        ("merge into t using s on t.id = s.id when matched then delete", ["s"]),
        ("insert into t table s", ["s"]),
        ("insert into t select * from s", ["s"]),
        ("table t", ["t"]),
        ("create table t (a int)", []),
        ("create table t as table s", ["s"]),
        ("select * from t lateral view explode(x) y as z", ["t"]),
        ("select * from t, lateral (select t.a + s.b from s)", ["t", "s"]),
        ("select a, b from t group by a, b order by c, d", ["t"]),
        ("from t select a, b", ["t"]),
        ("select * from t tablesample (5 rows), s", ["t", "s"]),
        ("select (select max(x) from s), y from t", ["s", "t"]),
        ("select * from t as x (p, q), u", ["t", "u"]),
    ],
)
def test_the_tables_that_a_statement_reads(sql: str, tables: list[str]) -> None:
    assert [str(reference.name) for reference in table_references(significant(sql))] == tables
