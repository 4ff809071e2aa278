"""Stopping a refresh between two of the durable steps of a batch.

A batch of an AUTO CDC flow leaves traces in this order: Spark writes its offsets into the checkpoint, the state's table
is made or gets its columns, the events are appended to it, the changes are merged into the target, the state is
compacted when it is time, Spark commits the batch in the checkpoint. A process that dies leaves the steps up to some
point; raising right after a step leaves the same on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from databricks_local import auto_cdc
from databricks_local.auto_cdc import engine
from databricks_local.auto_cdc.layout import Layout
from databricks_local.auto_cdc.state import State

MESSAGE = "stopped here by the convergence kit"

# Per step the function that takes it, and whether to stop before or behind it.
_POINTS: dict[str, tuple[Any, str, bool]] = {
    "offsets": (auto_cdc, "apply", False),
    "state": (State, "prepare", True),
    "events": (State, "append", True),
    "target": (engine, "merge", True),
    "compaction": (State, "compact", True),
}

STEPS = tuple(_POINTS)
"""The durable steps of a batch after which it can be stopped, in their order; the one behind them is Spark's commit."""


class Stopped(Exception):  # noqa: N818  (it is no error of the table)
    """The simulated death of a process."""


@contextmanager
def crashing_after(step: str) -> Iterator[None]:
    """Within it, every batch stops after a step.

    Raises:
        ValueError: there is no such step.
    """
    if step not in _POINTS:
        raise ValueError(f"{step!r} is no durable step of a batch; expected one of {', '.join(STEPS)}")
    owner, name, taken = _POINTS[step]
    original = getattr(owner, name)

    def stop(*arguments: Any, **options: Any) -> Any:
        if taken:
            original(*arguments, **options)
        raise Stopped(MESSAGE)

    with mock.patch.object(owner, name, stop):
        yield


@contextmanager
def compacting() -> Iterator[None]:
    """Within it, every batch compacts the state at its end, due or not."""

    def compact(self: State, layout: Layout, batch_id: int) -> None:
        if layout.plan.needs_every_event:
            self._join_small_files()
        else:
            self._rewrite(layout, self.log())

    with mock.patch.object(State, "compact", compact):
        yield
