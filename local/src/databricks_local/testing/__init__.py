"""A pytest plugin for AUTO CDC tables, anyone's: does the table depend on the set of its events alone?

    def test_customers_converge(cdc_kit):
        converges(cdc_kit.dbt_model("customers"), cdc_kit)

and, beside a dbt model, `cdc_tests`: batches of events and the table after each. docs/testing-cdc.md describes both. It
needs `dbt-databricks-local[testing]`, pytest finds it by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from databricks_local.testing.convergence import DidNotConverge, Report, converges
    from databricks_local.testing.kit import CdcKit
    from databricks_local.testing.model import CdcModel
    from databricks_local.testing.subject import UnknownShape

__all__ = ["CdcKit", "CdcModel", "DidNotConverge", "Report", "UnknownShape", "converges"]

_PLACES = {
    "CdcKit": "kit",
    "CdcModel": "model",
    "DidNotConverge": "convergence",
    "Report": "convergence",
    "UnknownShape": "subject",
    "converges": "convergence",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest loads this package at each start, also where nobody uses it."""
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
