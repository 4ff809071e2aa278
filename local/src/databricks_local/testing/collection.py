"""The `cdc_tests` of a YAML file as items of pytest, named `<model>::<test>`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from databricks_local.testing.cdc_tests import CdcTest, Mismatch, read_tests, run_test
from databricks_local.testing.plugin import kit_of


class CdcTestFile(pytest.File):
    """A YAML file of a dbt project with `cdc_tests`."""

    def collect(self) -> Iterator[CdcTestModel]:
        """The models that have tests.

        Raises:
            CollectError: the file is no YAML.
        """
        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise self.CollectError(f"{self.path} is no YAML: {error}") from error
        for entry in (content or {}).get("models") or []:
            for meta in (entry.get("meta"), (entry.get("config") or {}).get("meta")):
                if meta and "cdc_tests" in meta:
                    yield CdcTestModel.from_parent(self, name=entry["name"], tests=meta["cdc_tests"])


class CdcTestModel(pytest.Collector):
    """The tests of one model."""

    def __init__(self, *, tests: Any, **options: Any) -> None:
        super().__init__(**options)
        self._tests = tests

    def collect(self) -> Iterator[CdcTestItem]:
        """One item per test.

        Raises:
            CollectError: a test has not the documented form.
        """
        try:
            tests = read_tests(self.name, self._tests)
        except ValueError as error:
            raise self.CollectError(str(error)) from error
        for test in tests:
            yield CdcTestItem.from_parent(self, name=test.name, test=test)


class CdcTestItem(pytest.Item):
    """One test: batches of events, and the table after each."""

    def __init__(self, *, test: CdcTest, **options: Any) -> None:
        super().__init__(**options)
        self._test = test

    def runtest(self) -> None:
        """Run it on a table of its own."""
        run_test(self._test, kit_of(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A mismatch as its rows; anything else as usual."""
        if isinstance(excinfo.value, Mismatch):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test is, and what it is called."""
        return self.path, self._line(), f"{self._test.model}::{self._test.name}"

    def _line(self) -> int | None:
        """The line of the test's name, from 0; the model's of that name is above it."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        wanted = [n for n, line in enumerate(lines) if line.strip().lstrip("- ") == f"name: {self._test.name}"]
        return wanted[0] if wanted else None
