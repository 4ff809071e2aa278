"""The house itself: its settings parse anywhere, its locks are whole, its commands are there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("runtime.txt", "dev.txt", "build.txt")
# What .gitignore keeps out, and the repository's own store.
WRITTEN_BY_MACHINES = {".git", "profiles.yml"} | {
    line.strip("/\n") for line in (ROOT / ".gitignore").open() if line.endswith("/\n")
}


def locked(name: str) -> dict[str, str]:
    """Each package of a lock file and the text that belongs to it, hashes included."""
    text = (ROOT / "requirements" / name).read_text()
    blocks = re.split(r"^(?=[a-z0-9][\w.-]*(?:\[[^\]]*\])?==)", text, flags=re.MULTILINE)[1:]
    return {canonicalize_name(re.split(r"[\[=]", block)[0]): block for block in blocks}


def declared(pyproject: Path) -> list[Requirement]:
    """The runtime dependencies of a project, our own distribution left out."""
    requirements = tomllib.loads(pyproject.read_text())["project"]["dependencies"]
    return [r for r in map(Requirement, requirements) if r.name != "dbt-databricks-local"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    packages = locked(name)
    assert packages
    without = [package for package, block in packages.items() if "--hash=sha256:" not in block]
    assert without == []
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-e|-i|--\w*index-url|/)", text, re.MULTILINE)


@pytest.mark.parametrize("pyproject", ["pyproject.toml", "local/pyproject.toml"])
def test_the_locks_satisfy_what_is_declared(pyproject: str) -> None:
    for name in ("runtime.txt", "dev.txt"):
        packages = locked(name)
        for requirement in declared(ROOT / pyproject):
            block = packages[canonicalize_name(requirement.name)]
            version = re.search(r"==([^\s;]+)", block)
            assert version is not None
            assert requirement.specifier.contains(version[1], prereleases=True), requirement


def test_tools_and_runtime_agree_on_every_version() -> None:
    runtime, dev = locked("runtime.txt"), locked("dev.txt")
    first_line = {name: block.splitlines()[0] for name, block in runtime.items()}
    assert first_line == {name: dev[name].splitlines()[0] for name in runtime}


@pytest.mark.parametrize("target", ["local", "cluster", "dev", "prod"])
def test_each_target_parses_without_any_environment(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith(("DATABRICKS_", "NEXTBEST_", "DBT_")):
            monkeypatch.delenv(name)
    shutil.copyfile(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    (tmp_path / "dbt_project.yml").write_text("name: probe\nversion: 1.0.0\nprofile: nextbest\n")
    here = ["--profiles-dir", str(tmp_path), "--project-dir", str(tmp_path)]
    result = dbtRunner().invoke(["parse", "--target", target, "--quiet", *here])
    assert result.success, result.exception
    assert (tmp_path / "target" / "manifest.json").is_file()


def test_an_old_python_is_named_and_told_what_to_do(tmp_path: Path) -> None:
    script = (ROOT / "requirements" / "install.py").read_text()
    old = tmp_path / "install.py"
    old.write_text("import sys\nsys.version_info = (3, 9, 1)\n" + script)
    said = subprocess.run([sys.executable, old], capture_output=True, text=True, check=False)
    assert said.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed" in said.stderr
    assert "is 3.9: install one" in said.stderr
    assert not (tmp_path / ".venv").exists()


def test_every_hook_runs_without_fetching_anything() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}


def test_a_large_file_is_refused_by_name_and_size(tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_bytes(b"x")
    large.write_bytes(b"x" * 1_000_001)
    said = subprocess.run(
        [sys.executable, ROOT / "requirements" / "large_files.py", small, large],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stdout.splitlines() == [f"{large} has 1,000,001 bytes; at most 1,000,000 are accepted"]


def test_make_help_lists_the_contracted_commands() -> None:
    said = subprocess.run(
        ["make", "help", f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    listed = {line.split()[1] for line in said.stdout.splitlines() if line.startswith("make ")}
    assert {"setup", "demo", "test", "test-all", "lint", "docs", "clean", "help"} <= listed


def test_no_file_names_a_machine_or_an_index() -> None:
    # Written in pieces, so that this very file does not hold what it looks for.
    parts = ["/ro" + "ot/", "/wo" + "rk/", "pypi" + r"\.org", "repo1" + r"\.maven"]
    forbidden = re.compile("|".join(parts))
    kinds = {".py", ".sql", ".yml", ".md", ".toml", ".txt", ""}
    found = [
        str(path.relative_to(ROOT))
        for top in ROOT.iterdir()
        if top.name not in WRITTEN_BY_MACHINES
        for path in [top, *top.rglob("*")]
        if path.is_file() and path.suffix in kinds and "__pycache__" not in path.parts
        if forbidden.search(path.read_text(errors="replace"))
    ]
    assert found == []
