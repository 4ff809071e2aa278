"""dbt.tests.adapter.utils on the local executor."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.utils.fixture_get_intervals_between import (
    models__test_get_intervals_between_sql as intervals_sql,
)
from dbt.tests.adapter.utils.fixture_get_intervals_between import (
    models__test_get_intervals_between_yml as intervals_yml,
)
from dbt.tests.adapter.utils.test_any_value import BaseAnyValue
from dbt.tests.adapter.utils.test_array_append import BaseArrayAppend
from dbt.tests.adapter.utils.test_array_concat import BaseArrayConcat
from dbt.tests.adapter.utils.test_array_construct import BaseArrayConstruct
from dbt.tests.adapter.utils.test_bool_or import BaseBoolOr
from dbt.tests.adapter.utils.test_cast import BaseCast
from dbt.tests.adapter.utils.test_cast_bool_to_text import BaseCastBoolToText
from dbt.tests.adapter.utils.test_concat import BaseConcat
from dbt.tests.adapter.utils.test_current_timestamp import BaseCurrentTimestampAware
from dbt.tests.adapter.utils.test_date import BaseDate
from dbt.tests.adapter.utils.test_date_spine import BaseDateSpine
from dbt.tests.adapter.utils.test_date_trunc import BaseDateTrunc
from dbt.tests.adapter.utils.test_dateadd import BaseDateAdd
from dbt.tests.adapter.utils.test_datediff import BaseDateDiff
from dbt.tests.adapter.utils.test_equals import BaseEquals
from dbt.tests.adapter.utils.test_escape_single_quotes import (
    BaseEscapeSingleQuotesBackslash,
    BaseEscapeSingleQuotesQuote,
)
from dbt.tests.adapter.utils.test_except import BaseExcept
from dbt.tests.adapter.utils.test_generate_series import BaseGenerateSeries
from dbt.tests.adapter.utils.test_get_intervals_between import BaseGetIntervalsBetween
from dbt.tests.adapter.utils.test_get_powers_of_two import BaseGetPowersOfTwo
from dbt.tests.adapter.utils.test_hash import BaseHash
from dbt.tests.adapter.utils.test_intersect import BaseIntersect
from dbt.tests.adapter.utils.test_last_day import BaseLastDay
from dbt.tests.adapter.utils.test_length import BaseLength
from dbt.tests.adapter.utils.test_null_compare import BaseMixedNullCompare, BaseNullCompare
from dbt.tests.adapter.utils.test_position import BasePosition
from dbt.tests.adapter.utils.test_replace import BaseReplace
from dbt.tests.adapter.utils.test_right import BaseRight
from dbt.tests.adapter.utils.test_safe_cast import BaseSafeCast
from dbt.tests.adapter.utils.test_source_freshness_custom_info import BaseCalculateFreshnessMethod
from dbt.tests.adapter.utils.test_split_part import BaseSplitPart
from dbt.tests.adapter.utils.test_string_literal import BaseStringLiteral
from dbt.tests.adapter.utils.test_timestamps import BaseCurrentTimestamps
from dbt.tests.adapter.utils.test_validate_sql import BaseValidateSqlMethod


@pytest.mark.long
class TestAnyValue(BaseAnyValue):
    pass


@pytest.mark.long
class TestArrayAppend(BaseArrayAppend):
    pass


@pytest.mark.long
class TestArrayConcat(BaseArrayConcat):
    pass


@pytest.mark.long
class TestArrayConstruct(BaseArrayConstruct):
    pass


@pytest.mark.long
class TestBoolOr(BaseBoolOr):
    pass


@pytest.mark.long
class TestCast(BaseCast):
    pass


@pytest.mark.long
class TestCastBoolToText(BaseCastBoolToText):
    pass


@pytest.mark.long
class TestConcat(BaseConcat):
    pass


@pytest.mark.long
class TestCurrentTimestampAware(BaseCurrentTimestampAware):
    pass


@pytest.mark.long
class TestDate(BaseDate):
    pass


@pytest.mark.long
class TestDateSpine(BaseDateSpine):
    pass


@pytest.mark.long
class TestDateTrunc(BaseDateTrunc):
    pass


@pytest.mark.long
class TestDateAdd(BaseDateAdd):
    pass


class TestDateDiff(BaseDateDiff):
    pass


@pytest.mark.long
class TestEquals(BaseEquals):
    pass


@pytest.mark.long
class TestEscapeSingleQuotesBackslash(BaseEscapeSingleQuotesBackslash):
    pass


@pytest.mark.long
class TestEscapeSingleQuotesQuote(BaseEscapeSingleQuotesQuote):
    pass


@pytest.mark.long
class TestExcept(BaseExcept):
    pass


@pytest.mark.long
class TestGenerateSeries(BaseGenerateSeries):
    pass


@pytest.mark.long
class TestGetIntervalsBetween(BaseGetIntervalsBetween):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        # Databricks reads no date written as 09/01/2023: CAST_INVALID_INPUT, where ANSI mode is on.
        model = intervals_sql.replace("09/01/2023", "2023-09-01").replace("09/12/2023", "2023-09-12")
        return {
            "test_get_intervals_between.yml": intervals_yml,
            "test_get_intervals_between.sql": self.interpolate_macro_namespace(model, "get_intervals_between"),
        }


@pytest.mark.long
class TestGetPowersOfTwo(BaseGetPowersOfTwo):
    pass


@pytest.mark.long
class TestHash(BaseHash):
    pass


@pytest.mark.long
class TestIntersect(BaseIntersect):
    pass


@pytest.mark.long
class TestLastDay(BaseLastDay):
    pass


@pytest.mark.long
class TestLength(BaseLength):
    pass


@pytest.mark.long
class TestMixedNullCompare(BaseMixedNullCompare):
    pass


@pytest.mark.long
class TestNullCompare(BaseNullCompare):
    pass


@pytest.mark.long
class TestPosition(BasePosition):
    pass


@pytest.mark.long
class TestReplace(BaseReplace):
    pass


@pytest.mark.long
class TestRight(BaseRight):
    pass


@pytest.mark.long
class TestSafeCast(BaseSafeCast):
    pass


@pytest.mark.long
class TestCalculateFreshnessMethod(BaseCalculateFreshnessMethod):
    pass


@pytest.mark.long
class TestSplitPart(BaseSplitPart):
    pass


@pytest.mark.long
class TestStringLiteral(BaseStringLiteral):
    pass


@pytest.mark.long
class TestCurrentTimestamps(BaseCurrentTimestamps):
    @pytest.fixture(scope="class")
    def expected_schema(self) -> dict[str, str]:
        names = ("current_timestamp", "current_timestamp_in_utc_backcompat", "current_timestamp_backcompat")
        return dict.fromkeys(names, "timestamp")

    @pytest.fixture(scope="class")
    def expected_sql(self) -> None:
        # The base class compares the text of the macros, which are dbt-databricks's.
        return None


@pytest.mark.long
class TestValidateSqlMethod(BaseValidateSqlMethod):
    pass
