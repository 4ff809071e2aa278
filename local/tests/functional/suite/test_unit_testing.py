"""dbt.tests.adapter.unit_testing on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.unit_testing.test_case_insensitivity import BaseUnitTestCaseInsensivity
from dbt.tests.adapter.unit_testing.test_invalid_input import BaseUnitTestInvalidInput
from dbt.tests.adapter.unit_testing.test_quoted_reserved_word_column_names import (
    BaseUnitTestQuotedReservedWordColumnNames,
    my_model_sql,
)
from dbt.tests.adapter.unit_testing.test_quoted_reserved_word_column_names import (
    test_my_model_csv_fixtures_yml as unit_tests_yml,
)
from dbt.tests.adapter.unit_testing.test_types import BaseUnitTestingTypes


class TestUnitTestCaseInsensivity(BaseUnitTestCaseInsensivity):
    pass


@pytest.mark.long
class TestUnitTestInvalidInput(BaseUnitTestInvalidInput):
    pass


@pytest.mark.long
class TestUnitTestQuotedReservedWordColumnNames(BaseUnitTestQuotedReservedWordColumnNames):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model.sql": my_model_sql,
            "my_upstream_model.sql": "select 1 as `GROUP`",
            "unit_tests.yml": unit_tests_yml,
        }


@pytest.mark.long
class TestUnitTestingTypes(BaseUnitTestingTypes):
    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        # What SQL says, and what the fixture says.
        return [
            ["1", "1"],
            ["'1'", "1"],
            ["true", "true"],
            ["date'2020-01-02'", "2020-01-02"],
            ["timestamp'2013-11-03 00:00:00-0'", "2013-11-03 00:00:00-0"],
            ["timestamp_ntz'2013-11-03 00:00:00'", "2013-11-03 00:00:00"],
            ["cast(1 as decimal(9, 2))", "1"],
            ["array(1, 2)", "'array(1, 2)'"],
            ["map('k', 'v')", '\'map("k", "v")\''],
            ["named_struct('a', 1)", "'named_struct(\"a\", 1)'"],
        ]
