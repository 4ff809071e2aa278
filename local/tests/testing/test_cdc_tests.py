"""The form of `cdc_tests`: what is wrong with one is said by model, test and what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_local.testing.cdc_tests import read_tests

ROW = {"id": 1, "tier": "gold"}
GOOD: dict[str, Any] = {"name": "first", "given": [[ROW], []], "expect": [None, [ROW]]}


def test_the_columns_are_those_that_any_expected_row_names() -> None:
    (test,) = read_tests("cards", [GOOD | {"expect": [[{"id": 1}], [ROW]]}])
    assert (test.model, test.name, list(test.columns)) == ("cards", "first", ["id", "tier"])


def test_no_rows_are_expected_by_columns_alone() -> None:
    (test,) = read_tests("cards", [GOOD | {"expect": [None, []], "columns": ["id"]}])
    assert test.columns == ["id"]


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        ({"name": "first"}, "cards: cdc_tests is .*; expected a list of tests"),
        ([{"name": "first", "given": []}], "cards: .* is no cdc_test; expected a mapping with name, given and expect"),
        ([GOOD | {"expected": []}], "cards: .* is no cdc_test"),
        ([GOOD, GOOD], "cards: the cdc_test first is there twice"),
        ([GOOD | {"given": [ROW]}], "cards::first: given is .*; expected a list of batches, each a list of rows"),
        ([GOOD | {"given": []}], "cards::first: given is"),
        ([GOOD | {"expect": [[1], None]}], "cards::first: expect is .*; expected, per batch, a list of rows or null"),
        ([GOOD | {"expect": [[ROW]]}], "cards::first: given has 2 batches and expect 1; expected as many"),
        ([GOOD | {"columns": ["id"]}], "cards::first: expect has the column tier, which is not among its columns"),
        ([GOOD | {"expect": [None, []]}], "cards::first: no column is compared; name some in columns"),
    ],
)
def test_a_test_of_another_form_is_refused(tests: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_tests("cards", tests)
