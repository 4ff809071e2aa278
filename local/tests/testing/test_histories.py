"""Enumerating, writing, reading and shrinking histories: no table needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from databricks_local.testing import exhaustive, random_histories
from databricks_local.testing.crashes import STEPS, crashing_after
from databricks_local.testing.fixtures import BUILT_IN, as_yaml, read_fixtures
from databricks_local.testing.histories import Event, Happenings, History, Schedule, parse_batches
from databricks_local.testing.minimal import minimal
from databricks_local.testing.play import Failure, Played

ALPHABET = ("aaa", "-bb", None)


@pytest.mark.parametrize(("count", "number"), [(1, 1), (2, 4), (3, 24), (4, 192)])
def test_every_order_and_every_batching_is_there_once(count: int, number: int) -> None:
    arrivals = list(exhaustive.arrivals(count))
    assert len(set(arrivals)) == len(arrivals) == number
    assert all(sorted(i for batch in arrival for i in batch) == list(range(count)) for arrival in arrivals)


def test_every_history_of_an_alphabet_is_there() -> None:
    histories = list(exhaustive.histories(3, ALPHABET))
    assert len({history.events for history in histories}) == 3**3
    assert len(set(histories)) == 3**3 * 24


def test_ties_are_of_different_events() -> None:
    tied = list(exhaustive.tied_histories(ALPHABET))
    assert all(history.is_tied for history in tied)
    assert {len(history.events) for history in tied} == {2, 3}


def test_histories_stand_before_at_and_behind_a_truncate_and_arrive_before_with_and_behind_it() -> None:
    histories = list(exhaustive.around_a_truncate([2], ["aaa"], truncate=10, batch=2))
    places = {tuple(event.at for event in history.events) for history in histories}
    assert places == {(11, 12), (9, 11), (8, 9), (10, 11), (9, 10)}
    firsts = {tuple(history.first_batches()) for history in histories}
    assert firsts == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3)}


def test_a_spread_history_keeps_its_order_and_ends_with_a_replay() -> None:
    cases = list(exhaustive.histories(2, ALPHABET))
    spread = exhaustive.varied(cases, batches=4, last=4)
    assert {len(history.batches) for history in spread} == {5}
    for case, history in zip(cases, spread, strict=True):
        # Without what is repeated, the order and the batches are those of the enumeration.
        once = [tuple(dict.fromkeys(batch)) for batch in history.batches[:-1] if batch]
        assert once == list(case.batches)
        assert set(history.batches[-1]) <= {0, 1}
        assert history.batches[-1]
    assert any(len(batch) > len(set(batch)) for history in spread for batch in history.batches)


def test_random_histories_are_the_same_for_a_round_and_others_for_another() -> None:
    first, again, other = (
        random_histories.histories(20, symbols="ab-", batches=3, round_number=number) for number in (1, 1, 2)
    )
    assert first == again != other
    assert max(len(history.events) for history in first) > 4
    for history in first:
        assert {i for batch in history.batches for i in batch} == set(range(len(history.events)))


def test_a_history_is_read_as_it_is_written() -> None:
    schedule = (Happenings(truncates=(4,)), Happenings(crashes=("events",), compact=True), Happenings(add_column=True))
    history = History((Event(3, "a-b"), Event(5, None)), ((0,), (1, 0), ()), "x")
    lines = history.lines(schedule)
    assert lines == [["upsert 3 a-b", "truncate 4"], ["delete 5", "upsert 3 a-b", "crash after events", "compact"],
                     ["add column"]]  # fmt: skip
    assert parse_batches(lines, "x") == (history, schedule)


@pytest.mark.parametrize("line", ["upsert 3 ab", "upsert x aaa", "upsert 3 axa", "remove 3", "delete", "crash events"])
def test_a_line_that_means_nothing_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=f"^here: '{line}' is no line of a history; expected"):
        parse_batches([[line]], "here")


def test_the_named_histories_say_which_rule_they_are_about() -> None:
    fixtures = read_fixtures(BUILT_IN)
    assert len(fixtures) >= 35
    assert all(fixture.rule and fixture.why for fixture in fixtures)
    rules = {int(rule) for fixture in fixtures for rule in fixture.rule.split(",")}
    assert rules >= {2, 3, 4, 9, 10, 11, 13, 14, 15, 18, 19, 20, 21, 22, 23}


def test_a_file_of_histories_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("- {name: a, batches: []}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.yml: .* is no history; expected a mapping with `name`, `why`"):
        read_fixtures(tmp_path)
    file.write_text("- {name: a, why: b, batches: [delete 5]}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a list of lists of lines"):
        read_fixtures(tmp_path)
    file.write_text("- &a {name: a, why: b, batches: [[delete 5]]}\n- *a\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the history a is there twice"):
        read_fixtures(tmp_path)


def test_an_unknown_step_is_named() -> None:
    expected = "'merge' is no durable step of a batch; expected one of offsets, state"
    with pytest.raises(ValueError, match=expected), crashing_after("merge"):
        pass
    assert STEPS == ("offsets", "state", "events", "target", "compaction")


def played_by(fails: object) -> object:
    """A stand-in for playing on a table: each history fails that a function says."""

    def play(histories: Sequence[History], schedule: Schedule) -> Played:
        failing = [h for h in histories if fails(h, schedule)]  # type: ignore[operator]
        return Played(failures=[failure(history, schedule) for history in failing])

    return play


def failure(history: History, schedule: Schedule) -> Failure:
    return Failure(history, schedule, 0, "the refresh", (), (), ())


def test_a_failure_is_shrunk_to_what_it_takes() -> None:
    """Here: a delete that arrives in a batch before an upsert of a lower place."""

    def fails(history: History, _: Schedule) -> bool:
        first = history.first_batches()
        return any(
            d.values is None and u.values is not None and u.at < d.at and first[j] > first[i]
            for i, d in enumerate(history.events)
            for j, u in enumerate(history.events)
        )

    events = (Event(2, "bbc"), Event(4, None), Event(5, "a-a"), Event(7, None), Event(9, "cab"))
    large = History(events, ((2, 2), (3, 1), (4,), (0, 2), (1,)), "random")
    schedule = (Happenings(crashes=("state",)), Happenings(compact=True))
    smallest = minimal([failure(large, schedule)], played_by(fails))  # type: ignore[arg-type]
    assert [[str(smallest.history.events[i]) for i in batch] for batch in smallest.history.batches if batch] == [
        ["delete 2"],
        ["upsert 1 aaa"],
    ]
    assert not any(happened.lines() for happened in smallest.schedule)


def test_what_befell_the_table_stays_in_a_failure_that_needs_it() -> None:
    def fails(history: History, schedule: Schedule) -> bool:
        return any(happened.crashes for happened in schedule) and len(history.events) > 1

    schedule = (Happenings(crashes=("events",)),)
    large = History((Event(1, "abc"), Event(2, "abc"), Event(3, None)), ((0, 1, 2),), "random")
    smallest = minimal([failure(large, schedule)], played_by(fails))  # type: ignore[arg-type]
    assert smallest.schedule == schedule
    assert len(smallest.history.events) == 2


def test_a_shrunk_failure_is_text_that_can_be_read_again(tmp_path: Path) -> None:
    history = History((Event(1, "a-b"), Event(2, None)), ((1,), (0,)), "kept")
    schedule = (Happenings(crashes=("events",)), Happenings())
    (tmp_path / "kept.yml").write_text(as_yaml("kept", 'It said "no".', history, schedule), encoding="utf-8")
    (fixture,) = read_fixtures(tmp_path)
    assert (fixture.name, fixture.why, fixture.schedule) == ("kept", 'It said "no".', schedule)
    assert fixture.history.lines() == replace(history, origin="kept").lines()
    assert yaml.safe_load((tmp_path / "kept.yml").read_text(encoding="utf-8"))[0]["batches"] == [
        ["delete 2", "crash after events"],
        ["upsert 1 a-b"],
    ]
