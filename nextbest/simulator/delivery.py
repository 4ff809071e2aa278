"""How records reach the landing files: in order, late, displaced, twice, or spoiled.

Every record is offered once, in the order in which it happened. Here alone is decided when and
where it is delivered; the truth is folded from what has been delivered, never from what is held
back.
"""

import heapq
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nextbest.simulator.feeds import Feed
from nextbest.simulator.landing import LandingFiles
from nextbest.simulator.randomness import Draws
from nextbest.simulator.settings import Settings
from nextbest.simulator.state import Body, State

LATE_BY_AT_MOST_DAYS = 3
DISPLACED_BY_AT_MOST_RECORDS = 200

ON_TIME, LATE, OUT_OF_ORDER, DUPLICATE = "on_time", "late", "out_of_order", "duplicate"


@dataclass(slots=True)
class Counts:
    """What a feed's landing files hold.

    records = distinct_events + tombstones + duplicates + malformed. `deletes` are part of
    distinct_events; `late` and `out_of_order` are parts of distinct_events + tombstones.
    """

    files: int = 0
    records: int = 0
    distinct_events: int = 0
    tombstones: int = 0
    duplicates: int = 0
    malformed: int = 0
    deletes: int = 0
    late: int = 0
    out_of_order: int = 0
    malformed_kinds: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The counts as a JSON object."""
        return asdict(self)


class Outlet:
    """Delivers one feed's records into `landing`/<feed>/, one tick (file period) at a time."""

    def __init__(self, feed: Feed, settings: Settings, state: State, landing: Path, counts: Counts) -> None:
        self.feed = feed
        self.counts = counts
        self._settings = settings
        self._state = state
        self._directory = landing / feed.name
        # A reader may be pointed at the feed before its first record.
        self._directory.mkdir(parents=True, exist_ok=True)
        self._displaced: list[tuple[int, int, str, Body]] = []
        self._position = 0
        self._displacements = 0

    def open(self, day: int, slot: int, draws: Draws) -> None:
        """Begin the files of a tick; records held back until now come first."""
        self._day = day
        self._tick = day * self.feed.files_per_day + slot
        self._draws = draws
        self._position = 0
        date = self._settings.date_of(day).isoformat()
        stem = f"{self.feed.name}_{date}_{slot:02d}"
        header = self.feed.header(day)
        self._files = LandingFiles(self._directory, stem, self.feed.extension, header)
        for reason, body in self._state.due(self.feed.name, self._tick):
            if reason == DUPLICATE and not self.feed.can_carry(body, day):
                self._hold_back(1, DUPLICATE, body)
            else:
                self._deliver(reason, body)
                self._release()

    def offer(self, body: Body) -> None:
        """Take a record that has just happened, and deliver it now or later."""
        late, out_of_order = self._settings.late, self._settings.out_of_order
        fate = self._draws.uniform()
        if fate < late:
            days = self._draws.between(1, LATE_BY_AT_MOST_DAYS)
            self.feed.delay(body, days)
            self._hold_back(days * self.feed.files_per_day, LATE, body)
        elif fate < late + out_of_order / 2:
            self._hold_back(1, OUT_OF_ORDER, body)
        elif fate < late + out_of_order:
            self._displace(OUT_OF_ORDER, body)
        else:
            self._deliver(ON_TIME, body)
        self._release()

    def close(self) -> None:
        """Deliver what was displaced and publish the files."""
        while self._displaced:
            self._deliver(*heapq.heappop(self._displaced)[2:])
        self._files.close()
        self.counts.files += self._files.count

    def discard(self) -> None:
        """Give up an unfinished file."""
        self._files.discard()

    def _hold_back(self, ticks: int, reason: str, body: Body) -> None:
        self._state.defer(self.feed.name, self._tick + ticks, reason, body)

    def _displace(self, reason: str, body: Body) -> None:
        until = self._position + self._draws.between(1, DISPLACED_BY_AT_MOST_RECORDS)
        self._displacements += 1
        heapq.heappush(self._displaced, (until, self._displacements, reason, body))

    def _deliver(self, reason: str, body: Body) -> None:
        feed, counts = self.feed, self.counts
        if reason != DUPLICATE:
            feed.arrive(body, self._day)
        self._files.write(feed.encode(body, self._day))
        counts.records += 1
        self._position += 1
        kind = feed.kind(body)
        if reason == DUPLICATE:
            counts.duplicates += 1
        else:
            self._count_first(reason, kind)
            feed.fold(body, self._state)
            if self._draws.chance(self._settings.duplicated):
                self._repeat(body)
        if kind == "change" and self._draws.chance(self._settings.malformed):
            self._spoil(body)

    def _release(self) -> None:
        while self._displaced and self._displaced[0][0] <= self._position:
            self._deliver(*heapq.heappop(self._displaced)[2:])

    def _count_first(self, reason: str, kind: str) -> None:
        counts = self.counts
        if kind == "tombstone":
            counts.tombstones += 1
        else:
            counts.distinct_events += 1
            counts.deletes += kind == "delete"
        counts.late += reason == LATE
        counts.out_of_order += reason == OUT_OF_ORDER

    def _repeat(self, body: Body) -> None:
        if self._draws.chance(0.5):
            self._displace(DUPLICATE, body)
        else:
            self._hold_back(self._draws.between(1, 2 * self.feed.files_per_day), DUPLICATE, body)

    def _spoil(self, body: Body) -> None:
        kinds = self.feed.malformed_kinds
        kind = kinds[self.counts.malformed % len(kinds)]
        self._files.write(self.feed.spoil(kind, body, self._day, self._draws))
        self.counts.records += 1
        self.counts.malformed += 1
        self._position += 1
        self.counts.malformed_kinds[kind] = self.counts.malformed_kinds.get(kind, 0) + 1
