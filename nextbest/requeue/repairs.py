"""Files with repaired rows: JSON lines or CSV, each row with its `quarantine_id` and the columns that changed."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ID = "quarantine_id"
# Written by --export to show why a row was refused; not part of the record.
SHOWN = frozenset({"broken_rules"})


class RepairError(Exception):
    """A repaired row cannot be taken; the message names the file, the line and what is wrong."""


@dataclass(frozen=True)
class Repair:
    """New values of a refused row.

    Attributes:
        quarantine_id: of the row.
        values: by column, as text that casts to its type; None is NULL. Columns that are not here stay as they are.
    """

    quarantine_id: str
    values: dict[str, str | None]


def read_repairs(file: Path, columns: Collection[str]) -> list[Repair]:
    """Read a file of repaired rows.

    A JSON object or array as a value becomes its text, for columns that hold JSON. An empty CSV field is NULL.

    Args:
        file: `.csv` with a header, anything else is read as JSON lines.
        columns: those that may be repaired.

    Raises:
        RepairError: the file cannot be read, or a row has no quarantine_id, one that came before, or another column.
    """
    try:
        rows = list(_csv_rows(file) if file.suffix.lower() == ".csv" else _json_rows(file))
    except OSError as error:
        raise RepairError(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise RepairError(f"{file} is not UTF-8 (byte {error.start})") from error
    by_name = {name.lower(): name for name in columns}
    seen: dict[str, int] = {}
    repairs = []
    for line, row in rows:
        where = f"{file}, line {line}"
        quarantine_id = row.pop(ID, None)
        if not isinstance(quarantine_id, str) or not quarantine_id:
            raise RepairError(f"{where}: no {ID}; take it from `nextbest requeue <feed> --export <file>`")
        if quarantine_id in seen:
            first = seen[quarantine_id]
            raise RepairError(f"{where}: {ID} {quarantine_id} came before, on line {first}; repair it once")
        seen[quarantine_id] = line
        values = {}
        for name, value in row.items():
            if name in SHOWN:
                continue
            if name.lower() not in by_name:
                raise RepairError(f"{where}: {name} is no column of the record; it has {', '.join(columns)}")
            values[by_name[name.lower()]] = _text(value)
        repairs.append(Repair(quarantine_id, values))
    return repairs


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise RepairError(f"{file}, line {reader.line_num}: another number of fields than the header has")
                yield reader.line_num, {name: value or None for name, value in row.items()}
        except csv.Error as error:
            raise RepairError(f"{file}, line {reader.line_num}: {error}") from error


def _json_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise RepairError(f"{file}, line {number}: not JSON ({error.msg}, column {error.colno})") from error
            if not isinstance(row, dict):
                raise RepairError(f"{file}, line {number}: expected a JSON object")
            yield number, row


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
