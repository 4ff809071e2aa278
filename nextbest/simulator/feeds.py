"""The feeds: how a record of each is written, what it means, and how it can be spoiled.

docs/feeds.md is the reader's side of this module.
"""

import csv
import io
from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any, ClassVar, Literal

from nextbest.simulator import debezium
from nextbest.simulator.randomness import Draws
from nextbest.simulator.settings import (
    CRM_DAYS_WITHOUT_PHONE,
    CRM_PREFERRED_LANGUAGE_FROM_DAY,
    MICROSECONDS_PER_DAY,
    Settings,
    timestamp,
)
from nextbest.simulator.state import Body, State

Kind = Literal["change", "delete", "tombstone"]

NOT_UTF8 = b"\xff\xfe"

# The extract of a day is taken half an hour before midnight and holds the changes before it.
CRM_EXTRACT_AT = MICROSECONDS_PER_DAY - 30 * 60 * 1_000_000


class Feed(ABC):
    """One feed. A record is a JSON-able dict; `files_per_day` is the number of ticks of a day."""

    name: str
    extension: str
    files_per_day: int
    malformed_kinds: tuple[str, ...]

    def header(self, day: int) -> bytes | None:
        """The first line of each file of `day`, if the format has one."""
        return None

    def arrive(self, body: Body, day: int) -> None:  # noqa: B027 - most feeds need nothing
        """Set, in place, what is known only when the record is first delivered, on `day`."""

    def can_carry(self, body: Body, day: int) -> bool:
        """Whether a file of `day` can repeat a record exactly as it was first delivered."""
        return True

    def delay(self, body: Body, days: int) -> None:  # noqa: B027 - most feeds need nothing
        """Move the transport times of a record that is held back by `days`, in place."""

    def kind(self, body: Body) -> Kind:
        """What the record is, for the counts."""
        del body
        return "change"

    def fold(self, body: Body, state: State) -> None:  # noqa: B027 - events have no state
        """Apply a delivered record to the truth."""

    @abstractmethod
    def encode(self, body: Body, day: int) -> bytes:
        """The record as a line of a file of `day`, line end included."""

    @abstractmethod
    def spoil(self, kind: str, body: Body, day: int, draws: Draws) -> bytes:
        """A malformed line of the given kind, made from a sound record."""


