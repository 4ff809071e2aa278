"""The bank's own database: purchase trends and checking accounts, as a log of committed changes.

Both tables share one log, so that log positions rise in commit order over both. Commits are at
least a millisecond apart: a delete is ordered by its commit time, which Debezium gives in
milliseconds, and must fall between the changes before and after it.
"""

from collections.abc import Iterator
from typing import Any

from nextbest.simulator.debezium import Commit, Connector
from nextbest.simulator.randomness import Draws, increasing_times
from nextbest.simulator.settings import (
    MICROSECONDS_PER_DAY,
    Settings,
    timestamp,
)
from nextbest.simulator.state import Body, State

TRENDS, ACCOUNTS = "purchase_trends", "checking_accounts"
SLOTS_PER_DAY = 4

_CHUNK = 1000
_CHANGES_PER_CUSTOMER_AND_DAY = 0.6
_SHARE_TRENDS = 0.5
_SECOND_ACCOUNT = 0.15
_NEW_ACCOUNT_NUMBER = 0.004
_REVIVAL = 0.3
_FIRST_LSN = 26_400_000
_ACCOUNT_NUMBERS_FROM = 10_000_000
# Postgres sends this in NOT NULL columns of a delete under the default replica identity.
_UNKNOWN_TIMESTAMP = "1970-01-01T00:00:00.000000Z"

Row = dict[str, Any]


