"""COPY INTO: load files into a Delta table, each once.

Page: https://docs.databricks.com/aws/en/sql/language-manual/delta-copy-into. The list of loaded files is kept beside
the warehouse, by table identity, so that a table dropped and created again starts anew. A load is announced there
before its commit and carries the announcement's id in the commit (`userMetadata`); a statement that finds an
announcement looks for that commit, so that a crash on either side of it neither loads a file twice nor forgets one.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pyspark.sql import DataFrame, SparkSession

from databricks_local.errors import OperationalError, invalid, refused
from databricks_local.files.listing import Found, list_files, local_path, matches
from databricks_local.files.options import canonical_option, check_format
from databricks_local.files.reader import read_files
from databricks_local.files.source import METADATA
from databricks_local.files.star import hide_metadata
from databricks_local.sql.copy_into import CopyInto
from databricks_local.sql.read_files import ReadFilesArguments
from databricks_local.sql.tokens import quote_identifier

RESULT_SCHEMA = "num_affected_rows bigint, num_inserted_rows bigint, num_skipped_corrupt_files bigint"


def copy_into(
    spark: SparkSession,
    statement: CopyInto,
    *,
    ledger: Path,
    is_streaming_table: Callable[[str], bool] = lambda name: False,
) -> DataFrame:
    """Execute a parsed statement.

    Args:
        ledger: directory of the lists of loaded files, shared by all tables of a warehouse.
        is_streaming_table: tells whether the target, by its name as written, is a streaming table.

    Returns:
        one row of `RESULT_SCHEMA`; with VALIDATE the rows that would be loaded.

    Raises:
        NotSupportedError: the target is a streaming table.
        ProgrammingError: an unknown option or format.
        OperationalError: a file named in FILES does not exist, or the path stands for nothing.
    """
    target = _target(statement)
    if is_streaming_table(str(statement.target)):
        raise refused(
            "STREAMING_TABLE_OPERATION_NOT_ALLOWED.COPY_INTO",
            f"COPY INTO {statement.target}: a streaming table is loaded by its own query; copy into a Delta table",
        )
    identity = spark.sql(f"describe detail {target}").collect()[0]["id"]
    listed = _listed(spark, statement)
    ledger.mkdir(parents=True, exist_ok=True)
    with FileLock(ledger / f"{identity}.lock"):
        book = _Book(spark, ledger / identity, target)
        forced = statement.copy_options.get("force") == "true"
        fresh = [file for file in listed if forced or file.path not in book.loaded]
        if statement.validate is not None:
            checked = _rows(spark, statement, fresh)
            return checked if statement.validate < 0 else checked.limit(statement.validate)
        inserted = _load(spark, statement, target, fresh, book) if fresh else 0
    return spark.createDataFrame([(inserted, inserted, 0)], RESULT_SCHEMA)


def _load(spark: SparkSession, statement: CopyInto, target: str, files: Sequence[Found], book: _Book) -> int:
    rows = _rows(spark, statement, files)
    announcement = book.announce(files)
    writer = rows.write.format("delta").mode("append").option("userMetadata", announcement)
    if statement.copy_options.get("mergeschema") == "true":
        writer = writer.option("mergeSchema", "true")
    if statement.target.parts[0].lower() == "delta" and len(statement.target.parts) == 2:
        writer.save(local_path(statement.target.table))
    elif statement.by_position:
        writer.insertInto(target)
    else:
        writer.saveAsTable(target)
    book.confirm()
    metrics = book.metrics(announcement)
    return int(metrics.get("numOutputRows", 0))


def _target(statement: CopyInto) -> str:
    parts = statement.target.parts
    if len(parts) == 2 and parts[0].lower() == "delta":
        return f"delta.{quote_identifier(local_path(parts[1]))}"
    return statement.target.quoted()


def _listed(spark: SparkSession, statement: CopyInto) -> list[Found]:
    if statement.files:
        listed = []
        for name in statement.files:
            present = list_files(spark, os.path.join(local_path(statement.path), name))
            if not present:
                raise OperationalError(f"COPY INTO {statement.target}: no file {name!r} in {statement.path}")
            listed += present
        return listed
    listed = list_files(spark, statement.path)
    if not listed and not os.path.exists(local_path(statement.path)):
        raise OperationalError(f"COPY INTO {statement.target}: the path {statement.path} does not exist")
    if statement.pattern is None:
        return listed
    root = local_path(statement.path)
    return [file for file in listed if matches(os.path.relpath(file.path, root), statement.pattern)]


def _rows(spark: SparkSession, statement: CopyInto, files: Sequence[Found]) -> DataFrame:
    options = {"format": check_format(statement.file_format), **_format_options(statement)}
    frame = read_files(spark, ReadFilesArguments(statement.path, options), streaming=False, state=None, files=files)
    if "rescuedDataColumn" not in options and "_rescued_data" in frame.columns:
        frame = frame.drop("_rescued_data")
    view = f"copy_into_{uuid.uuid4().hex}"
    frame.createOrReplaceTempView(view)
    try:
        rows = spark.sql(hide_metadata(f"select {statement.select or '*'} from {view}", [view]))
    finally:
        spark.catalog.dropTempView(view)
    if statement.columns:
        if len(statement.columns) != len(rows.columns):
            raise invalid(
                "INSERT_COLUMN_ARITY_MISMATCH",
                f"COPY INTO {statement.target}: {len(statement.columns)} columns are named, "
                f"{len(rows.columns)} are read",
            )
        rows = rows.toDF(*statement.columns)
    if METADATA in rows.columns:
        rows = rows.drop(METADATA)
    return rows


def _format_options(statement: CopyInto) -> Mapping[str, str]:
    options = {canonical_option(k, statement="COPY INTO"): v for k, v in statement.format_options.items()}
    if statement.file_format.lower() == "csv":
        # The CSV options of COPY INTO default to no header and to strings.
        options.setdefault("header", "false")
        options.setdefault("inferSchema", "false")
    return options


@dataclass
class _Book:
    """The list of files loaded into one table, one numbered file of names per load."""

    spark: SparkSession
    directory: Path
    target: str

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._pending = self.directory / "pending.json"
        self._settle()
        self.loaded = {
            path for page in self.directory.glob("[0-9]*.json") for path in json.loads(page.read_text("utf-8"))["files"]
        }

    def announce(self, files: Sequence[Found]) -> str:
        """Note a load that is about to be committed; returns what the commit has to carry."""
        announcement = f"copy into {uuid.uuid4()}"
        content = json.dumps({"id": announcement, "files": [file.path for file in files]})
        draft = self.directory / ".draft"
        with draft.open("w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self._pending)
        return announcement

    def confirm(self) -> None:
        """Count the announced files as loaded."""
        self._pending.replace(self.directory / f"{len(list(self.directory.glob('[0-9]*.json'))):08d}.json")

    def metrics(self, announcement: str) -> Mapping[str, str]:
        """The operation metrics of the commit that carries an announcement; empty if there is none."""
        found = self._commits(announcement)
        return found[0] if found else {}

    def _settle(self) -> None:
        if not self._pending.exists():
            return
        announcement = json.loads(self._pending.read_text("utf-8"))["id"]
        if self._commits(announcement):
            self.confirm()
        else:
            self._pending.unlink()

    def _commits(self, announcement: str) -> list[Mapping[str, str]]:
        history = self.spark.sql(f"describe history {self.target}")
        found = history.where(history["userMetadata"] == announcement).select("operationMetrics").collect()
        return [row["operationMetrics"] for row in found]
