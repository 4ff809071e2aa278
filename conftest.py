"""How the tests are dealt out to the processes of a run."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

PROJECT_TESTS = "tests/python/"


class _ByFixtures(LoadScopeScheduling):
    """Keeps together what shares fixtures: the tests of a file, and all that look at the project built once."""

    def _split_scope(self, nodeid: str) -> str:
        return PROJECT_TESTS if nodeid.startswith(PROJECT_TESTS) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal by fixtures; marks of xdist's own `loadgroup` are lost on the test names of pytest 9.2."""
    return _ByFixtures(config, log)