class Bank:
    """Generates the change records of one period of a day after another.

    The log (clock, positions, offsets, account numbers) is read from `state` and written back by
    `save`.
    """

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings = settings
        self._state = state
        self._log: dict[str, Any] = state.recall("bank_log") or {
            "clock": 0,
            "lsn": _FIRST_LSN,
            "transaction": 700,
            "first_commit": True,
            "renumbered": 0,
            "offsets": {},
        }
        self._connector = Connector(settings.seed, self._log["offsets"])

    def save(self) -> None:
        """Put the log into the state, to be kept by its next commit."""
        self._state.remember("bank_log", self._log)

    def initial_load(self, draws: Draws) -> Iterator[tuple[str, Body]]:
        """The connector's snapshot (op `r`) of all rows that exist before day 1."""
        customers = self._settings.initial_customers
        self._log["clock"] = self._settings.start_of(1)
        for table, last_table in ((TRENDS, False), (ACCOUNTS, True)):
            for first in range(1, customers + 1, _CHUNK):
                objects: dict[int, Body] = {}
                for customer in range(first, min(first + _CHUNK, customers + 1)):
                    age = draws.between(1, 900) * MICROSECONDS_PER_DAY
                    created = self._settings.start_of(1) - age + draws.below(MICROSECONDS_PER_DAY)
                    row = self._new_row(table, customer, 0, created - 1000, draws)
                    objects[2 * customer] = {"live": True, "row": row}
                    position = self._snapshot_position(customer, customers, last_table)
                    yield table, self._commit(table, "r", row, draws, snapshot=position)
                self._state.save(table, objects)

    def period(self, day: int, slot: int, draws: Draws) -> Iterator[tuple[str, Body]]:
        """The changes of period `slot` (0 to 3) of `day`, in commit order: (feed, record)."""
        length = MICROSECONDS_PER_DAY // SLOTS_PER_DAY
        begin = self._settings.start_of(day) + slot * length
        joined = self._settings.customers_on(day)
        new = [
            customer
            for customer in range(self._settings.customers_on(day - 1) + 1, joined + 1)
            if customer % SLOTS_PER_DAY == slot
        ]
        for first in range(0, len(new), _CHUNK):
            yield from self._join(new[first : first + _CHUNK], begin, draws)
        changes = draws.count(joined * _CHANGES_PER_CUSTOMER_AND_DAY / SLOTS_PER_DAY)
        times = increasing_times(draws, begin, length, changes)
        for first in range(0, changes, _CHUNK):
            number = min(_CHUNK, changes - first)
            plan = [
                (
                    next(times),
                    TRENDS if draws.chance(_SHARE_TRENDS) else ACCOUNTS,
                    2 * draws.between(1, joined),
                )
                for _ in range(number)
            ]
            yield from self._carry_out(plan, draws)

    def _join(self, customers: list[int], begin: int, draws: Draws) -> Iterator[tuple[str, Body]]:
        for table in (TRENDS, ACCOUNTS):
            objects: dict[int, Body] = {}
            for customer in customers:
                now = self._tick(begin)
                row = self._new_row(table, customer, 0, now, draws)
                objects[2 * customer] = {"live": True, "row": row}
                yield table, self._commit(table, "c", row, draws)
            self._state.save(table, objects)

    def _carry_out(self, plan: list[tuple[int, str, int]], draws: Draws) -> Iterator[tuple[str, Body]]:
        objects = {
            # A customer's second account sits in the odd slot beside the first.
            table: self._state.load(table, [s + second for _, t, s in plan if t == table for second in (0, 1)])
            for table in (TRENDS, ACCOUNTS)
        }
        for moment, table, slot in plan:
            if table == ACCOUNTS and draws.chance(_SECOND_ACCOUNT):
                slot += 1
            yield from self._change(table, slot, moment, objects[table], draws)
        for table, touched in objects.items():
            self._state.save(table, touched)

    def _change(
        self, table: str, slot: int, moment: int, objects: dict[int, Body], draws: Draws
    ) -> Iterator[tuple[str, Body]]:
        existing = objects.get(slot)
        if existing is None or not existing["live"]:
            if existing is not None and not draws.chance(_REVIVAL):
                return
            now = self._tick(moment)
            row = self._new_row(table, slot // 2, slot % 2, now, draws)
            if existing is not None and table == ACCOUNTS:
                row["account_id"] = existing["row"]["account_id"]
            objects[slot] = {"live": True, "row": row}
            yield table, self._commit(table, "c", row, draws)
            return
        row = existing["row"]
        if draws.chance(self._settings.deleted):
            self._tick(moment)
            objects[slot] = {"live": False, "row": row}
            yield from self._delete(table, row, draws)
            return
        if table == ACCOUNTS and row["status"] == "closed":
            return
        now = self._tick(moment)
        if table == ACCOUNTS and draws.chance(_NEW_ACCOUNT_NUMBER):
            new = {
                **row,
                "account_id": self._next_account_number(),
                "datetime_updated": timestamp(now),
            }
            objects[slot] = {"live": True, "row": new}
            yield from self._change_key(table, row, new, draws)
            return
        new = {**row, **self._edit(table, row, now, draws), "datetime_updated": timestamp(now)}
        objects[slot] = {"live": True, "row": new}
        # purchase_trends has REPLICA IDENTITY FULL, checking_accounts the default.
        before = dict(row) if table == TRENDS else None
        yield table, self._commit(table, "u", new, draws, before=before)

    def _delete(self, table: str, row: Row, draws: Draws, new_key: Row | None = None) -> Iterator[tuple[str, Body]]:
        before = dict(row)
        if table == ACCOUNTS:
            before = dict.fromkeys(row)
            before |= {"account_id": row["account_id"], "datetime_updated": _UNKNOWN_TIMESTAMP}
        header = None if new_key is None else ("__debezium.newkey", new_key)
        record = self._connector.change(
            table,
            _key(table, row),
            "d",
            self._next_commit(draws),
            draws,
            before=before,
            header=header,
        )
        tombstone = self._connector.tombstone(table, record, header)
        yield table, record
        yield table, tombstone

    def _change_key(self, table: str, old: Row, new: Row, draws: Draws) -> Iterator[tuple[str, Body]]:
        yield from self._delete(table, old, draws, _key(table, new))
        header = ("__debezium.oldkey", _key(table, old))
        self._tick(self._log["clock"])
        yield table, self._commit(table, "c", new, draws, header=header)

    def _commit(
        self,
        table: str,
        op: str,
        row: Row,
        draws: Draws,
        *,
        before: Row | None = None,
        snapshot: str = "false",
        header: tuple[str, Row] | None = None,
    ) -> Body:
        if op == "r":
            self._tick(0)
        commit = self._next_commit(draws)
        commit.snapshot = snapshot
        return self._connector.change(
            table,
            _key(table, row),
            op,
            commit,
            draws,
            before=before,
            after=dict(row),
            header=header,
        )

    def _tick(self, moment: int) -> int:
        """Move the clock to `moment`, or a millisecond on if that is not later; return it."""
        self._log["clock"] = max(moment, self._log["clock"] + 1000)
        clock: int = self._log["clock"]
        return clock

    def _next_commit(self, draws: Draws) -> Commit:
        log = self._log
        previous = None if log["first_commit"] else log["lsn"]
        log["first_commit"] = False
        log["lsn"] += 8 * draws.between(5, 70)
        log["transaction"] += 1
        # Less than the millisecond between two ticks, so that commit times rise too.
        return Commit(log["clock"] + draws.below(900), log["lsn"], previous, log["transaction"])

    def _next_account_number(self) -> int:
        self._log["renumbered"] += 1
        renumbered: int = self._log["renumbered"]
        return _ACCOUNT_NUMBERS_FROM + 2 * (self._settings.customers + 1) + renumbered

    def _new_row(self, table: str, customer: int, second: int, now: int, draws: Draws) -> Row:
        if table == ACCOUNTS:
            return {
                "account_id": _ACCOUNT_NUMBERS_FROM + 2 * customer + second,
                "customer_id": customer,
                "balance": _money(draws.below(1_000_000)),
                "status": "open",
                "opened_at": timestamp(now),
                "datetime_updated": timestamp(now),
            }
        return {
            "customer_id": customer,
            "number_of_concert_tickets": draws.below(4),
            "number_of_comedy_shows": draws.below(3),
            "number_of_sport_events": draws.below(5),
            # Squared: most customers buy little online, a few buy a lot.
            "number_of_online_txns": int(draws.uniform() ** 2 * 16),
            "home_mortgage_purchased_ts": None,
            "datetime_created": timestamp(now),
            "datetime_updated": timestamp(now),
        }

    @staticmethod
    def _edit(table: str, row: Row, now: int, draws: Draws) -> Row:
        what = draws.uniform()
        if table == ACCOUNTS:
            if what < 0.02:
                return {"status": "closed" if what < 0.005 else "frozen"}
            if row["status"] == "frozen":
                return {"status": "open"}
            return {"balance": _money(_cents(row["balance"]) + draws.between(-20_000, 25_000))}
        if what < 0.03:
            bought = row["home_mortgage_purchased_ts"] is None
            return {"home_mortgage_purchased_ts": timestamp(now) if bought else None}
        column = draws.pick(
            (
                "number_of_online_txns",
                "number_of_online_txns",
                "number_of_concert_tickets",
                "number_of_comedy_shows",
                "number_of_sport_events",
            )
        )
        return {column: row[column] + draws.between(1, 2)}

    @staticmethod
    def _snapshot_position(customer: int, customers: int, last_table: bool) -> str:
        if customer == 1 and not last_table:
            return "first"
        if customer == customers and last_table:
            return "last"
        if customer == 1:
            return "first_in_data_collection"
        return "last_in_data_collection" if customer == customers else "true"


def _key(table: str, row: Row) -> Row:
    name = "customer_id" if table == TRENDS else "account_id"
    return {name: row[name]}


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _cents(money: str) -> int:
    return int(money.replace(".", ""))
