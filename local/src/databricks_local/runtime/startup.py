"""Bring the JVM up fast: flags for short runs, and a class archive made once by a typical run.

Loading and verifying Spark's and Delta's classes is about half of the time until the first
statement, and a class data sharing archive (https://dev.java/learn/jvm/cds-appcds/) saves it. The
archive belongs to one Java and one class path; with another the JVM leaves it unused, which costs
time, never correctness.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from databricks_local.runtime.cache import RuntimeSetupError, cache_directory
from databricks_local.runtime.jars import jars, pyspark_jars
from databricks_local.runtime.java import java_home, java_runtime

# C1 only and a serial collector: a dbt run is over before C2's code pays for its compilation.
_SHORT_RUN_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# A few huge records outlive a collection of the young generation, the rest of a query does not: most for the old.
_HEAP_OPTIONS = ("-XX:NewRatio=4",)
# The JVM would report an archive that does not fit on each start, into the output of dbt.
_QUIET_OPTIONS = ("-Xlog:disable",)

# Spark's launcher is a bash script, and Hadoop's local file system sets permissions by calling chmod.
_COMMANDS = ("bash", "chmod")

_WARM_UP = "databricks_local.runtime.warm_up"


def driver_conf() -> dict[str, str]:
    """Return the Spark settings that must be given before the JVM starts.

    Raises:
        JarsNotFound: a jar is neither cached nor fetchable.
        JavaNotFound: there is no usable Java.
    """
    return {
        "spark.driver.extraClassPath": os.pathsep.join(str(path) for path in jars("spark")),
        "spark.driver.extraJavaOptions": " ".join(jvm_options()),
    }


def driver_environment() -> dict[str, str]:
    """Return the environment variables that PySpark's launcher and workers read.

    Raises:
        JavaNotFound: there is no usable Java.
        RuntimeSetupError: a command that Spark calls is missing.
    """
    # A service or a cron job often has a shorter PATH than the system's own commands need.
    directories = [*os.environ.get("PATH", "").split(os.pathsep), *os.defpath.split(os.pathsep)]
    path = os.pathsep.join(dict.fromkeys(filter(None, directories)))
    for command in _COMMANDS:
        if shutil.which(command, path=path) is None:
            raise RuntimeSetupError(f"Spark calls {command}, which is in none of {path}: install it.")
    return {
        "PATH": path,
        "JAVA_HOME": str(java_home()),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LAUNCHER_OPTS": " ".join(_SHORT_RUN_OPTIONS),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def jvm_options() -> list[str]:
    """Return the driver's JVM options, the class archive among them if there is one that fits."""
    options = [*_SHORT_RUN_OPTIONS, *_HEAP_OPTIONS, *_QUIET_OPTIONS]
    archive = archive_directory()
    if (archive / "spark.jsa").is_file():
        files = os.pathsep.join((str(archive / "base.jsa"), str(archive / "spark.jsa")))
        options.append(f"-XX:SharedArchiveFile={files}")
    return options


def archive_directory() -> Path:
    """Return where the archive for this Java, PySpark and class path belongs, made or not."""
    java = java_runtime()
    parts = [
        str(java.home),
        java.version,
        _stamp(java.home / "bin" / "java"),
        version("pyspark"),
        _stamp(pyspark_jars()),
        *(str(path) for path in jars("spark")),
        *_SHORT_RUN_OPTIONS,
    ]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_directory() / "classes" / key


def _stamp(path: Path) -> str:
    # The JVM compares modification times: a reinstalled package needs a new archive.
    return f"{path} {path.stat().st_mtime_ns}"


def prepare_archive(report: Callable[[str], None]) -> Path:
    """Make the class archive (some 190 MB) unless it exists, by one run of `warm_up`.

    Args:
        report: is told, in one line each, what is being done.

    Raises:
        RuntimeSetupError: the warm-up run failed.
    """
    directory = archive_directory()
    directory.parent.mkdir(exist_ok=True)
    with FileLock(directory.parent / ".lock"):
        if (directory / "spark.jsa").is_file():
            return directory
        _remove_superseded(directory.parent)
        report("recording a class archive, so that later starts are faster (once, a minute or two)")
        directory.mkdir(exist_ok=True)
        (directory / "of").write_text(str(pyspark_jars()), encoding="utf-8")
        # In its final place, because the archive recorded on top of it names it by its path.
        _dump_base(directory / "base.jsa")
        with tempfile.TemporaryDirectory(dir=directory, prefix=".draft-") as draft:
            recorded = _record(directory / "base.jsa", Path(draft))
            recorded.replace(directory / "spark.jsa")
    return directory


def _remove_superseded(archives: Path) -> None:
    """Remove archives of this very installation, and of installations that are gone."""
    ours = str(pyspark_jars())
    for described in archives.glob("*/of"):
        installation = described.read_text(encoding="utf-8")
        # Ours differs from the one about to be made, or was left unfinished.
        if installation == ours or not Path(installation).is_dir():
            shutil.rmtree(described.parent)


def _dump_base(path: Path) -> None:
    """Archive Java's own classes: not every packaged runtime ships its default archive."""
    java = str(java_home() / "bin" / "java")
    flags = ("-Xshare:dump", f"-XX:SharedArchiveFile={path}", "-XX:+UseSerialGC", *_QUIET_OPTIONS)
    said = subprocess.run([java, *flags], capture_output=True, text=True, check=False)
    if not path.is_file():
        raise RuntimeSetupError(f"java -Xshare:dump wrote no archive: {said.stdout}{said.stderr}")


def _record(base: Path, draft: Path) -> Path:
    archive = draft / "spark.jsa"
    options = [
        *_SHORT_RUN_OPTIONS,
        *_QUIET_OPTIONS,
        f"-XX:SharedArchiveFile={base}",
        f"-XX:ArchiveClassesAtExit={archive}",
    ]
    said = subprocess.run(
        [sys.executable, "-m", _WARM_UP, str(draft / "warehouse"), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode != 0 or not archive.is_file():
        raise RuntimeSetupError(
            f"Spark did not get through its warm-up run: {_without_frames(said.stdout + said.stderr)}"
        )
    return archive


def _without_frames(output: str) -> str:
    """The lines that say something: a Java stack trace has a hundred that name only where."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(("\tat ", "\t... "))]
    return "\n".join(lines)[-2000:]
