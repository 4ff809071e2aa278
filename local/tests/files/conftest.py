"""Files in a landing directory, read as a query would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from databricks_local.files.reader import read_files
from databricks_local.files.star import hide_metadata
from databricks_local.sql.read_files import parse_arguments


class Queries:
    """Runs queries over `read_files` as the executor does: the call becomes a temporary view."""

    def __init__(self, spark: SparkSession, directory: Path) -> None:
        self.spark = spark
        self.directory = directory
        self.landing = directory / "landing"
        self.landing.mkdir()
        self.state = directory / "state"

    def put(self, name: str, content: str | bytes) -> Path:
        """Write a file below the landing directory."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def _frame(self, options: str, query: str, *, streaming: bool) -> DataFrame:
        path = self.landing if not options.startswith("'") else None
        text = options if path is None else f"'{path}'" + (f", {options}" if options else "")
        frame = read_files(
            self.spark,
            parse_arguments(text),
            streaming=streaming,
            state=self.state if streaming else None,
        )
        frame.createOrReplaceTempView("files")
        return self.spark.sql(hide_metadata(query, ["files"]))

    def batch(self, options: str, query: str = "select * from files") -> list[dict[str, Any]]:
        """The rows of a batch query."""
        return [row.asDict(recursive=True) for row in self._frame(options, query, streaming=False).collect()]

    def refresh(self, options: str, query: str = "select * from files") -> list[dict[str, Any]]:
        """Read what is new into a Delta table, as a streaming table does; returns all rows of the table."""
        target, checkpoint = str(self.directory / "target"), str(self.directory / "checkpoint")
        stream = self._frame(options, query, streaming=True)
        stream.writeStream.format("delta").option("checkpointLocation", checkpoint).option(
            "mergeSchema", "true"
        ).trigger(availableNow=True).start(target).awaitTermination()
        return self.loaded()

    def loaded(self) -> list[dict[str, Any]]:
        """All rows of the streaming table."""
        target = self.directory / "target"
        if not target.exists():
            return []
        frame = self.spark.read.format("delta").load(str(target))
        return [row.asDict(recursive=True) for row in frame.collect()]


@pytest.fixture
def queries(spark: SparkSession, tmp_path: Path) -> Queries:
    return Queries(spark, tmp_path)
