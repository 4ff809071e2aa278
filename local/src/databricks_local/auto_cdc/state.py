"""What a target cannot tell by itself, in a Delta table of its own: an append-only log of events.

Where every event counts (SCD TYPE 2, partial updates) it holds all distinct events; otherwise, per
key, how far the key has come, deletes included. Truncates are rows without a key. A row that
another one supersedes does no harm, so the log only grows, and is rewritten when half of it is
superseded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import expr
from pyspark.sql.types import (
    ArrayType,
    ByteType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from databricks_local.auto_cdc.layout import (
    AUTHORED,
    DELETE,
    DIGEST,
    IS_NEW,
    KIND,
    LATEST,
    ORDER,
    RECORDED_AT,
    SEQUENCE,
    SYSTEM,
    TRUNCATE,
    Layout,
    names,
)
from databricks_local.auto_cdc.progress import Progress, encoded
from databricks_local.auto_cdc.target import evolve
from databricks_local.runtime.session import session_conf
from databricks_local.sql.tokens import quote_identifier

_HAS_TRUNCATES = "databricks_local.hasTruncates"
_GREATEST = "greatest_sequence"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_COMPACT_EVERY = 16
_COMPACTED_FILE_BYTES = 64 * 1024 * 1024


class State:
    """The log behind one target.

    Args:
        spark: the session.
        path: the directory of its Delta table, created by the first batch.
        tombstone_retention: how long SCD TYPE 1 remembers a delete; None: for ever. A delete that
            is older no longer stops an upsert sequenced before it
            (`pipelines.cdc.tombstoneGCThresholdInSeconds`).

    Attributes:
        is_empty: whether no batch was recorded before this one; known after `prepare`.
        has_truncates: whether a truncate is or will be recorded; known after `prepare`.
    """

    def __init__(self, spark: SparkSession, path: Path, tombstone_retention: timedelta | None) -> None:
        self._spark = spark
        self._path = str(path)
        self._name = f"delta.{quote_identifier(self._path)}"
        self._retention = tombstone_retention
        self._said: dict[str, Any] = {}
        self.is_empty = False
        self.has_truncates = False

    @property
    def exists(self) -> bool:
        """Whether a batch was recorded before."""
        return bool(DeltaTable.isDeltaTable(self._spark, self._path))

    def columns(self) -> list[str]:
        """Names of the columns that events are kept with."""
        return self._spark.read.format("delta").load(self._path).columns if self.exists else []

    def progress(self, layout: Layout) -> Progress:
        """The greatest sequence recorded so far: from the last commit, or where that says nothing from the log."""
        if not self.exists:
            return Progress(is_empty=True, greatest=None)
        self._said = _said_by_last_commit(Path(self._path))
        if _GREATEST not in self._said:
            sequence_type = layout.plan.sequence_type
            found = self.log().agg(expr(f"{encoded(f'max({SEQUENCE})', sequence_type)} as greatest")).first()
            assert found is not None  # an aggregate without groups has one row
            self._said = {**self._said, _GREATEST: found["greatest"]}
        return Progress(is_empty=False, greatest=self._said[_GREATEST])

    @contextmanager
    def _saying_the_same(self) -> Iterator[None]:
        """Within it, commits that record no event say what the last one said."""
        with session_conf(self._spark, {_USER_METADATA: json.dumps(self._said)} if self._said else {}):
            yield

    def prepare(self, layout: Layout, *, truncated: bool) -> None:
        """Make the table fit to take a batch: created, with the columns of the layout.

        Args:
            layout: the columns.
            truncated: whether the batch truncates; remembered as a property, so that no batch of a flow without
                truncates has to look for them.
        """
        with self._saying_the_same():
            if self.exists:
                evolve(self._spark, self._name, [*layout.keys, *layout.kept, *_authored(layout)])
            else:
                self._create(layout)
                self.is_empty = True
            properties = self._spark.sql(f"show tblproperties {self._name}").collect()
            self.has_truncates = any(row["key"] == _HAS_TRUNCATES for row in properties)
            if truncated and not self.has_truncates:
                self._spark.sql(f"alter table {self._name} set tblproperties ('{_HAS_TRUNCATES}' = 'true')")
                self.has_truncates = True

    def _create(self, layout: Layout) -> None:
        # Column mapping lets names hold any character.
        fields = [
            *layout.keys,
            StructField(SEQUENCE, layout.plan.sequence_type),
            *([StructField(SYSTEM, layout.plan.system_sequence_type)] if layout.plan.system_sequence_type else []),
            StructField(KIND, ByteType()),
            StructField(DIGEST, StringType()),
            StructField(RECORDED_AT, TimestampType()),
            *layout.kept,
            *_authored(layout),
        ]
        (
            DeltaTable.createIfNotExists(self._spark)
            .location(self._path)
            .addColumns(StructType(fields))
            .property("delta.columnMapping.mode", "name")
            .execute()
        )

    def log(self) -> DataFrame:
        """Every row, tombstones that have expired aside."""
        rows = self._spark.read.format("delta").load(self._path)
        if self._retention is None:
            return rows
        seconds = self._retention.total_seconds()
        return rows.where(
            f"not ({KIND} = {DELETE} and {RECORDED_AT} "
            f"< current_timestamp() - make_dt_interval(0, 0, 0, {seconds:.6f}))"
        )

    def mark(self) -> DataFrame:
        """One row, `__cdc_mark`: the sequence of the last truncate, or NULL."""
        return self.log().where(f"{KIND} = {TRUNCATE}").selectExpr(f"max({SEQUENCE}) as __cdc_mark")

    def latest(self, layout: Layout, rows: DataFrame | None = None) -> DataFrame:
        """Per key the greatest event, where only that counts: keys, `__cdc_latest`."""
        rows = self.log() if rows is None else rows
        return rows.where(f"{KIND} <> {TRUNCATE}").groupBy(*names(layout.keys)).agg(expr(f"max({ORDER}) as {LATEST}"))

    def append(
        self, layout: Layout, events: DataFrame, *, application_id: str, batch_id: int, greatest: str | None
    ) -> None:
        """Add in one commit the events that the log does not hold yet.

        Args:
            layout: the columns.
            events: `timelines` where every event counts, else `judged`.
            application_id: written with the batch into the commit, to trace it.
            batch_id: of the micro-batch.
            greatest: `Read.greatest`.
        """
        self._said = {"application_id": application_id, "batch_id": batch_id, _GREATEST: greatest}
        identity = [*layout.event, KIND, DIGEST]
        if not layout.plan.needs_every_event:
            order = (f"{LATEST}.{name} as {name}" for name in (SEQUENCE, KIND, DIGEST))
            identity = [*names(layout.keys), *order]
        kept = [*names(layout.kept), *(f.name for f in _authored(layout))]
        (
            events.where(IS_NEW)
            .selectExpr(*identity, f"current_timestamp() as {RECORDED_AT}", *kept)
            .write.format("delta")
            .mode("append")
            .option("userMetadata", json.dumps(self._said))
            .save(self._path)
        )

    def compact(self, layout: Layout, batch_id: int) -> None:
        """From time to time, drop what is superseded if that is half of the log, else join small
        files.

        The cost is in proportion to what was appended since, not to the size of the log; what the
        log means stays the same.
        """
        if (batch_id + 1) % _COMPACT_EVERY:
            return
        rows = self.log()
        if not layout.plan.needs_every_event:
            counted = (
                rows.groupBy(*names(layout.keys)).count().selectExpr("sum(count) as rows", "count(*) as keys").first()
            )
            if counted is not None and counted["keys"] and counted["rows"] >= 2 * counted["keys"]:
                self._rewrite(layout, rows)
                return
        self._join_small_files()

    def _rewrite(self, layout: Layout, rows: DataFrame) -> None:
        keys = names(layout.keys)
        latest = rows.groupBy(*keys).agg(expr(f"max_by(struct({ORDER} as o, {RECORDED_AT}), {ORDER}) as latest"))
        (
            latest.selectExpr(
                *keys,
                f"latest.o.{SEQUENCE}",
                f"latest.o.{KIND}",
                f"latest.o.{DIGEST}",
                f"latest.{RECORDED_AT}",
            )
            .write.format("delta")
            .option("userMetadata", json.dumps(self._said))
            .mode("overwrite")
            .save(self._path)
        )

    def _join_small_files(self) -> None:
        settings = dict.fromkeys(
            ("spark.databricks.delta.optimize.minFileSize", "spark.databricks.delta.optimize.maxFileSize"),
            str(_COMPACTED_FILE_BYTES),
        )
        with self._saying_the_same(), session_conf(self._spark, settings):
            self._spark.sql(f"optimize {self._name}")


def _said_by_last_commit(table: Path) -> dict[str, Any]:
    """The metadata that the last commit of a Delta table was given; empty where it was given none.

    https://github.com/delta-io/delta/blob/master/PROTOCOL.md#commit-provenance-information
    """
    last = max((table / "_delta_log").glob(f"{'[0-9]' * 20}.json"))
    with last.open(encoding="utf-8") as actions:
        for line in actions:
            if line.startswith('{"commitInfo"'):
                said = json.loads(line)["commitInfo"].get("userMetadata")
                return dict(json.loads(said)) if said else {}
    return {}


def _authored(layout: Layout) -> list[StructField]:
    return [StructField(AUTHORED, ArrayType(StringType()))] if layout.plan.columns_to_update is not None else []
