"""Which files a path stands for.

Rules: the section "File discovery" of the page of read_files. A directory is read with its subdirectories
unless the path is a glob; names that begin with `_` or `.` are ignored, and so is what lies below them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyspark.sql import SparkSession

from databricks_local.errors import refused

_GLOB = re.compile(r"[*?\[{]")
_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]+):")


@dataclass(frozen=True)
class Found:
    """One file: its absolute path, its modification time in nanoseconds, its size in bytes."""

    path: str
    modified: int
    size: int


def local_path(path: str) -> str:
    """The absolute path without a `file:` scheme.

    Raises:
        NotSupportedError: a remote scheme.
    """
    scheme = _SCHEME.match(path)
    if scheme is None:
        return os.path.abspath(path)
    if scheme[1].lower() not in ("file", "dbfs"):
        raise refused(
            "READ_FILES_SCHEME_NOT_SUPPORTED",
            f"{path}: only local or mounted paths are read here, not {scheme[1]}://; mount it or copy the files",
        )
    return os.path.abspath(re.sub(r"^/{2,}", "/", path[scheme.end() :]))


def is_glob(path: str) -> bool:
    """Whether the path is a pattern rather than the name of something that exists."""
    return _GLOB.search(path) is not None and not os.path.exists(path)


def list_files(
    spark: SparkSession,
    path: str,
    *,
    name_pattern: str | None = None,
    recursive: bool | None = None,
) -> list[Found]:
    """The files that a path stands for now, by path.

    Args:
        spark: expands globs by Hadoop's rules, which differ from Python's.
        path: directory, file or glob.
        name_pattern: glob over file names.
        recursive: whether subdirectories are read; by default unless the path is a glob.
    """
    absolute = local_path(path)
    globbed = is_glob(absolute)
    roots = _expand(spark, absolute) if globbed else [absolute]
    descend = not globbed if recursive is None else recursive
    found: dict[str, Found] = {}
    for root in roots:
        for file in _walk(root, descend):
            if name_pattern is None or matches(os.path.basename(file.path), name_pattern):
                found[file.path] = file
    return [found[name] for name in sorted(found)]


def matches(name: str, pattern: str) -> bool:
    """Whether a file name matches a glob, alternatives in braces included."""
    return any(fnmatchcase(name, alternative) for alternative in _alternatives(pattern))


def _alternatives(pattern: str) -> Iterator[str]:
    opening = pattern.find("{")
    closing = pattern.find("}", opening)
    if opening < 0 or closing < 0:
        yield pattern.replace("[^", "[!")
        return
    for choice in pattern[opening + 1 : closing].split(","):
        yield from _alternatives(pattern[:opening] + choice + pattern[closing + 1 :])


def _expand(spark: SparkSession, pattern: str) -> list[str]:
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(pattern)
    context: Any = spark._jsparkSession.sparkContext()
    matched = path.getFileSystem(context.hadoopConfiguration()).globStatus(path)
    return sorted(status.getPath().toUri().getPath() for status in matched or [])


def _hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _walk(root: str, descend: bool) -> Iterator[Found]:
    if os.path.isfile(root):
        if not _hidden(os.path.basename(root)):
            yield _found(root)
        return
    if not os.path.isdir(root):
        return
    for directory, subdirectories, names in os.walk(root, followlinks=True):
        subdirectories[:] = sorted(n for n in subdirectories if not _hidden(n)) if descend else []
        for name in names:
            if not _hidden(name):
                try:
                    yield _found(os.path.join(directory, name))
                except FileNotFoundError:
                    continue


def _found(path: str) -> Found:
    status = os.stat(path)
    return Found(path, status.st_mtime_ns, status.st_size)


_EXTENSIONS = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".orc": "orc",
    ".txt": "text",
}


def format_of(files: list[Found]) -> str | None:
    """The format that the names of all files agree on, or None."""
    kinds = set()
    for file in files:
        plain = Path(file.path.removesuffix(".gz").removesuffix(".bz2"))
        kinds.add(_EXTENSIONS.get(plain.suffix.lower()))
    return kinds.pop() if len(kinds) == 1 else None


def partitions_of(files: list[Found], root: str) -> dict[str, list[str]]:
    """The values of hive-style directories (`name=value`) below a root, by name, in order of depth."""
    base = local_path(root)
    values: dict[str, list[str]] = {}
    for file in files:
        prefix = base if file.path.startswith(base) else ""
        for part in Path(file.path[len(prefix) :]).parts[:-1]:
            name, equals, value = part.partition("=")
            if equals and name:
                values.setdefault(name, []).append(unquote(value))
    return values