class CrmCustomers(Feed):
    """Daily CSV extracts: each row is one version of a customer."""

    name = "crm_customers"
    extension = "csv"
    files_per_day = 1
    malformed_kinds = ("missing_columns", "extra_column", "empty_key", "non_utf8")

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "customer_id",
        "full_name",
        "email",
        "phone",
        "birth_date",
        "segment",
        "consent_personalization",
        "consent_marketing",
        "record_status",
        "updated_at",
        "extracted_at",
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def columns(self, day: int) -> list[str]:
        """The columns of the extract of `day`."""
        columns = [c for c in self.COLUMNS if c != "phone" or day not in CRM_DAYS_WITHOUT_PHONE]
        if day >= CRM_PREFERRED_LANGUAGE_FROM_DAY:
            columns.append("preferred_language")
        return columns

    def header(self, day: int) -> bytes:
        """The header line of the extract of `day`."""
        return self._line(self.columns(day))

    def arrive(self, body: Body, day: int) -> None:
        """Stamp the extract's time, and drop what that extract has no column for."""
        body["extracted_at"] = timestamp(self._settings.start_of(day) + CRM_EXTRACT_AT)
        for column in self._absent(day):
            body[column] = None

    def can_carry(self, body: Body, day: int) -> bool:
        """False if the extract lacks a column that the version has a value for."""
        return all(body[column] is None for column in self._absent(day))

    def kind(self, body: Body) -> Kind:
        """A version is a change, or the delete of the customer."""
        return "delete" if body["record_status"] == "deleted" else "change"

    def fold(self, body: Body, state: State) -> None:
        """Keep the version; it is ordered by (updated_at, extracted_at)."""
        version = {column: body[column] for column in self.COLUMNS}
        sequence = f"{body['updated_at']}/{body['extracted_at']}"
        state.fold_version(self.name, body["customer_id"], sequence, version)

    def encode(self, body: Body, day: int) -> bytes:
        """A CSV row; empty is null."""
        return self._line([_cell(body[column]) for column in self.columns(day)])

    def spoil(self, kind: str, body: Body, day: int, draws: Draws) -> bytes:
        """A row that no reader can take for a version: no key, or no `updated_at`."""
        cells = [_cell(body[column]) for column in self.columns(day)]
        if kind == "missing_columns":
            return self._line(cells[: draws.between(2, 6)])
        if kind == "extra_column":
            return self._line([*cells[:2], "Jr.", *cells[2:]])
        if kind == "empty_key":
            return self._line(["", *cells[1:]])
        return NOT_UTF8 + self._line(cells)

    def _absent(self, day: int) -> set[str]:
        return {"phone", "preferred_language"}.difference(self.columns(day))

    @staticmethod
    def _line(cells: list[str]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(cells)
        return buffer.getvalue().encode()


class ChangeFeed(Feed):
    """Change records of one table: Debezium envelopes in Kafka records, one a line."""

    extension = "jsonl"
    files_per_day = 4
    malformed_kinds = ("broken_json", "null_key", "empty_key", "non_utf8")

    def __init__(self, table: str, key: str) -> None:
        self.name = table
        self.key = key

    def delay(self, body: Body, days: int) -> None:
        """A late record reached Kafka late."""
        debezium.delay(body, days)

    def kind(self, body: Body) -> Kind:
        """By the envelope's `op`; without an envelope it is a tombstone."""
        if body["value"] is None:
            return "tombstone"
        return "delete" if body["value"]["op"] == "d" else "change"

    def fold(self, body: Body, state: State) -> None:
        """Apply the change at (business clock, log position)."""
        value = body["value"]
        if value is None:
            return
        source = value["source"]
        row = value["after"]
        moment = timestamp(source["ts_ms"] * 1000) if row is None else row["datetime_updated"]
        state.fold_latest(self.name, body["key"][self.key], f"{moment}/{source['lsn']:020d}", row)

    def encode(self, body: Body, day: int) -> bytes:
        """One JSON object a line."""
        del day
        return _json_line(body)

    def spoil(self, kind: str, body: Body, day: int, draws: Draws) -> bytes:
        """A line that is no JSON, or a record without a key anywhere."""
        del day
        if kind in ("null_key", "empty_key"):
            spoiled = deepcopy(body)
            nothing = None if kind == "null_key" else ""
            spoiled["key"] = None if kind == "null_key" else {self.key: ""}
            for image in ("before", "after"):
                if spoiled["value"][image] is not None:
                    spoiled["value"][image][self.key] = nothing
            return _json_line(spoiled)
        return _break_json(kind, _json_line(body), draws)


class EventFeed(Feed):
    """Independent events, one JSON object a line, each with a unique `event_id`."""

    extension = "jsonl"
    malformed_kinds = ("broken_json", "null_key", "empty_key", "non_utf8")

    def __init__(self, name: str, files_per_day: int) -> None:
        self.name = name
        self.files_per_day = files_per_day

    def encode(self, body: Body, day: int) -> bytes:
        """One JSON object a line."""
        del day
        return _json_line(body)

    def spoil(self, kind: str, body: Body, day: int, draws: Draws) -> bytes:
        """A line that is no JSON, or an event without an id."""
        del day
        if kind in ("null_key", "empty_key"):
            return _json_line({**body, "event_id": None if kind == "null_key" else ""})
        return _break_json(kind, _json_line(body), draws)


def all_feeds(settings: Settings) -> dict[str, Feed]:
    """Every feed by name, in the order in which they are reported."""
    feeds: list[Feed] = [
        CrmCustomers(settings),
        ChangeFeed("purchase_trends", "customer_id"),
        ChangeFeed("checking_accounts", "account_id"),
        EventFeed("clickstream", 6),
        EventFeed("logins", 4),
    ]
    return {feed.name: feed for feed in feeds}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json_line(body: Body) -> bytes:
    return debezium.compact(body).encode() + b"\n"


def _break_json(kind: str, line: bytes, draws: Draws) -> bytes:
    """Cut the object short, or put bytes that are not UTF-8 where a value should begin."""
    if kind == "broken_json":
        # A proper prefix of an object is never JSON; cut inside ASCII, so that it stays UTF-8.
        prefix = line[: draws.between(1, len(line) - 3)]
        return prefix.decode(errors="ignore").encode() + b"\n"
    name, _, rest = line.partition(b":")
    return name + b":" + NOT_UTF8 + rest
