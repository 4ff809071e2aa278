"""Simulates days and delivers them, a day at a time, resuming where the last run ended."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nextbest.simulator.bank import ACCOUNTS, SLOTS_PER_DAY, TRENDS, Bank
from nextbest.simulator.behaviour import clicks, logins
from nextbest.simulator.crm import CUSTOMERS, Crm
from nextbest.simulator.delivery import Counts, Outlet
from nextbest.simulator.feeds import all_feeds
from nextbest.simulator.randomness import Draws
from nextbest.simulator.settings import Settings, SimulationError
from nextbest.simulator.state import Body, State
from nextbest.simulator.truth import write_truth

STATE_FILE = Path(".simulation") / "state.sqlite"
CLICKSTREAM, LOGINS = "clickstream", "logins"

# Names of the random streams; each is followed by (day, period).
_CRM, _BANK, _CLICKS, _LOGINS, _DELIVERY, _INITIAL = range(1, 7)


@dataclass(slots=True)
class FeedReport:
    """What one run delivered of one feed."""

    counts: Counts
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """What one run did: days [first_day, last_day], both included, and each feed's part."""

    settings: Settings
    first_day: int
    last_day: int
    feeds: dict[str, FeedReport]
    truth: Path


def stored_settings(out: Path) -> Settings | None:
    """The settings of the simulation in `out`, or None if there is none."""
    if not (out / STATE_FILE).exists():
        return None
    state = State(out / STATE_FILE)
    try:
        values = state.recall("settings")
    finally:
        state.close()
    return None if values is None else Settings.from_json(values)


def simulate_days(
    settings: Settings,
    out: Path,
    days: int,
    *,
    append: bool = False,
    on_day: Callable[[int], None] = lambda day: None,
) -> Report:
    """Deliver the next `days` days into `out`/landing and rewrite `out`/truth.

    Without `append` the directory must hold no simulation. A day is kept whole or not at all: after
    a kill, appending begins with the day that was cut short and leaves its finished files as they
    are. `on_day` is called with the number of each finished day.

    Raises SimulationError if the directory does not fit.
    """
    landing, truth = out / "landing", out / "truth"
    if not append:
        for directory in (landing, truth, out / STATE_FILE.parent):
            if directory.exists() and any(directory.iterdir()):
                raise SimulationError(
                    f"{out} already holds files ({directory.name}/): add days to it with --append, "
                    "or choose an empty directory with --out."
                )
    state = State(out / STATE_FILE)
    try:
        state.remember("settings", settings.as_json())
        first_day = (state.recall("last_day") or 0) + 1
        state.commit()
        for left_over in landing.glob("*/.*.tmp"):
            left_over.unlink()
        world = _World(settings, state, landing)
        report = Report(
            settings,
            first_day,
            first_day + days - 1,
            {name: FeedReport(_copy(counts)) for name, counts in world.counts.items()},
            truth,
        )
        for day in range(first_day, first_day + days):
            world.deliver(day)
            on_day(day)
        write_truth(truth, state, world.counts, report.last_day)
    finally:
        state.close()
    for name, feed in report.feeds.items():
        feed.counts = _difference(world.counts[name], feed.counts)
        feed.seconds = world.seconds[name]
    return report


class _World:
    """The systems that make records, and the outlets that deliver them."""

    def __init__(self, settings: Settings, state: State, landing: Path) -> None:
        self._settings = settings
        self._state = state
        self._crm = Crm(settings, state)
        self._bank = Bank(settings, state)
        stored = state.recall("counts") or {}
        feeds = all_feeds(settings)
        self.counts = {name: Counts(**stored.get(name, {})) for name in feeds}
        self.seconds = dict.fromkeys(feeds, 0.0)
        self._outlets = {
            name: Outlet(feed, settings, state, landing, self.counts[name]) for name, feed in feeds.items()
        }
        self._codes = {name: code for code, name in enumerate(feeds)}

    def deliver(self, day: int) -> None:
        """Make and deliver the records of one day, and keep the state that follows from it."""
        crm = self._draws(_CRM, day)
        with_load: list[Iterable[Body]] = [self._crm.day(day, crm)]
        if day == 1:
            with_load.insert(0, self._crm.initial_load(self._draws(_INITIAL, _CRM)))
        self._period(day, 0, {CUSTOMERS}, ((CUSTOMERS, b) for part in with_load for b in part))
        for slot in range(SLOTS_PER_DAY):
            bank = self._draws(_BANK, day, slot)
            changes: list[Iterable[tuple[str, Body]]] = [self._bank.period(day, slot, bank)]
            if day == 1 and slot == 0:
                changes.insert(0, self._bank.initial_load(self._draws(_INITIAL, _BANK)))
            self._period(day, slot, {TRENDS, ACCOUNTS}, (r for part in changes for r in part))
        for name, events, stream in ((CLICKSTREAM, clicks, _CLICKS), (LOGINS, logins, _LOGINS)):
            slots = self._outlets[name].feed.files_per_day
            for slot in range(slots):
                draws = self._draws(stream, day, slot)
                made = events(self._settings, day, slot, slots, draws)
                self._period(day, slot, {name}, ((name, body) for body in made))
        self._bank.save()
        self._state.remember("counts", {n: c.as_json() for n, c in self.counts.items()})
        self._state.remember("last_day", day)
        self._state.commit()

    def _period(self, day: int, slot: int, feeds: set[str], records: Iterable[tuple[str, Body]]) -> None:
        outlets = {name: self._outlets[name] for name in sorted(feeds)}
        opened: list[Outlet] = []
        before = time.perf_counter()
        try:
            for name, outlet in outlets.items():
                opened.append(outlet)
                outlet.open(day, slot, self._draws(_DELIVERY, self._codes[name], day, slot))
                before = self._charge(name, before)
            for name, body in records:
                outlets[name].offer(body)
                before = self._charge(name, before)
            for name, outlet in outlets.items():
                outlet.close()
                before = self._charge(name, before)
        except BaseException:
            for outlet in opened:
                outlet.discard()
            raise

    def _charge(self, feed: str, since: float) -> float:
        now = time.perf_counter()
        self.seconds[feed] += now - since
        return now

    def _draws(self, *path: int) -> Draws:
        return Draws(self._settings.seed, *path)


def _copy(counts: Counts) -> Counts:
    return replace(counts, malformed_kinds=dict(counts.malformed_kinds))


def _difference(after: Counts, before: Counts) -> Counts:
    values = before.as_json()
    kinds = values.pop("malformed_kinds")
    return replace(
        after,
        malformed_kinds={k: n - kinds.get(k, 0) for k, n in after.malformed_kinds.items()},
        **{name: getattr(after, name) - count for name, count in values.items()},
    )
