"""Named histories: files of the form that a failure's report has, replayed before anything else.

    - name: a_delete_is_remembered
      rule: "10"
      why: A delete counts though its key was never seen; an older upsert that arrives later stays suppressed.
      batches:
        - [delete 5]
        - [upsert 3 aaa]

A directory holds any number of `.yml` files, a file any number of histories. Lines of a batch are those of `histories`;
`crash after <step>`, `compact` and `add column` befall the whole table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from databricks_local.testing.histories import History, Schedule, parse_batches

BUILT_IN = Path(__file__).parent / "cdc_histories"
"""The histories that the kit itself brings."""

_REQUIRED = {"name", "why", "batches"}


@dataclass(frozen=True)
class Fixture:
    """A named history.

    Attributes:
        name: unique among the files of a run.
        rule: the rule of AUTO CDC that it is about, or "" for one that a failure gave.
        why: what it shows.
        history: events and delivery.
        schedule: what befalls the table.
    """

    name: str
    rule: str
    why: str
    history: History
    schedule: Schedule

    @property
    def truncates(self) -> list[tuple[int, int]]:
        """Each truncate as (batch, place)."""
        return [(n, at) for n, happened in enumerate(self.schedule) for at in happened.truncates]

    @property
    def added_columns(self) -> list[int]:
        """The batches from which on the source has one more column."""
        return [n for n, happened in enumerate(self.schedule) if happened.add_column]

    @property
    def needs_a_table(self) -> bool:
        """Whether it cannot be a key among others, because something of its own befalls the table."""
        shared = len(self.truncates) + len(self.added_columns) <= 1
        return not shared or any(happened.crashes or happened.compact for happened in self.schedule)


def read_fixtures(*directories: Path) -> list[Fixture]:
    """All fixtures of some directories, in the order of file names.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    fixtures: dict[str, Fixture] = {}
    for directory in directories:
        for path in sorted(directory.glob("*.yml")):
            for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
                fixture = _fixture(path, entry)
                if fixture.name in fixtures:
                    raise ValueError(f"{path}: the history {fixture.name} is there twice; give it another name")
                fixtures[fixture.name] = fixture
    return list(fixtures.values())


def _fixture(path: Path, entry: Any) -> Fixture:
    if not isinstance(entry, dict) or not _REQUIRED <= set(entry) <= {*_REQUIRED, "rule"}:
        raise ValueError(
            f"{path}: {entry!r} is no history; expected a mapping with `name`, `why`, `batches` (a list of lists of "
            "lines) and, if it has one, `rule`"
        )
    batches = entry["batches"]
    if not isinstance(batches, list) or not all(isinstance(batch, list) for batch in batches):
        raise ValueError(f"{path}: batches of {entry['name']} is {batches!r}; expected a list of lists of lines")
    name = str(entry["name"])
    history, schedule = parse_batches([[str(line) for line in batch] for batch in batches], f"{path}: {name}")
    renamed = History(history.events, history.batches, name)
    return Fixture(name, str(entry.get("rule", "")), str(entry["why"]), renamed, schedule)


def as_yaml(name: str, why: str, history: History, schedule: Schedule) -> str:
    """A history as an entry of a file."""
    lines = [f"- name: {name}", f"  why: {json.dumps(why, ensure_ascii=False)}", "  batches:"]
    lines += [f"    - [{', '.join(batch)}]" for batch in history.lines(schedule)]
    return "\n".join(lines) + "\n"
