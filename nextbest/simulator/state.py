"""What a simulation remembers between days, kept on disk so that memory stays flat.

One SQLite file per output directory: the bank's own state, records held back for a later file,
and the fold of the records delivered so far, from which the truth is written.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nextbest.simulator.debezium import compact
from nextbest.simulator.settings import SimulationError

Body = dict[str, Any]

_BATCH = 2000
_SCHEMA = """
create table if not exists meta (name text primary key, body text not null) without rowid;
create table if not exists world (
    entity text, slot integer, body text not null, primary key (entity, slot)
) without rowid;
create table if not exists deferred (
    id integer primary key, feed text not null, tick integer not null, reason text not null,
    body text not null
);
create index if not exists deferred_by_tick on deferred (feed, tick, id);
create table if not exists latest (
    feed text, key integer, sequence text not null, body text, primary key (feed, key)
) without rowid;
create table if not exists versions (
    feed text, key integer, sequence text, body text not null,
    primary key (feed, key, sequence)
) without rowid;
"""


class State:
    """The state file of one output directory, held exclusively until `close`.

    Raises SimulationError if another process holds it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._db.execute("pragma locking_mode = exclusive")
            self._db.execute("pragma journal_mode = wal")
            # A killed process loses nothing at this level; only a power cut could.
            self._db.execute("pragma synchronous = off")
            self._db.execute("pragma cache_size = -8192")
            self._db.executescript(_SCHEMA)
            self._db.execute("begin immediate")
        except sqlite3.OperationalError as error:
            self._db.close()
            raise SimulationError(
                f"{path} is in use by another simulation ({error}): wait for it to end, "
                "or choose another directory with --out."
            ) from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise SimulationError(
                f"{path} is not a simulator state file ({error}): choose another directory."
            ) from error
        self._latest: list[tuple[str, int, str, str | None]] = []
        self._versions: list[tuple[str, int, str, str]] = []

    def commit(self) -> None:
        """Make everything since the last commit permanent, at once."""
        self._flush()
        self._db.execute("commit")
        self._db.execute("begin immediate")

    def close(self) -> None:
        """Forget everything since the last commit and release the file."""
        self._db.execute("rollback")
        self._db.close()

    def remember(self, name: str, body: object) -> None:
        """Keep a JSON value under `name`."""
        self._db.execute("replace into meta values (?, ?)", (name, compact(body)))

    def recall(self, name: str) -> Any:
        """The value kept under `name`, or None."""
        found = self._db.execute("select body from meta where name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def load(self, entity: str, slots: Iterable[int]) -> dict[int, Body]:
        """World objects of `entity` by slot; slots without an object are absent."""
        rows = self._db.execute(
            "select slot, body from world where entity = ? and slot in (select value from json_each(?))",
            (entity, compact(sorted(set(slots)))),
        )
        return {slot: json.loads(body) for slot, body in rows}

    def save(self, entity: str, objects: dict[int, Body]) -> None:
        """Write world objects of `entity`, keyed by slot."""
        self._db.executemany(
            "replace into world values (?, ?, ?)",
            [(entity, slot, compact(body)) for slot, body in objects.items()],
        )

    def defer(self, feed: str, tick: int, reason: str, body: Body) -> None:
        """Hold a record back for the file of `tick`."""
        self._db.execute(
            "insert into deferred (feed, tick, reason, body) values (?, ?, ?, ?)",
            (feed, tick, reason, compact(body)),
        )

    def due(self, feed: str, tick: int) -> Iterator[tuple[str, Body]]:
        """Take out the records held back until `tick`: (reason, record), oldest first."""
        while rows := self._db.execute(
            "select id, reason, body from deferred where feed = ? and tick <= ? order by tick, id limit ?",
            (feed, tick, _BATCH),
        ).fetchall():
            self._db.executemany("delete from deferred where id = ?", [(row[0],) for row in rows])
            for _, reason, body in rows:
                yield reason, json.loads(body)

    def held_back(self, feed: str) -> dict[str, int]:
        """Records still held back, by reason."""
        return dict(self._db.execute("select reason, count(*) from deferred where feed = ? group by reason", (feed,)))

    def fold_latest(self, feed: str, key: int, sequence: str, body: Body | None) -> None:
        """Note a delivered change; the highest sequence wins. `body` None is a delete.

        `sequence` compares as text in the order of the changes.
        """
        row = None if body is None else compact(body)
        self._latest.append((feed, key, sequence, row))
        if len(self._latest) >= _BATCH:
            self._flush()

    def fold_version(self, feed: str, key: int, sequence: str, body: Body) -> None:
        """Note a delivered version of `key`; all versions are kept."""
        self._versions.append((feed, key, sequence, compact(body)))
        if len(self._versions) >= _BATCH:
            self._flush()

    def latest(self, feed: str) -> Iterator[Body]:
        """The live rows of `feed` after all delivered changes, by key."""
        self._flush()
        for (body,) in self._db.execute(
            "select body from latest where feed = ? and body is not null order by key", (feed,)
        ):
            yield json.loads(body)

    def versions(self, feed: str) -> Iterator[tuple[int, Body]]:
        """All delivered versions: (key, version), by key and sequence."""
        self._flush()
        for key, body in self._db.execute(
            "select key, body from versions where feed = ? order by key, sequence", (feed,)
        ):
            yield key, json.loads(body)

    def _flush(self) -> None:
        self._db.executemany(
            "insert into latest values (?, ?, ?, ?) on conflict (feed, key) do update "
            "set sequence = excluded.sequence, body = excluded.body "
            "where excluded.sequence > sequence",
            self._latest,
        )
        self._db.executemany("insert or ignore into versions values (?, ?, ?, ?)", self._versions)
        self._latest.clear()
        self._versions.clear()
