"""dbt.tests.adapter.ephemeral on the local executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.ephemeral.test_ephemeral import (
    BaseEphemeralErrorHandling,
    BaseEphemeralMulti,
    BaseEphemeralNested,
)
from dbt.tests.util import check_relations_equal, run_dbt


class TestEphemeralMulti(BaseEphemeralMulti):
    def test_ephemeral_multi(self, project: Any) -> None:
        """The base class compares the text of a Postgres view besides; here its common tables are counted."""
        run_dbt(["seed"])
        assert len(run_dbt(["run"])) == 3
        for name in ("dependent", "double_dependent", "super_dependent"):
            check_relations_equal(project.adapter, ["seed", name])
        statement = Path("target", "run", "test", "models", "double_dependent.sql").read_text()
        assert statement.count("__dbt__cte__base as (") == 1
        assert statement.count("__dbt__cte__base_copy as (") == 1


@pytest.mark.long
class TestEphemeralNested(BaseEphemeralNested):
    def test_ephemeral_nested(self, project: Any) -> None:
        """The base class compares the text of a Postgres view."""
        assert len(run_dbt(["run"])) == 2
        check_relations_equal(project.adapter, ["source_table", "root_view"])
        statement = Path("target", "run", "test", "models", "root_view.sql").read_text()
        assert statement.index("__dbt__cte__ephemeral_level_two as (") < statement.index("__dbt__cte__ephemeral as (")


@pytest.mark.long
class TestEphemeralErrorHandling(BaseEphemeralErrorHandling):
    pass
