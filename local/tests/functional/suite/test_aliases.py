"""dbt.tests.adapter.aliases on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.aliases import fixtures
from dbt.tests.adapter.aliases.test_aliases import (
    BaseAliasErrors,
    BaseAliases,
    BaseSameAliasDifferentDatabases,
    BaseSameAliasDifferentSchemas,
)


class Literals:
    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, str]:
        # The base class casts by `::text`, a type that Databricks does not have.
        cast = fixtures.MACROS__CAST_SQL.replace("::text", "")
        return {"cast.sql": cast, "expect_value.sql": fixtures.MACROS__EXPECT_VALUE_SQL}


@pytest.mark.long
class TestAliasErrors(Literals, BaseAliasErrors):
    pass


class TestAliases(Literals, BaseAliases):
    pass


@pytest.mark.long
class TestSameAliasDifferentDatabases(Literals, BaseSameAliasDifferentDatabases):
    pass


@pytest.mark.long
class TestSameAliasDifferentSchemas(Literals, BaseSameAliasDifferentSchemas):
    pass
