"""Each AUTO CDC table of the project depends on the set of its events, and on nothing else."""

from __future__ import annotations

import pytest

from databricks_local.testing import CdcKit, converges

TABLES = ("customers_scd2", "purchase_trends", "checking_accounts")


def test_no_table_is_left_out(cdc_kit: CdcKit) -> None:
    assert cdc_kit.dbt_models().names == sorted(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_converges(cdc_kit: CdcKit, table: str) -> None:
    """One crash in each table of faults, before the merge; local/tests has one after each durable step."""
    report = converges(cdc_kit.dbt_model(table), cdc_kit, random=60, crashes=["events"])
    print(report)
    assert report.by_origin["exhaustive"] > 1_000
    assert report.crashes == 2


@pytest.mark.long
@pytest.mark.parametrize("table", TABLES)
def test_a_table_converges_on_all_histories_of_four_events_and_many_random_ones(cdc_kit: CdcKit, table: str) -> None:
    report = converges(cdc_kit.dbt_model(table), cdc_kit, events=4, random=500, rounds=3)
    print(report)
    assert report.by_origin["exhaustive"] > 15_000
    assert report.by_origin["random"] > 1_000
