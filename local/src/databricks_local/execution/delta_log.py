"""A table's metadata from the files of its Delta log, without a Spark job.

A build asks for the same few facts of every table again and again. They are read here from the JSON
commits (and the last checkpoint), and remembered, so that a later question reads only the commits
since. Protocol: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql.types import StructType

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint.*\.(parquet|json)")
_CLUSTERING = "delta.clustering"

# A log of up to so many commits is read from its beginning: a checkpoint does not say whether a
# table is a clone.
_SHORT = 100
_PHYSICAL_NAME = "delta.columnMapping.physicalName"

# Only these actions say something about the table as a whole; a commit may hold many thousands of
# others.
_WANTED = ('{"metaData"', '{"domainMetadata"', '{"commitInfo"')


@dataclass(frozen=True)
class DeltaMetadata:
    """What the log says of a table.

    Attributes:
        version: number of the last commit.
        modified: when the last commit was written, UTC.
        table_id: the identity that Delta gave the table.
        description: the table's comment.
        schema: columns with their metadata (comment, default, generation).
        partition_columns: in partitioning order.
        clustering_columns: logical names, nested fields joined by a dot.
        configuration: the table properties that are set.
        created: when the table was created, UTC.
        shallow_clone: whether its last whole replacement was a shallow clone.
    """

    version: int
    modified: datetime
    table_id: str = ""
    description: str | None = None
    schema: StructType = field(default_factory=StructType)
    partition_columns: tuple[str, ...] = ()
    clustering_columns: tuple[str, ...] = ()
    configuration: dict[str, str] = field(default_factory=dict)
    created: datetime | None = None
    shallow_clone: bool = False


@dataclass(frozen=True)
class _State:
    """Metadata up to one version, and the stamp of its file: another file is another table."""

    metadata: DeltaMetadata
    clustering: tuple[tuple[str, ...], ...]
    stamp: tuple[int, int]


_known: dict[Path, _State] = {}


def read_metadata(table: Path) -> DeltaMetadata | None:
    """The metadata of the Delta table in a directory; None where there is no Delta log."""
    log = table / "_delta_log"
    try:
        names = [entry.name for entry in log.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return None
    commits = sorted(int(match[1]) for name in names if (match := _COMMIT.fullmatch(name)))
    if not commits:
        return None
    last = commits[-1]
    known = _known.get(table)
    if known is not None and not (
        known.metadata.version <= last and _stamp(log, known.metadata.version) == known.stamp
    ):
        known = None
    if known is None or known.metadata.version < last:
        known = _read(log, names, commits, known)
        _known[table] = known
    return known.metadata


def _stamp(log: Path, version: int) -> tuple[int, int] | None:
    try:
        status = (log / f"{version:020}.json").stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _read(log: Path, names: list[str], commits: list[int], known: _State | None) -> _State:
    epoch = datetime.fromtimestamp(0, UTC)
    metadata = DeltaMetadata(-1, epoch) if known is None else known.metadata
    clustering = () if known is None else known.clustering
    if known is None and (commits[0] > 0 or len(commits) > _SHORT):
        version, actions = _checkpoint(log, names)
        metadata = replace(metadata, version=version)
        metadata, clustering = _apply(metadata, clustering, actions)
    for version in commits:
        if version > metadata.version:
            metadata, clustering = _apply(metadata, clustering, _actions(log / f"{version:020}.json"))
    last = commits[-1]
    stamp = _stamp(log, last)
    assert stamp is not None
    modified = datetime.fromtimestamp(stamp[1] / 1e9, UTC)
    metadata = replace(
        metadata,
        version=last,
        modified=modified,
        clustering_columns=_logical_names(metadata.schema, clustering),
    )
    return _State(metadata, clustering, stamp)


def _actions(commit: Path) -> list[dict[str, Any]]:
    with commit.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.startswith(_WANTED)]


def _checkpoint(log: Path, names: list[str]) -> tuple[int, list[dict[str, Any]]]:
    version = max((int(match[1]) for name in names if (match := _CHECKPOINT.fullmatch(name))), default=-1)
    actions: list[dict[str, Any]] = []
    for name in sorted(n for n in names if n.startswith(f"{version:020}.checkpoint")):
        path = log / name
        if name.endswith(".json"):
            actions.extend(_actions(path))
            continue
        columns = [c for c in ("metaData", "domainMetadata") if c in pq.read_schema(path).names]
        for row in pq.read_table(path, columns=columns).to_pylist(maps_as_pydicts="strict"):
            actions.extend({kind: value} for kind, value in row.items() if value is not None)
    return version, actions


Clustering = tuple[tuple[str, ...], ...]


def _apply(
    metadata: DeltaMetadata, clustering: Clustering, actions: list[dict[str, Any]]
) -> tuple[DeltaMetadata, Clustering]:
    for action in actions:
        if (found := action.get("metaData")) is not None:
            created = found.get("createdTime")
            metadata = replace(
                metadata,
                table_id=found["id"],
                description=found.get("description"),
                schema=StructType.fromJson(json.loads(found["schemaString"])),
                partition_columns=tuple(found.get("partitionColumns") or ()),
                configuration=dict(found.get("configuration") or {}),
                created=None if created is None else datetime.fromtimestamp(created / 1000, UTC),
            )
        elif (domain := action.get("domainMetadata")) is not None and domain["domain"] == _CLUSTERING:
            columns = json.loads(domain["configuration"])["clusteringColumns"] if not domain.get("removed") else []
            clustering = tuple(tuple(column) for column in columns)
        elif (commit := action.get("commitInfo")) is not None:
            operation = commit.get("operation", "")
            if operation == "CLONE":
                # Open Delta knows shallow clones only and does not say so; Databricks does.
                shallow = commit.get("operationParameters", {}).get("isShallow", True)
                metadata = replace(metadata, shallow_clone=str(shallow).lower() == "true")
            elif "REPLACE TABLE" in operation:
                metadata = replace(metadata, shallow_clone=False)
    return metadata, clustering


def _logical_names(schema: StructType, clustering: Clustering) -> tuple[str, ...]:
    """Clustering columns are recorded by physical name, which column mapping makes another one."""
    names = []
    for column in clustering:
        parts = []
        level: Any = schema
        for physical in column:
            found = None
            if isinstance(level, StructType):
                found = next(
                    (f for f in level.fields if f.metadata.get(_PHYSICAL_NAME, f.name) == physical),
                    None,
                )
            parts.append(physical if found is None else found.name)
            level = None if found is None else found.dataType
        names.append(".".join(parts))
    return tuple(names)
