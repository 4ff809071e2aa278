"""How the tests are dealt out to the processes of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT_TESTS = Path(__file__).parent / "tests" / "python"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares fixtures: the tests of a file, and all that look at the project built once."""
    for item in items:
        group = "project" if item.path.is_relative_to(PROJECT_TESTS) else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
