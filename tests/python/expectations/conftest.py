"""One scratch project and one open warehouse for a module; its tests use models of their own names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dbt_common.behavior_flags import BehaviorFlagRendered
from scratch_project import ScratchProject


@pytest.fixture(scope="session", autouse=True)
def quick_behavior_flags() -> Iterator[None]:
    """dbt reads the source of the whole call stack for each of the adapter's flags, seconds a command below pytest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt.adapters.databricks.impl"))
        yield


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchProject]:
    """An empty project whose warehouse stays open, so that no dbt command pays for opening it."""
    project = ScratchProject(tmp_path_factory.mktemp("scratch") / "project")
    with project.connect():
        yield project
