"""DB-API 2.0 exceptions that keep Spark's error class.

The hierarchy is the one of PEP 249, rooted in the classes of `databricks.sql`, so that code written against
the Databricks connector catches the same names here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from databricks.sql import exc as databricks_exc
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException


class ErrorClass:
    """What Spark says about an error beside its message.

    Attributes:
        error_class: the condition's name, e.g. `TABLE_OR_VIEW_NOT_FOUND`; None where Spark gives none.
        sqlstate: five characters, e.g. `42P01`; None where Spark gives none.
    """

    error_class: str | None = None
    sqlstate: str | None = None

    def tagged(self, error_class: str | None, sqlstate: str | None = None) -> ErrorClass:
        """Return this error, carrying the given class and state."""
        self.error_class = error_class
        self.sqlstate = sqlstate
        return self


class Warning(databricks_exc.Warning):  # noqa: A001  (PEP 249 names it so)
    """An important warning."""


class Error(ErrorClass, databricks_exc.Error):
    """Base of every error raised by a connection or a cursor."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class InterfaceError(Error, databricks_exc.InterfaceError):
    """Misuse of the connection or the cursor itself."""


class DatabaseError(Error, databricks_exc.DatabaseError):
    """An error of the engine."""


class DataError(DatabaseError, databricks_exc.DataError):
    """A value that cannot be processed: overflow, a failed cast, a broken constraint."""


class OperationalError(DatabaseError, databricks_exc.OperationalError):
    """Something outside the statement: Java, disk, lock, a source that was rewritten."""


class IntegrityError(DatabaseError, databricks_exc.IntegrityError):
    """A constraint or an expectation refused a row."""


class InternalError(DatabaseError, databricks_exc.InternalError):
    """The engine lost its own thread."""


class ProgrammingError(DatabaseError, databricks_exc.ProgrammingError):
    """The statement is wrong: syntax, a missing table, a wrong option."""


class NotSupportedError(DatabaseError, databricks_exc.NotSupportedError):
    """A statement that Databricks refuses, or that this executor does not know."""


def refused(condition: str, message: str) -> NotSupportedError:
    """Return the error for what Databricks documents as refused.

    Args:
        condition: the error class that a user can search for.
        message: what was refused, and what to do instead.
    """
    error = NotSupportedError(f"[{condition}] {message}")
    error.tagged(condition)
    return error


def invalid(condition: str, message: str) -> ProgrammingError:
    """Return the error for a statement that is wrong as written."""
    error = ProgrammingError(f"[{condition}] {message}")
    error.tagged(condition)
    return error


_DATA_STATES = ("22", "21")
_INTEGRITY_STATES = ("23", "44")
_OPERATIONAL_STATES = ("08", "53", "55", "57", "58", "KD")


def from_spark(error: BaseException) -> DatabaseError:
    """Translate an exception of PySpark or Py4J, keeping its error class and SQL state.

    Where Spark wraps what went wrong (a failed stream, stage or task), the error is the cause. The class of the result
    follows the first two characters of the SQL state (ISO/IEC 9075: 22 is a data exception, 23 and 44 a broken
    constraint); everything else about a statement is a ProgrammingError.
    """
    if isinstance(error, DatabaseError):
        return error
    found = _cause(error)
    kind: type[DatabaseError] = ProgrammingError
    if found.state and found.state.startswith(_DATA_STATES):
        kind = DataError
    elif found.state and found.state.startswith(_INTEGRITY_STATES):
        kind = IntegrityError
    elif found.state is None or found.state.startswith(_OPERATIONAL_STATES):
        kind = OperationalError
    message = found.message
    if found.condition and not message.startswith("["):
        message = f"[{found.condition}] {message}"
    translated = kind(message)
    translated.tagged(found.condition, found.state)
    return translated


@dataclass(frozen=True)
class _Cause:
    message: str
    condition: str | None = None
    state: str | None = None


# Conditions that say only that something inside went wrong.
_WRAPPERS = frozenset({"STREAM_FAILED", "TASK_WRITE_FAILED", "FAILED_EXECUTE_UDF", "FOREACH_BATCH_USER_FUNCTION_ERROR"})
# Structured Streaming appends its whole plan, and analysis errors theirs.
_APPENDED = re.compile(r"\n+(=== Streaming Query ===|JVM stacktrace:|== Parsed|\s*'?[A-Z][A-Za-z]+ \[).*", re.DOTALL)


def _cause(error: BaseException) -> _Cause:
    """The innermost Java exception with a condition of its own, or what the Python exception says."""
    thrown = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    found: _Cause | None = None
    while thrown is not None:
        cause = _described(thrown)
        if cause is not None and (found is None or cause.condition not in _WRAPPERS):
            found = cause
        thrown = thrown.getCause()
    if found is not None:
        return found
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    state = error.getSqlState() if isinstance(error, PySparkException) else None
    return _Cause(_APPENDED.sub("", str(error)).strip(), condition, state)


def _described(thrown: Any) -> _Cause | None:
    """What a Java exception says, if it carries a condition (org.apache.spark.SparkThrowable)."""
    try:
        condition = thrown.getCondition()
    except Py4JError:
        return None
    if condition is None:
        return None
    try:
        message = thrown.getSimpleMessage()
    except Py4JError:
        message = thrown.getMessage()
    return _Cause(_APPENDED.sub("", str(message)).strip(), str(condition), thrown.getSqlState())
