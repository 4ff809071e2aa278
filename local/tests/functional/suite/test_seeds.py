"""dbt.tests.adapter.simple_seed on the local executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.simple_seed import fixtures, seeds
from dbt.tests.adapter.simple_seed.test_seed import (
    BaseBasicSeedTests,
    BaseSeedConfigFullRefreshOff,
    BaseSeedConfigFullRefreshOn,
    BaseSeedCustomSchema,
    BaseSeedParsing,
    BaseSeedSpecificFormats,
    BaseSeedWithEmptyDelimiter,
    BaseSeedWithUniqueDelimiter,
    BaseSeedWithWrongDelimiter,
    BaseSimpleSeedEnabledViaConfig,
    BaseSimpleSeedWithBOM,
    BaseTestEmptySeed,
)
from dbt.tests.adapter.simple_seed.test_seed_type_override import BaseSimpleSeedColumnOverride
from dbt.tests.util import copy_file, run_dbt


class Expected:
    """The table that the base classes compare with, in the types and quotes of Databricks."""

    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: Any) -> None:
        create, insert = seeds.seeds__expected_sql.split(";")[:2]
        create = create.replace("INTEGER", "BIGINT").replace("TEXT", "STRING").replace(" WITHOUT TIME ZONE", "")
        project.run_sql(create)
        project.run_sql(insert.replace('"', "`"))


class TestBasicSeed(Expected, BaseBasicSeedTests):
    def test_simple_seed_full_refresh_flag(self, project: Any) -> None:
        """The base class expects the view over the seed to be dropped with it; nothing cascades on Databricks."""
        self._build_relations_for_test(project)
        results = run_dbt(["seed", "--full-refresh"])
        self._check_relation_end_state(run_result=results, project=project, exists=True)


@pytest.mark.long
class TestSeedConfigFullRefreshOn(Expected, BaseSeedConfigFullRefreshOn):
    def test_simple_seed_full_refresh_config(self, project: Any) -> None:
        """The base class expects the view over the seed to be dropped with it; nothing cascades on Databricks."""
        self._build_relations_for_test(project)
        self._check_relation_end_state(run_result=run_dbt(["seed"]), project=project, exists=True)


@pytest.mark.long
class TestSeedConfigFullRefreshOff(Expected, BaseSeedConfigFullRefreshOff):
    pass


@pytest.mark.long
class TestSeedCustomSchema(Expected, BaseSeedCustomSchema):
    pass


@pytest.mark.long
class TestSeedWithUniqueDelimiter(Expected, BaseSeedWithUniqueDelimiter):
    pass


@pytest.mark.long
class TestSeedWithWrongDelimiter(Expected, BaseSeedWithWrongDelimiter):
    pass


@pytest.mark.long
class TestSeedWithEmptyDelimiter(Expected, BaseSeedWithEmptyDelimiter):
    pass


@pytest.mark.long
class TestSimpleSeedEnabledViaConfig(BaseSimpleSeedEnabledViaConfig):
    pass


@pytest.mark.long
class TestSeedParsing(Expected, BaseSeedParsing):
    pass


@pytest.mark.long
class TestSimpleSeedWithBOM(Expected, BaseSimpleSeedWithBOM):
    @pytest.fixture(scope="class", autouse=True)
    def seed_with_bom(self, project: Any) -> None:
        copy_file(Path(seeds.__file__).parent, "seed_bom.csv", Path("seeds", "seed_bom.csv"), "")


@pytest.mark.long
class TestSeedSpecificFormats(BaseSeedSpecificFormats):
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        # Without the base class's seed.with.dots: a name with dots is none in Unity Catalog.
        return {
            "big_seed.csv": "seed_id\n" + "\n".join(map(str, range(20_000))),
            "seed_unicode.csv": seeds.seed__unicode_csv,
        }

    def test_simple_seed(self, project: Any) -> None:
        assert len(run_dbt(["seed"])) == 2
        assert project.run_sql("select count(distinct seed_id) from big_seed", fetch="one")[0] == 20_000
        assert (
            project.run_sql("select seed_id from seed_unicode", fetch="one")[0]
            == seeds.seed__unicode_csv.splitlines()[1]
        )


@pytest.mark.long
class TestEmptySeed(BaseTestEmptySeed):
    pass


@pytest.mark.long
class TestSimpleSeedColumnOverride(BaseSimpleSeedColumnOverride):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        properties = fixtures.properties__schema_yml
        for postgres, databricks in (("text", "string"), ("integer", "bigint"), (" without time zone", "")):
            properties = properties.replace(postgres, databricks)
        return {"schema.yml": properties}

    @staticmethod
    def seed_enabled_types() -> dict[str, str]:
        return {"seed_id": "string", "birthday": "date"}

    @staticmethod
    def seed_tricky_types() -> dict[str, str]:
        return dict.fromkeys(("seed_id_str", "looks_like_a_bool", "looks_like_a_date"), "string")
