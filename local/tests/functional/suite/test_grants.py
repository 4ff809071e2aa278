"""dbt.tests.adapter.grants on the local executor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dbt.tests.adapter.grants.base_grants import TEST_USER_ENV_VARS
from dbt.tests.adapter.grants.test_incremental_grants import BaseIncrementalGrants
from dbt.tests.adapter.grants.test_invalid_grants import (
    BaseInvalidGrants,
    invalid_privilege_table_model_schema_yml,
)
from dbt.tests.adapter.grants.test_model_grants import BaseModelGrants
from dbt.tests.adapter.grants.test_seed_grants import BaseSeedGrants
from dbt.tests.adapter.grants.test_snapshot_grants import BaseSnapshotGrants
from dbt.tests.util import run_dbt_and_capture, write_file


@pytest.fixture(scope="module", autouse=True)
def users() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for number, name in enumerate(TEST_USER_ENV_VARS):
            patch.setenv(name, f"user{number}@example.org")
        yield


class Privileges:
    def privilege_grantee_name_overrides(self) -> dict[str, str]:
        return {
            "select": "select",
            "insert": "modify",
            "fake_privilege": "fake_privilege",
            "invalid_user": "invalid_user",
        }


@pytest.mark.long
class TestModelGrants(Privileges, BaseModelGrants):
    pass


@pytest.mark.long
class TestIncrementalGrants(Privileges, BaseIncrementalGrants):
    pass


@pytest.mark.long
class TestSeedGrants(Privileges, BaseSeedGrants):
    pass


@pytest.mark.long
class TestSnapshotGrants(Privileges, BaseSnapshotGrants):
    pass


@pytest.mark.long
class TestInvalidGrants(Privileges, BaseInvalidGrants):
    def test_invalid_grants(self, project: Any, get_test_users: list[str], logs_dir: str) -> None:
        """The second half of the base class's test: no directory of users says here who does not exist."""
        properties = self.interpolate_name_overrides(invalid_privilege_table_model_schema_yml)
        write_file(properties, project.project_root, "models", "schema.yml")
        _, log = run_dbt_and_capture(["--debug", "run"], expect_pass=False)
        assert "[INVALID_PRIVILEGE] FAKE PRIVILEGE is no privilege" in log
