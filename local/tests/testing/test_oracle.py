"""The oracle itself, on histories whose rows were worked out by hand from the rules."""

from __future__ import annotations

from typing import Any

import pytest

from databricks_local.testing.oracle import Change, Rules, truths


def rules(stored_as: str, tracked: str = "v", ignored: str = "") -> Rules:
    return Rules(stored_as, frozenset(tracked.split()), frozenset(ignored.split()))


CURRENT = rules("SCD TYPE 1")
HISTORY = rules("SCD TYPE 2")
DELETE = None


def changes(*events: tuple[int, Any]) -> list[Change]:
    return [Change(at, values) for at, values in events]


def the_truth(events: list[Change], flow: Rules, truncated_at: int | None = None) -> list[dict[str, Any]]:
    (rows,) = truths(events, flow, truncated_at)
    return rows


def record(start: int, end: int | None, **values: Any) -> dict[str, Any]:
    return {**values, "__START_AT": start, "__END_AT": end}


@pytest.mark.parametrize(
    ("events", "truncated_at", "row"),
    [
        pytest.param([(3, {"v": "new"}), (1, {"v": "old"})], None, [{"v": "new"}], id="the newest counts (rule 9)"),
        pytest.param([(1, {"v": "a"}), (2, {"v": None})], None, [{"v": None}], id="NULL overwrites (9)"),
        pytest.param([(5, DELETE), (3, {"v": "a"})], None, [], id="a delete counts first of all (10)"),
        pytest.param([(5, DELETE), (6, {"v": "a"})], None, [{"v": "a"}], id="a newer upsert revives (10)"),
        pytest.param([(4, {"v": "a"})], 5, [], id="older than a truncate (11)"),
        pytest.param([(5, {"v": "a"})], 5, [], id="as old as a truncate (11)"),
        pytest.param([(6, {"v": "a"})], 5, [{"v": "a"}], id="newer than a truncate (11)"),
        pytest.param([], 5, [], id="nothing"),
    ],
)
def test_current_rows(events: list[tuple[int, Any]], truncated_at: int | None, row: list[dict[str, Any]]) -> None:
    assert the_truth(changes(*events), CURRENT, truncated_at) == row


@pytest.mark.parametrize(
    ("events", "rows"),
    [
        pytest.param(
            [(1, "a"), (2, "b")], [record(1, 2, v="a"), record(2, None, v="b")], id="the next one closes (rule 12)"
        ),
        pytest.param([(1, "a"), (2, "a")], [record(1, None, v="a")], id="a run is one record (13)"),
        pytest.param([(1, None), (2, None)], [record(1, None, v=None)], id="NULL equals NULL (13)"),
        pytest.param(
            [(1, "a"), (2, "deleted"), (3, "a")], [record(1, 2, v="a"), record(3, None, v="a")], id="a gap stays (14)"
        ),
        pytest.param(
            [(1, "a"), (5, "a"), (3, "b")],
            [record(1, 3, v="a"), record(3, 5, v="b"), record(5, None, v="a")],
            id="a late one splits (15)",
        ),
        pytest.param([(5, "deleted"), (3, "a")], [record(3, 5, v="a")], id="an early delete closes (15)"),
        pytest.param([(1, "deleted"), (2, "deleted")], [], id="deletes alone"),
    ],
)
def test_histories(events: list[tuple[int, Any]], rows: list[dict[str, Any]]) -> None:
    given = changes(*((at, DELETE if value == "deleted" else {"v": value}) for at, value in events))
    assert the_truth(given, HISTORY) == rows


def test_a_record_shows_what_is_not_tracked_as_it_was_last() -> None:
    """Rules 13, 15, 16."""
    events = changes((1, {"v": "a", "w": 1}), (3, {"v": "a", "w": 3}))
    assert the_truth(events, HISTORY) == [record(1, None, v="a", w=3)]
    split = [*events, *changes((2, {"v": "b", "w": 2}))]
    assert the_truth(split, HISTORY) == [
        record(1, 2, v="a", w=1),
        record(2, 3, v="b", w=2),
        record(3, None, v="a", w=3),
    ]


def test_nothing_tracked_makes_one_run_between_deletes() -> None:
    """Rule 16."""
    events = changes((1, {"v": "a"}), (2, {"v": "b"}), (3, DELETE), (4, {"v": "c"}))
    assert the_truth(events, rules("SCD TYPE 2", tracked="")) == [record(1, 3, v="b"), record(4, None, v="c")]


def test_null_is_inherited_up_to_a_delete_where_it_is_ignored() -> None:
    """Rules 18 to 22."""
    flow = rules("SCD TYPE 2", tracked="v w", ignored="v")
    events = changes((1, {"v": "a", "w": 1}), (2, {"v": None, "w": 2}), (3, DELETE), (4, {"v": None, "w": 4}))
    assert the_truth(events, flow) == [record(1, 2, v="a", w=1), record(2, 3, v="a", w=2), record(4, None, v=None, w=4)]
    late = [*changes((0, {"v": "z", "w": 0})), *changes((1, {"v": None, "w": 1}))]
    assert the_truth(late, rules("SCD TYPE 1", ignored="v")) == [{"v": "z", "w": 1}]
    nothing_authored = changes((1, {"v": "a", "w": 1}), (2, {"v": None, "w": 1}))
    assert the_truth(nothing_authored, flow) == [record(1, None, v="a", w=1)]


def test_a_truncate_ends_inheritance() -> None:
    """Rule 20."""
    events = changes((1, {"v": "a"}), (3, {"v": None}))
    assert the_truth(events, rules("SCD TYPE 1", ignored="v"), truncated_at=2) == [{"v": None}]


def test_structs_are_inherited_leaf_by_leaf() -> None:
    """Rules 19, 23."""
    flow = rules("SCD TYPE 1", ignored="s")
    halves = changes((1, {"s": {"x": 1, "y": None}}), (2, {"s": {"x": None, "y": "b"}}), (3, {"s": None}))
    assert the_truth(halves, flow) == [{"s": {"x": 1, "y": "b"}}]
    assert the_truth(changes((1, {"s": {"x": None, "y": None}})), flow) == [{"s": None}]


def test_of_tied_events_any_may_count_and_duplicates_are_no_tie() -> None:
    """Rules 3, 4."""
    tied = changes((1, {"v": "a"}), (1, {"v": "b"}), (1, {"v": "a"}))
    assert truths(tied, CURRENT) == [[{"v": "a"}], [{"v": "b"}]]
    assert truths(changes((1, {"v": "a"}), (1, DELETE)), CURRENT) == [[{"v": "a"}], []]
