"""The pytest plugin: the fixture `cdc_kit`, its settings, and the collection of `cdc_tests`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from databricks_local.testing.collection import CdcTestFile
    from databricks_local.testing.kit import CdcKit

_KIT = pytest.StashKey["CdcKit"]()
_SCRATCH = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings, for pytest's configuration file."""
    parser.addini(
        "cdc_project_dir",
        "the dbt project whose AUTO CDC models are tested; by default the root directory, if it has a dbt_project.yml",
    )
    parser.addini("cdc_histories", "a directory of named histories that AUTO CDC tables are put through first")
    parser.addini("cdc_master", "the Spark master for tests of AUTO CDC tables; by default local[2]")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CdcTestFile | None:
    """Collect the YAML files of the dbt project that have `cdc_tests`."""
    if file_path.suffix not in (".yml", ".yaml") or b"cdc_tests" not in file_path.read_bytes():
        return None
    project = project_of(parent.config)
    if project is None or not any(file_path.is_relative_to(folder) for folder in _model_folders(project)):
        return None
    from databricks_local.testing.collection import CdcTestFile

    return CdcTestFile.from_parent(parent, path=file_path)


@pytest.fixture(scope="session")
def cdc_kit(pytestconfig: pytest.Config) -> CdcKit:
    """Puts AUTO CDC tables to the test, in a warehouse of its own."""
    return kit_of(pytestconfig)


def kit_of(config: pytest.Config) -> CdcKit:
    """The kit of this run, made when it is first asked for."""
    if _KIT not in config.stash:
        from databricks_local.testing.kit import CdcKit

        config.stash[_SCRATCH] = Path(tempfile.mkdtemp(prefix="cdc_kit_"))
        config.stash[_KIT] = CdcKit(
            config.stash[_SCRATCH],
            project=project_of(config),
            histories=[config.rootpath / (config.getini("cdc_histories") or "cdc_histories")],
            master=config.getini("cdc_master") or None,
        )
    return config.stash[_KIT]


def project_of(config: pytest.Config) -> Path | None:
    """The directory of the dbt project, or None where there is none."""
    given = config.getini("cdc_project_dir")
    directory = (config.rootpath / given).resolve() if given else config.rootpath
    if given and not (directory / "dbt_project.yml").is_file():
        raise pytest.UsageError(f"cdc_project_dir is {given}, which has no dbt_project.yml")
    return directory if (directory / "dbt_project.yml").is_file() else None


def _model_folders(project: Path) -> list[Path]:
    """Where the project has its models; not what dbt installs or writes."""
    import yaml

    settings = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    return [project / folder for folder in settings.get("model-paths", ["models"])]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the kit's warehouse back and remove it."""
    if _KIT in config.stash:
        config.stash[_KIT].close()
        shutil.rmtree(config.stash[_SCRATCH], ignore_errors=True)
