"""dbt.tests.adapter.simple_snapshot on the local executor."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from dbt.tests.adapter.simple_snapshot import fixtures
from dbt.tests.adapter.simple_snapshot.new_record_check_mode import BaseSnapshotNewRecordCheckMode
from dbt.tests.adapter.simple_snapshot.new_record_dbt_valid_to_current import (
    BaseSnapshotNewRecordDbtValidToCurrent,
)
from dbt.tests.adapter.simple_snapshot.new_record_timestamp_mode import (
    BaseSnapshotNewRecordTimestampMode,
)
from dbt.tests.adapter.simple_snapshot.test_ephemeral_snapshot_hard_deletes import (
    BaseSnapshotEphemeralHardDeletes,
)
from dbt.tests.adapter.simple_snapshot.test_snapshot import BaseSimpleSnapshot, BaseSnapshotCheck
from dbt.tests.adapter.simple_snapshot.test_various_configs import (
    BaseSnapshotColumnNames,
    BaseSnapshotColumnNamesFromDbtProject,
    BaseSnapshotDbtValidToCurrent,
    BaseSnapshotInvalidColumnNames,
    BaseSnapshotMultiUniqueKey,
)
from dbt.tests.util import check_relations_equal, run_dbt


def databricks(statement: str) -> str:
    """A statement of a base class in the types of Databricks."""
    for postgres, here in ((" WITHOUT TIME ZONE", ""), ("TEXT", "STRING"), ("text", "string")):
        statement = statement.replace(postgres, here)
    # dbt marks a deleted row by the words True and False, dbt-databricks by a BOOLEAN.
    return statement.replace("dbt_is_deleted from", "initcap(string(dbt_is_deleted)) as dbt_is_deleted from")


class Flavour:
    """The statements that the base classes hold were written for Postgres."""

    @pytest.fixture(scope="class")
    def project(self, project: Any) -> Any:
        """dbt's own; it runs statements in the types of Databricks, and each in a call of its own."""
        run = project.run_sql

        def run_sql(sql: str, fetch: str | None = None) -> Any:
            found = None
            for statement in filter(str.strip, databricks(sql).split(";")):
                found = run(statement, fetch=fetch)
            return found

        project.run_sql = run_sql
        return project


@pytest.mark.long
class TestSnapshotNewRecordCheckMode(Flavour, BaseSnapshotNewRecordCheckMode):
    pass


@pytest.mark.long
class TestSnapshotNewRecordDbtValidToCurrent(Flavour, BaseSnapshotNewRecordDbtValidToCurrent):
    pass


@pytest.mark.long
class TestSnapshotNewRecordTimestampMode(Flavour, BaseSnapshotNewRecordTimestampMode):
    pass


@pytest.mark.long
class TestSnapshotEphemeralHardDeletes(BaseSnapshotEphemeralHardDeletes):
    @pytest.fixture(scope="class")
    def source_alter_sql(self) -> str:
        # Databricks gives a new column of a Delta table no default in the same statement.
        return "alter table {schema}.src_customers add column dummy_column varchar(50)"


@pytest.mark.long
class TestSimpleSnapshot(BaseSimpleSnapshot):
    def add_fact_column(self, column: str, definition: str) -> None:
        # Databricks gives a new column of a Delta table no default in the same statement; without one it is NULL too.
        super().add_fact_column(column, definition.removesuffix(" default null"))


@pytest.mark.long
class TestSnapshotCheck(BaseSnapshotCheck):
    pass


@pytest.mark.long
class TestSnapshotColumnNames(Flavour, BaseSnapshotColumnNames):
    pass


@pytest.mark.long
class TestSnapshotColumnNamesFromDbtProject(Flavour, BaseSnapshotColumnNamesFromDbtProject):
    pass


@pytest.mark.long
class TestSnapshotDbtValidToCurrent(Flavour, BaseSnapshotDbtValidToCurrent):
    def test_valid_to_current(self, project: Any) -> None:
        """The base class's test, which finds rows by their place, in a table without order; TIMESTAMP has a zone."""

        def valid_to(key: int) -> set[datetime.datetime]:
            rows = project.run_sql(f"select test_valid_to from snapshot_actual where id = {key}", fetch="all")
            return {row[0] for row in rows}

        current = datetime.datetime(2099, 12, 31, tzinfo=datetime.UTC)
        project.run_sql(fixtures.create_seed_sql)
        project.run_sql(fixtures.create_snapshot_expected_sql)
        project.run_sql(fixtures.seed_insert_sql)
        project.run_sql(fixtures.populate_snapshot_expected_valid_to_current_sql)
        run_dbt(["snapshot"])
        assert valid_to(1) == valid_to(10) == {current}

        project.run_sql(fixtures.invalidate_sql)
        project.run_sql(fixtures.update_with_current_sql)
        run_dbt(["snapshot"])
        assert valid_to(1) == {current}
        assert valid_to(10) == {datetime.datetime(2016, 8, 20, 16, 44, 49, tzinfo=datetime.UTC), current}
        check_relations_equal(project.adapter, ["snapshot_actual", "snapshot_expected"])


@pytest.mark.long
class TestSnapshotInvalidColumnNames(Flavour, BaseSnapshotInvalidColumnNames):
    pass


@pytest.mark.long
class TestSnapshotMultiUniqueKey(Flavour, BaseSnapshotMultiUniqueKey):
    pass
