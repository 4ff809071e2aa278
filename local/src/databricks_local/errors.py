"""DB-API 2.0 exceptions that keep Spark's error class.

The hierarchy is the one of PEP 249, rooted in the classes of `databricks.sql`, so that code written against
the Databricks connector catches the same names here.
"""

from __future__ import annotations

import re

from databricks.sql import exc as databricks_exc


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

    The class of the result follows the first two characters of the SQL state (ISO/IEC 9075: 22 is a data
    exception, 23 and 44 a broken constraint); everything else about a statement is a ProgrammingError.
    """
    if isinstance(error, DatabaseError):
        return error
    condition, state = _condition_of(error)
    message = _message_of(error)
    inner = _STREAM_FAILURE.search(message)
    if condition == "STREAM_FAILED" and inner is not None:
        condition, message, state = inner.group(1), message[inner.start(1) - 1 :], None
    if condition and not message.startswith("["):
        message = f"[{condition}] {message}"
    kind: type[DatabaseError] = ProgrammingError
    if state and state.startswith(_DATA_STATES):
        kind = DataError
    elif state and state.startswith(_INTEGRITY_STATES):
        kind = IntegrityError
    elif state is None or state.startswith(_OPERATIONAL_STATES):
        kind = OperationalError
    translated = kind(message)
    translated.tagged(condition, state)
    return translated


# Structured Streaming wraps what stopped a query; users search for the cause.
_STREAM_FAILURE = re.compile(r"\[(?!STREAM_FAILED\])([A-Z][A-Z0-9_.]+)\]")


def _message_of(error: BaseException) -> str:
    """The message without the query plan that Spark appends to analysis errors."""
    origin = getattr(error, "_origin", None)
    if origin is not None and hasattr(error, "getCondition"):
        try:
            return str(origin.getSimpleMessage())
        except Exception:
            return str(error)
    return str(error)


def _condition_of(error: BaseException) -> tuple[str | None, str | None]:
    condition: str | None = None
    state: str | None = None
    for getter in ("getCondition", "getErrorClass"):
        if condition is None and hasattr(error, getter):
            condition = getattr(error, getter)()
    if hasattr(error, "getSqlState"):
        state = error.getSqlState()
    return condition, state
