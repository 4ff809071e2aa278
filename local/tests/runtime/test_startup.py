"""The JVM's options: the class archive is used where it fits, and nothing is printed where not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from databricks_local.runtime.cache import RuntimeSetupError, cache_directory
from databricks_local.runtime.jars import jars, pyspark_jars
from databricks_local.runtime.java import java_home
from databricks_local.runtime.startup import archive_directory, driver_environment, jvm_options


def launch(*options: str) -> subprocess.CompletedProcess[str]:
    """Run a small class of Spark's on the driver's class path."""
    path = [*map(str, jars()), str(pyspark_jars() / "*")]
    main = "org.apache.spark.launcher.Main"
    return subprocess.run(
        [java_home() / "bin" / "java", *options, "-cp", os.pathsep.join(path), main],
        capture_output=True,
        text=True,
        check=False,
    )


def test_spark_classes_come_from_the_archive_that_setup_made() -> None:
    assert (archive_directory() / "spark.jsa").is_file(), "run make setup"
    said = launch(*jvm_options(), "-Xlog:class+load:stdout")
    loaded = [line for line in said.stdout.splitlines() if "java.lang.Object source:" in line]
    assert loaded, said.stdout + said.stderr
    assert "shared objects file" in loaded[0]


def test_an_archive_that_does_not_fit_is_left_unused_in_silence(tmp_path: Path) -> None:
    garbage = tmp_path / "spark.jsa"
    garbage.write_bytes(b"not an archive")
    plain = [option for option in jvm_options() if "SharedArchiveFile" not in option]
    said = launch(*plain, f"-XX:SharedArchiveFile={garbage}")
    assert said.stdout == launch(*plain).stdout
    assert "archive" not in said.stdout + said.stderr


@pytest.mark.parametrize("missing", ["bash", "chmod"])
def test_a_machine_without_a_command_that_spark_calls_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for command in {"bash", "chmod"} - {missing}:
        (tmp_path / command).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "defpath", "")
    with pytest.raises(RuntimeSetupError, match=f"Spark calls {missing}"):
        driver_environment()


def test_the_commands_of_the_system_are_found_behind_a_short_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert driver_environment()["PATH"].split(os.pathsep) == [str(tmp_path), *os.defpath.split(os.pathsep)]


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATABRICKS_LOCAL_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(RuntimeSetupError, match="file/cache cannot be created"):
        cache_directory()
