"""dbt.tests.adapter.python_model on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.python_model.test_python_model import (
    BasePythonEmptyTests,
    BasePythonIncrementalTests,
    BasePythonMetaGetTests,
    BasePythonModelTests,
    BasePythonSampleTests,
)
from dbt.tests.adapter.python_model.test_spark import (
    PANDAS_MODEL,
    PANDAS_ON_SPARK_MODEL,
    PYSPARK_MODEL,
    BasePySparkTests,
)
from dbt.tests.util import run_dbt


@pytest.mark.long
class TestPythonModel(BasePythonModelTests):
    pass


@pytest.mark.long
class TestPythonIncremental(BasePythonIncrementalTests):
    pass


@pytest.mark.long
class TestPythonMetaGet(BasePythonMetaGetTests):
    pass


@pytest.mark.long
class TestPythonEmpty(BasePythonEmptyTests):
    pass


@pytest.mark.long
class TestPythonSample(BasePythonSampleTests):
    pass


@pytest.mark.long
class TestPySpark(BasePySparkTests):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        # Without the base class's model in Koalas, which Spark took in as pyspark.pandas.
        return {
            "pandas_df.py": PANDAS_MODEL,
            "pyspark_df.py": PYSPARK_MODEL,
            "pandas_on_spark_df.py": PANDAS_ON_SPARK_MODEL,
        }

    def test_different_dataframes(self, project: Any) -> None:
        assert len(run_dbt(["run"])) == 3
        for name in ("pandas_df", "pyspark_df", "pandas_on_spark_df"):
            assert project.run_sql(f"select count(distinct City) from {name}", fetch="one")[0] == 5
