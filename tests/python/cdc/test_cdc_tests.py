"""What a `cdc_test` that is wrong reports; those of the models are collected from their YAML."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_local.testing import CdcKit
from databricks_local.testing.cdc_tests import Mismatch, read_tests, run_test

EVENT = {"customer_id": 1, "number_of_online_txns": 5, "operation": "c", "sequence_ts": "2026-01-01 09:00", "lsn": 1}


def run(kit: CdcKit, given: Any, expect: Any) -> None:
    for test in read_tests("purchase_trends", [{"name": "wrong", "given": given, "expect": expect}]):
        run_test(test, kit)


def test_the_missing_and_the_unexpected_rows_are_shown_with_their_batch(cdc_kit: CdcKit) -> None:
    other = EVENT | {"customer_id": 2, "lsn": 2}
    right = {"customer_id": 2, "number_of_online_txns": 5}
    with pytest.raises(Mismatch) as shown:
        run(cdc_kit, [[EVENT], [other]], [None, [right, {"customer_id": 1, "number_of_online_txns": 6}]])
    assert str(shown.value).splitlines() == [
        "purchase_trends::wrong, batch 2, expect: the table shows other rows, compared by customer_id, "
        "number_of_online_txns",
        "  missing:    customer_id=1, number_of_online_txns=6",
        "  unexpected: customer_id=1, number_of_online_txns=5",
        "  as expected: 1 of 2 rows",
    ]


@pytest.mark.parametrize(
    ("given", "expect", "says"),
    [
        ([[EVENT | {"custmer": 1}]], [[{"customer_id": 1}]], "batch 1, given: there is no column custmer; there are"),
        ([[EVENT]], [[{"tier": 1}]], "batch 1, expect: the table has no column tier; it has customer_id"),
    ],
)
def test_an_unknown_column_is_named(cdc_kit: CdcKit, given: Any, expect: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        run(cdc_kit, given, expect)
