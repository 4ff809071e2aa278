"""A project for each test, and one that was built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_under_test import Project, new_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project of this test's own."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was built once; tests only read it."""
    project = new_project(tmp_path_factory.mktemp("built"))
    project.simulate("--customers", "60", "--days", "6")
    project.build()
    return project
