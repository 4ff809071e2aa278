"""Snapshots: both strategies and what becomes of rows that are gone from the source."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.util import run_dbt


def snapshot(name: str, strategy: str, hard_deletes: str) -> str:
    how = "updated_at: changed" if strategy == "timestamp" else "check_cols: [city]"
    return f"""
  - name: {name}
    relation: source('raw', 'people')
    config:
      unique_key: id
      strategy: {strategy}
      {how}
      hard_deletes: {hard_deletes}
"""


NAMES = [
    (f"{strategy}_{deletes}", strategy, deletes)
    for strategy, deletes in (
        ("timestamp", "ignore"), ("timestamp", "invalidate"), ("timestamp", "new_record"), ("check", "new_record"),
    )
]  # fmt: skip
YAML = (
    "version: 2\nsources:\n  - name: raw\n    schema: '{{ target.schema }}'\n    tables: [{name: people}]\nsnapshots:\n"
)


class Snapshots:
    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {"people.yml": YAML + "".join(snapshot(*case) for case in NAMES)}

    def versions(self, project: Any, name: str) -> list[tuple[Any, ...]]:
        deleted = "cast(dbt_is_deleted as string)" if name.endswith("new_record") else "'-'"
        found = project.run_sql(f"select id, city, dbt_valid_to is null as current, {deleted} from {name}", fetch="all")
        return sorted(tuple(row) for row in found)

    def test_changes_and_deletions_become_versions(self, project: Any) -> None:
        project.run_sql("create table people (id int, city string, changed timestamp)")
        project.run_sql(
            "insert into people select id, 'Rome', timestamp'2026-01-01' from values (1), (2), (3) as t(id)"
        )
        run_dbt(["snapshot"])
        project.run_sql("update people set city = 'Oslo', changed = timestamp'2026-02-01' where id = 2")
        project.run_sql("delete from people where id = 3")
        run_dbt(["snapshot"])
        for name, _, deletes in NAMES:
            mark = "false" if deletes == "new_record" else "-"
            expected = [(1, "Rome", True, mark), (2, "Oslo", True, mark), (2, "Rome", False, mark)]
            expected.append((3, "Rome", deletes == "ignore", mark))
            if deletes == "new_record":
                expected.append((3, "Rome", True, "true"))
            assert self.versions(project, name) == sorted(expected), name
        before = {name: self.versions(project, name) for name, _, _ in NAMES}
        run_dbt(["snapshot"])
        assert {name: self.versions(project, name) for name, _, _ in NAMES} == before

    def test_intervals_of_a_key_join_without_gap(self, project: Any) -> None:
        broken = project.run_sql(
            "select count(*) from (select dbt_valid_to, "
            "lead(dbt_valid_from) over (partition by id order by dbt_valid_from) "
            "as following from timestamp_invalidate) where dbt_valid_to <> following",
            fetch="one",
        )
        assert broken[0] == 0


class TestSnapshots(Snapshots):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": True}}


@pytest.mark.long
class TestSnapshotsOfTheFirstMaterialization(Snapshots):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"use_materialization_v2": False}}
