"""Frames that are computed once, however often they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame


@contextmanager
def materialized(frame: DataFrame) -> Iterator[DataFrame]:
    """The rows of a frame, kept in memory and on disk while the block runs.

    A local checkpoint, not `persist`: Spark drops a persisted frame as soon as a table that it was read from gets a
    commit, and computes it again, and every plan on top of it carries the whole plan below it.
    """
    kept = frame.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK)
    try:
        yield kept
    finally:
        kept._jdf.queryExecution().logical().rdd().unpersist(False)
