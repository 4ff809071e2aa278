"""AUTO CDC itself in the kit, and the kit by deliberate mistakes in AUTO CDC."""

from __future__ import annotations

import pytest

from databricks_local.testing import CdcKit, DidNotConverge, converges
from databricks_local.testing.crashes import STEPS
from databricks_local.testing.mutants import MODELS, MUTANTS, Mutant, catch, mutated

SHOWN_AT_ONCE = ("deletes are not remembered", "ties go to the later arrival")


def named(mutant: Mutant) -> str:
    return f"{mutant.name}, {mutant.model}"


@pytest.mark.parametrize("name", MODELS)
def test_a_table_depends_on_the_set_of_its_events_alone(cdc_kit: CdcKit, name: str) -> None:
    report = converges(MODELS[name], cdc_kit, random=60)
    print(report)
    assert report.by_origin["exhaustive"] > 1_000
    assert report.by_origin["fixtures"] > 10
    assert report.crashes >= len(STEPS)


@pytest.mark.long
@pytest.mark.parametrize("name", MODELS)
def test_so_it_does_over_all_histories_of_four_events_and_thousands_of_random_ones(cdc_kit: CdcKit, name: str) -> None:
    report = converges(MODELS[name], cdc_kit, events=4, random=1_000, rounds=3)
    print(report)
    assert report.by_origin["exhaustive"] > 15_000
    assert report.by_origin["random"] > 2_000


def test_a_mistake_is_shown_by_its_smallest_history_ready_to_be_kept(cdc_kit: CdcKit) -> None:
    (mutant,) = (m for m in MUTANTS if named(m) == "deletes are not remembered, history")
    with mutated(mutant), pytest.raises(DidNotConverge) as caught:
        converges(MODELS["history"], cdc_kit, random=0, crashes=[])
    shown = str(caught.value)
    assert len(caught.value.smallest.history.events) == 2, shown
    assert "batch 1: delete" in shown
    assert "put this into a file of cdc_histories/" in shown


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_each_mistake_can_still_be_made(mutant: Mutant) -> None:
    """The merge may change; a mutant that no longer fits has to follow, or it proves nothing."""
    with mutated(mutant) as functions:
        assert functions


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_each_mistake_is_caught(cdc_kit: CdcKit, mutant: Mutant) -> None:
    caught = catch(mutant, cdc_kit)
    assert caught.by is not None, f"nothing caught: {mutant.name}"


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name in SHOWN_AT_ONCE], ids=named)
def test_some_of_them_are_caught_in_every_run(cdc_kit: CdcKit, mutant: Mutant) -> None:
    assert catch(mutant, cdc_kit).by is not None
