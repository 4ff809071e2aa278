"""AUTO CDC itself in the kit, and the kit by deliberate mistakes in AUTO CDC."""

from __future__ import annotations

from pathlib import Path

import pytest

from databricks_local.testing import CdcKit, DidNotConverge, converges
from databricks_local.testing.crashes import STEPS
from databricks_local.testing.mutants import HEADER, MODELS, MUTANTS, Mutant, catch, mutated

TABLE = Path(__file__).parents[2] / "docs" / "testing-cdc.md"
PARTIAL = ("current, partial", "history, partial")
SHOWN_AT_ONCE = ("deletes are not remembered", "ties go to the later arrival")


def named(mutant: Mutant) -> str:
    return f"{mutant.name}, {mutant.model}"


@pytest.mark.parametrize("name", MODELS)
def test_a_table_depends_on_the_set_of_its_events_alone(cdc_kit: CdcKit, name: str) -> None:
    """Partial updates keep the state of a history and take the same steps, so one stop is enough for them here."""
    crashes = ["events"] if name in PARTIAL else STEPS
    report = converges(MODELS[name], cdc_kit, random=60, crashes=crashes)
    print(report)
    assert report.by_origin["exhaustive"] > 1_000
    assert report.by_origin["fixtures"] > 10
    # In a table where anything may be late, and in one where each batch is sequenced behind those before it.
    assert report.crashes == 2 * len(crashes)


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


def test_the_documented_table_is_of_these_mistakes() -> None:
    """What caught each is of a run of `python -m databricks_local.testing.mutants`; here nothing is run."""
    lines = TABLE.read_text(encoding="utf-8").split(HEADER)[1].split("\n\n")[0].strip().splitlines()
    documented = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    expected = []
    for mutant in MUTANTS:
        with mutated(mutant) as functions:
            place = ", ".join(f"{mutant.module}.{function}" for function in functions)
        expected.append((mutant.name, mutant.rule, mutant.model, f"`{place}`"))
    assert [cells[:4] for cells in documented] == expected
    assert all(len(cells) == 5 and cells[4] and "nothing**" not in cells[4] for cells in documented)


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_each_mistake_is_caught(cdc_kit: CdcKit, mutant: Mutant) -> None:
    caught = catch(mutant, cdc_kit)
    assert caught.by is not None, f"nothing caught: {mutant.name}"


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name in SHOWN_AT_ONCE], ids=named)
def test_some_of_them_are_caught_in_every_run(cdc_kit: CdcKit, mutant: Mutant) -> None:
    assert catch(mutant, cdc_kit).by is not None
