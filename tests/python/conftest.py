"""A project for each test, one that was built once, and a scratch project for a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from project_under_test import Project, new_project
from scratch_project import ScratchProject


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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchProject]:
    """An empty project with this project's macros, whose warehouse stays open, so that no command pays for opening it.

    The tests of a module use models of their own names in it.
    """
    project = ScratchProject(tmp_path_factory.mktemp("scratch") / "project")
    with project.connect():
        yield project
