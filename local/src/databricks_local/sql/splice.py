"""Replacing parts of a statement by their token positions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in place of `sql[start:end]`."""

    start: int
    end: int
    text: str


def splice(sql: str, edits: list[Edit]) -> str:
    """The statement with every edit made.

    Raises:
        ValueError: two edits overlap.
    """
    out: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < position:
            raise ValueError(f"overlapping edits at character {edit.start}")
        out.append(sql[position : edit.start])
        out.append(edit.text)
        position = edit.end
    out.append(sql[position:])
    return "".join(out)
