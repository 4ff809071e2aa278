"""Every class of dbt's adapter test package is run by a module beside this one, or left out with a reason."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from pathlib import Path

import dbt.tests.adapter as package
import pytest

HERE = Path(__file__).parent

# Class: why it does not run here. A base class whose subclasses run is not listed.
_PYTHON_FUNCTION = "a function in Python runs in Unity Catalog's own sandbox, which the executor does not have"
_AGGREGATE = "Databricks has no aggregate function in SQL text, and dbt-databricks renders none"
_VOLATILITY = "CREATE FUNCTION of Databricks has no IMMUTABLE, STABLE or VOLATILE, and dbt-databricks writes none"
_HEADER = "a header is a second statement in one call, which Databricks refuses"
EXCLUDED = {
    "BaseCloneNotPossible": "asserts that an adapter cannot clone; Databricks and the executor can",
    "BaseCloneSameSourceAndTarget": "reads a log line of dbt's own clone materialization; dbt-databricks has another",
    "BaseGetCatalogForSingleRelation": "dbt-databricks has no get_catalog_for_single_relation",
    "BaseIncrementalContractSqlHeader": _HEADER,
    "BaseTableContractSqlHeader": _HEADER,
    "BaseContractSqlHeader": _HEADER,
    "BaseShowSqlHeader": _HEADER,
    "DeterministicUDF": _VOLATILITY,
    "NonDeterministicUDF": _VOLATILITY,
    "StableUDF": _VOLATILITY,
    "BaseListagg": "compares ordered text; dbt-spark's listagg warns that it has no order",
    "BaseCurrentTimestampNaive": "the connector gives TIMESTAMP with its time zone: BaseCurrentTimestampAware runs",
    "BasePostgresColumnTypes": "the types of Postgres; TestColumnTypes does the same with those of Databricks",
    "BaseSimpleCopyUppercase": "a profile of Postgres whose database has capital letters; names here have no case",
    "BasicPythonUDAF": _AGGREGATE,
    "BasicSQLUDAF": _AGGREGATE,
    "PythonUDAFDefaultArgSupport": _AGGREGATE,
    "UDAFBase": _AGGREGATE,
    "PythonUDFDefaultArgSupport": _PYTHON_FUNCTION,
    "PythonUDFEntryPointRequired": _PYTHON_FUNCTION,
    "PythonUDFNotSupported": _PYTHON_FUNCTION,
    "PythonUDFRuntimeVersionRequired": _PYTHON_FUNCTION,
    "PythonUDFSupported": _PYTHON_FUNCTION,
    "PythonUDFVolatilitySupport": _PYTHON_FUNCTION,
}


def classes_of_the_package() -> dict[str, type]:
    """Every class that has tests, its own or inherited, by name.

    Classes called Test* only run a base class against Postgres, unless they define a test themselves.
    """
    found = {}
    for root in map(Path, package.__path__):
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if "__init__" in parts:
                continue
            module = importlib.import_module(".".join((package.__name__, *parts)))
            for name, kind in inspect.getmembers(module, inspect.isclass):
                tests = vars(kind) if name.startswith("Test") else dir(kind)
                if kind.__module__ == module.__name__ and any(attribute.startswith("test_") for attribute in tests):
                    found[name] = kind
    return found


def bases_named_here() -> set[str]:
    """The names that Test classes of this folder inherit from, through the helper classes of their module."""
    named: set[str] = set()
    for path in HERE.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bases = {
            node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }
        waiting = [name for name in bases if name.startswith("Test")]
        while waiting:
            for base in bases.get(waiting.pop(), []):
                named.add(base)
                waiting.append(base)
    return named


CLASSES = classes_of_the_package()


@functools.cache
def run_here() -> set[str]:
    """The classes whose tests run: those named as a base, and what these inherit."""
    return {parent.__name__ for name in bases_named_here() if name in CLASSES for parent in CLASSES[name].__mro__}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_class_runs_or_is_left_out_with_a_reason(name: str) -> None:
    assert (name in run_here()) != (name in EXCLUDED), (
        f"{name} must either be subclassed in {HERE.name}/ or have a reason in EXCLUDED, and not both"
    )


def test_nothing_is_left_out_that_the_package_does_not_have() -> None:
    assert set(EXCLUDED) <= set(CLASSES)
