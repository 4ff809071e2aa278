"""Renders the SQL-returning macros of the installed dbt-databricks, so that tests run them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2

_MACROS = Path(str(resources.files("dbt.include.databricks").joinpath("macros")))


@dataclass(frozen=True)
class RelationType:
    """The type of a relation as macros use it."""

    text: str

    def render(self) -> str:
        """In the form of an ALTER."""
        return self.text

    def render_for_alter(self) -> str:
        """In the form of an ALTER; the same for everything but metric views."""
        return self.text

    def __eq__(self, other: object) -> bool:
        return other == self.text.lower().replace(" ", "_") if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True)
class Relation:
    """As much of dbt's relation as the macros read."""

    schema: str
    identifier: str
    kind: str = "TABLE"
    database: str = "spark_catalog"

    @property
    def type(self) -> RelationType:
        """The relation's type."""
        return RelationType(self.kind)

    def render(self) -> str:
        """The quoted name."""
        return f"`{self.database}`.`{self.schema}`.`{self.identifier}`"

    def without_identifier(self) -> str:
        """The quoted name of its schema."""
        return f"`{self.database}`.`{self.schema}`"

    def is_hive_metastore(self) -> bool:
        """Never: the local catalog answers like Unity Catalog."""
        return False

    def __str__(self) -> str:
        return self.render()


def render(file: str, macro: str, *arguments: Any) -> str:
    """The statement that a macro of dbt-databricks gives.

    Args:
        file: below the adapter's `macros` directory.
        macro: a macro of it.
        arguments: of the macro.
    """
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    adapter = SimpleNamespace(
        quote=lambda name: f"`{name}`",
        has_dbr_capability=lambda _: True,
        dispatch=lambda name, _: getattr(module, f"databricks__{name}"),
    )
    environment.globals.update(
        adapter=adapter,
        current_timestamp=lambda: "current_timestamp()",
        return_=str,
        log=lambda *_: "",
    )
    source = (_MACROS / file).read_text(encoding="utf-8").replace("{{ return(", "{{ return_(")
    module = environment.from_string(source).module
    return str(getattr(module, macro)(*arguments)).strip().rstrip(";")
