"""How the tests are dealt out to the processes of a run, and what makes all dbt commands in them quicker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dbt_common.behavior_flags import BehaviorFlagRendered
from xdist.scheduler import LoadScopeScheduling

# The fixture `built`, a whole build of the project, is made in each process that has tests of these.
USE_BUILT = ("tests/python/fidelity/", "tests/python/pipeline/test_truth.py")


class _ByFixtures(LoadScopeScheduling):
    """Keeps together what shares fixtures: the tests of a file, and all that look at the project built once."""

    def _split_scope(self, nodeid: str) -> str:
        return USE_BUILT[0] if nodeid.startswith(USE_BUILT) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal by fixtures; marks of xdist's own `loadgroup` are lost on the test names of pytest 9.2."""
    return _ByFixtures(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_behavior_flags() -> Iterator[None]:
    """dbt reads the source of the whole call stack for each of the adapter's flags, seconds a command below pytest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt.adapters.databricks.impl"))
        yield
