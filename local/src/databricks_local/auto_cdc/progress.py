"""How far a state has come: the greatest sequence that was recorded, as text beside the commit that recorded it.

A batch that is sequenced behind all of it, as almost every one is, can be applied without reading the state: nothing
that is recorded there is greater than any of its events, or equal to one.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import DataType

from databricks_local.auto_cdc.layout import JSON_FORMATS
from databricks_local.auto_cdc.types import ddl
from databricks_local.sql.tokens import quote_string


@dataclass(frozen=True)
class Progress:
    """What is known of the events recorded so far.

    Attributes:
        is_empty: whether there are none.
        greatest: their greatest sequence as `encoded` writes it; None where that cannot be told.
    """

    is_empty: bool
    greatest: str | None

    def after(self, sequence: str, data_type: DataType) -> tuple[str, str]:
        """Two aggregates over the events of a batch, as SQL.

        Args:
            sequence: the column.
            data_type: its type.

        Returns:
            whether all of the batch is sequenced behind what was recorded, and `greatest` once the batch is recorded.
        """
        if self.is_empty:
            return "true", encoded(f"max({sequence})", data_type)
        if self.greatest is None:
            return "false", "cast(null as string)"
        recorded = decoded(quote_string(self.greatest), data_type)
        return (
            f"coalesce(min({sequence}) > {recorded}, false)",
            f"if({recorded} is null, null, {encoded(f'greatest(max({sequence}), {recorded})', data_type)})",
        )


def encoded(value: str, data_type: DataType) -> str:
    """A sequence as JSON text; NULL where reading it back would give another one."""
    text = f"to_json(named_struct('v', {value}), map({JSON_FORMATS}))"
    return f"if({decoded(text, data_type)} <=> {value}, {text}, null)"


def decoded(text: str, data_type: DataType) -> str:
    """The sequence that `encoded` wrote."""
    return f"from_json({text}, {quote_string(f'v {ddl(data_type)}')}, map({JSON_FORMATS})).v"
