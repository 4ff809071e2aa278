"""Debezium envelopes as the Postgres connector sends them through Kafka Connect, schemas off.

Encodings: `decimal.handling.mode=string`, `time.precision.mode=isostring`. Field names and their
order are those of captured messages (tests/python/fixtures/debezium).
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from nextbest.simulator.randomness import Draws
from nextbest.simulator.settings import MICROSECONDS_PER_DAY

Row = dict[str, Any]

SERVER = "bank"
DATABASE = "bank"
PARTITIONS = 3


# One encoder for all records: making one for each would cost as much as the encoding.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def compact(value: object) -> str:
    """JSON without spaces, characters kept as they are."""
    return _ENCODER.encode(value)


@dataclass(slots=True)
class Commit:
    """One committed row change: `at` in microseconds since 1970, its log position and the last."""

    at: int
    lsn: int
    previous_lsn: int | None
    transaction: int
    snapshot: str = "false"


class Connector:
    """Turns committed row changes into Kafka records and numbers their offsets.

    `offsets` (next offset per "topic/partition") is updated in place and outlives the connector.
    """

    def __init__(self, seed: int, offsets: dict[str, int]) -> None:
        self._offsets = offsets
        draws = Draws(seed, 0)
        self._run = str(uuid.UUID(int=draws.below(2**53) << 75 | draws.below(2**53), version=4))

    def change(
        self,
        table: str,
        key: Row,
        op: str,
        commit: Commit,
        draws: Draws,
        *,
        before: Row | None = None,
        after: Row | None = None,
        header: tuple[str, Row] | None = None,
    ) -> Row:
        """A record whose value is the envelope of one row change (`op` r, c, u or d)."""
        # The connector reads the log some milliseconds after the commit; Kafka stores it later.
        sent_ns = (commit.at + draws.between(2_000, 80_000)) * 1000 + draws.below(1000)
        source = {
            "version": "3.7.0.Final",
            "connector": "postgresql",
            "name": SERVER,
            "ts_ms": commit.at // 1000,
            "snapshot": commit.snapshot,
            "db": DATABASE,
            "sequence": compact([None if commit.previous_lsn is None else str(commit.previous_lsn), str(commit.lsn)]),
            "ts_us": commit.at,
            "ts_ns": commit.at * 1000,
            "schema": "public",
            "table": table,
            "txId": commit.transaction,
            "lsn": commit.lsn,
            "xmin": None,
            "origin": None,
            "origin_lsn": None,
        }
        value = {
            "before": before,
            "after": after,
            "source": source,
            "transaction": None,
            "op": op,
            "ts_ms": sent_ns // 1_000_000,
            "ts_us": sent_ns // 1000,
            "ts_ns": sent_ns,
        }
        stored_ms = sent_ns // 1_000_000 + draws.between(1, 20)
        return self._record(table, key, value, stored_ms, header)

    def tombstone(self, table: str, delete: Row, header: tuple[str, Row] | None = None) -> Row:
        """The record with a null value that follows `delete`."""
        return self._record(table, delete["key"], None, delete["timestamp"], header)

    def _record(
        self,
        table: str,
        key: Row,
        value: Row | None,
        stored_ms: int,
        header: tuple[str, Row] | None,
    ) -> Row:
        topic = f"{SERVER}.public.{table}"
        partition = crc32(compact(key).encode()) % PARTITIONS
        place = f"{topic}/{partition}"
        offset = self._offsets.get(place, 0)
        self._offsets[place] = offset + 1
        moved = [[header[0], compact(header[1])]] if header else []
        return {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "timestamp": stored_ms,
            "headers": [
                *moved,
                ["__debezium.context.connectorLogicalName", SERVER],
                ["__debezium.context.taskId", "0"],
                ["__debezium.context.connectorName", "postgresql"],
                ["__debezium.context.runId", self._run],
            ],
            "key": key,
            "value": value,
        }


def delay(record: Row, days: int) -> None:
    """Move the transport times of a record, in place; its commit time stays."""
    micros = days * MICROSECONDS_PER_DAY
    record["timestamp"] += micros // 1000
    if record["value"] is not None:
        record["value"]["ts_ms"] += micros // 1000
        record["value"]["ts_us"] += micros
        record["value"]["ts_ns"] += micros * 1000
