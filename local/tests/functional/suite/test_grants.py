"""dbt.tests.adapter.grants on the local executor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dbt.tests.adapter.grants.base_grants import TEST_USER_ENV_VARS
from dbt.tests.adapter.grants.test_incremental_grants import BaseIncrementalGrants
from dbt.tests.adapter.grants.test_invalid_grants import BaseInvalidGrants
from dbt.tests.adapter.grants.test_model_grants import BaseModelGrants
from dbt.tests.adapter.grants.test_seed_grants import BaseSeedGrants
from dbt.tests.adapter.grants.test_snapshot_grants import BaseSnapshotGrants


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
    def seeds_support_partial_refresh(self) -> bool:
        # A seed is a table made anew, and its grants with it.
        return False


@pytest.mark.long
class TestSnapshotGrants(Privileges, BaseSnapshotGrants):
    pass


@pytest.mark.long
class TestInvalidGrants(Privileges, BaseInvalidGrants):
    def grantee_does_not_exist_error(self) -> str:
        return "PRINCIPAL_DOES_NOT_EXIST"

    def privilege_does_not_exist_error(self) -> str:
        return "INVALID_PRIVILEGE"
