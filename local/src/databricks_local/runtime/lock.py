"""One process at a time writes a warehouse; the others are told who holds it."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from databricks_local.errors import OperationalError

logger = logging.getLogger(__name__)

DEFAULT_WAIT_SECONDS = 30.0
WAIT_VARIABLE = "DATABRICKS_LOCAL_LOCK_WAIT"
_QUIET_SECONDS = 2.0


class WarehouseLock:
    """Holds a warehouse for this process; the operating system releases it even after `kill -9`.

    Args:
        path: the lock file; beside it stands `<name>.holder` with the holder's process id, command and start.
        warehouse: the directory that errors name.
    """

    def __init__(self, path: Path, warehouse: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path, is_singleton=False, thread_local=False)
        self._holder = path.with_name(path.name + ".holder")
        self._warehouse = warehouse

    def acquire(self, wait_seconds: float | None = None) -> None:
        """Take the lock, waiting for another process to finish.

        Args:
            wait_seconds: how long to wait; by default `DATABRICKS_LOCAL_LOCK_WAIT`, otherwise 30 seconds.

        Raises:
            OperationalError: another process still holds the warehouse; names its id and command.
        """
        wait = _default_wait() if wait_seconds is None else wait_seconds
        deadline = time.monotonic() + wait
        try:
            self._lock.acquire(timeout=min(wait, _QUIET_SECONDS), poll_interval=0.05)
        except Timeout:
            logger.warning(
                "waiting up to %.0f s for warehouse %s, held by %s",
                wait,
                self._warehouse,
                self.holder(),
            )
            try:
                self._lock.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=0.1)
            except Timeout:
                raise self._held() from None
        self._holder.write_text(
            json.dumps(
                {
                    "pid": os.getpid(),
                    "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                }
            )
        )

    def release(self) -> None:
        """Give the lock back."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> str:
        """Who holds the lock, in words."""
        try:
            known = json.loads(self._holder.read_text())
        except (OSError, ValueError):
            return "another process"
        return f"process {known['pid']} ({known['command']}) since {known['since']}"

    def _held(self) -> OperationalError:
        error = OperationalError(
            f"[WAREHOUSE_IN_USE] warehouse {self._warehouse} is held by {self.holder()}: one process at a time can "
            f"write it. Wait for it to end, stop it, set {WAIT_VARIABLE} to wait longer (seconds), or use another "
            "warehouse directory. Its Delta tables can be read by path meanwhile."
        )
        error.tagged("WAREHOUSE_IN_USE")
        return error


def _default_wait() -> float:
    given = os.environ.get(WAIT_VARIABLE)
    if given is None:
        return DEFAULT_WAIT_SECONDS
    try:
        return float(given)
    except ValueError:
        raise OperationalError(f"{WAIT_VARIABLE} must be a number of seconds, not {given!r}") from None
