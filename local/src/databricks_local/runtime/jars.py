"""The JVM packages beside PySpark's own: pinned, checked by SHA-256, fetched once, then offline.

PySpark ships Ivy, which resolves them without Maven. The lists are complete and therefore not
transitive: what the closure would add (Hadoop, Scala, Parquet, Jackson), PySpark ships newer.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from filelock import FileLock

from databricks_local.runtime.cache import RuntimeSetupError, cache_directory
from databricks_local.runtime.java import java_home
from databricks_local.runtime.truststore import TRUST_STORE_PASSWORD, write_trust_store

REPOSITORY_VARIABLE = "DATABRICKS_LOCAL_MAVEN_ROOT"


@dataclass(frozen=True)
class Artifact:
    """One jar: its Maven coordinates and the SHA-256 of its bytes, in hexadecimal."""

    organisation: str
    name: str
    revision: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name of the file in the cache."""
        return f"{self.name}-{self.revision}.jar"


ARTIFACTS: dict[str, tuple[Artifact, ...]] = {
    "spark": (
        Artifact(
            "io.delta",
            "delta-spark_4.2_2.13",
            "4.4.0",
            "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
        ),
        Artifact(
            "io.delta",
            "delta-storage",
            "4.4.0",
            "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
        ),
        Artifact(
            "org.apache.spark",
            "spark-sql-kafka-0-10_2.13",
            "4.2.0",
            "64539c45e5d39f7ddb747312c239f38f5208d08c1a0ddf7d70beb2fbd9373705",
        ),
        # Its class is loaded even without tokens; not every repository serves the 4.2.0 of it.
        Artifact(
            "org.apache.spark",
            "spark-token-provider-kafka-0-10_2.13",
            "4.1.0-preview1",
            "ab6e27a8a47ce63348dd0ecbd5543dc6212b4783180305cde5749e79684ea97b",
        ),
        Artifact(
            "org.apache.kafka",
            "kafka-clients",
            "3.9.2",
            "014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8",
        ),
        Artifact(
            "org.apache.commons",
            "commons-pool2",
            "2.13.1",
            "f77a5060d6936a9144023584232f9de3f2248f1abfe156e9d31795f18770674f",
        ),
    ),
}


class JarsNotFound(RuntimeSetupError):  # noqa: N818  (reads as the sentence it is)
    """A jar is not in the cache and could not be fetched, or is not the one that was pinned."""


def jars(set_name: str = "spark") -> list[Path]:
    """Return the jars of a set, in the order listed, fetching those that the cache lacks.

    Safe against concurrent callers: one fetches, the others wait.

    Args:
        set_name: a key of `ARTIFACTS`; the jars of different sets do not share a class path.

    Raises:
        JarsNotFound: the set is unknown, or a jar can be neither found nor fetched, or its bytes
            differ from the pin.
    """
    artifacts = ARTIFACTS.get(set_name)
    if artifacts is None:
        raise JarsNotFound(f"No set of jars named {set_name!r}: there are {', '.join(ARTIFACTS)}.")
    directory = cache_directory() / "jars"
    paths = [directory / artifact.filename for artifact in artifacts]
    if not _missing(artifacts, directory):
        return paths
    directory.mkdir(exist_ok=True)
    with FileLock(directory / ".lock"):
        missing = _missing(artifacts, directory)
        if missing:
            _fetch(missing, directory)
    return paths


def jars_are_cached(set_name: str = "spark") -> bool:
    """Tell whether `jars(set_name)` would need no network."""
    return not _missing(ARTIFACTS[set_name], cache_directory() / "jars")


def pyspark_jars() -> Path:
    """Return the directory of the jars that PySpark ships.

    Raises:
        JarsNotFound: pyspark is not installed.
    """
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise JarsNotFound("pyspark is not installed: pip install dbt-databricks-local.")
    return Path(spec.origin).parent / "jars"


def _missing(artifacts: Iterable[Artifact], directory: Path) -> list[Artifact]:
    # Files get their final name only after their bytes were verified, so the name is proof enough.
    return [artifact for artifact in artifacts if not (directory / artifact.filename).is_file()]


def _fetch(artifacts: list[Artifact], directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as name:
        workspace = Path(name)
        said = _run_ivy(artifacts, workspace)
        for artifact in artifacts:
            fetched = workspace / "out" / artifact.filename
            if not fetched.is_file():
                raise JarsNotFound(_not_fetched(artifact, said))
            found = hashlib.sha256(fetched.read_bytes()).hexdigest()
            if found != artifact.sha256:
                raise JarsNotFound(
                    f"{artifact.filename} has SHA-256 {found}, pinned is {artifact.sha256}: "
                    "the repository or a proxy served something else; nothing was installed."
                )
            fetched.replace(directory / artifact.filename)


def _not_fetched(artifact: Artifact, said: str) -> str:
    signs = ("UnknownHost", "ConnectException", "timed out", "SSLHandshake", "Server access")
    causes = [line.strip() for line in said.splitlines() if any(sign in line for sign in signs)]
    cause = f" ({causes[0]})" if causes else ""
    return (
        f"{artifact.organisation}:{artifact.name}:{artifact.revision} is not in the cache and "
        f"could not be fetched{cause}: check the network, HTTPS_PROXY and SSL_CERT_FILE, or point "
        f"{REPOSITORY_VARIABLE} at a repository that serves it."
    )


def _run_ivy(artifacts: list[Artifact], workspace: Path) -> str:
    """Retrieve the artifacts into `workspace/out` and return what Ivy printed."""
    (workspace / "ivy.xml").write_text(ivy_module(artifacts), encoding="utf-8")
    (workspace / "settings.xml").write_text(ivy_settings(os.environ.get(REPOSITORY_VARIABLE)), encoding="utf-8")
    trust_store = workspace / "trust.p12"
    write_trust_store(trust_store)
    options = [
        f"-Djavax.net.ssl.trustStore={trust_store}",
        f"-Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        *proxy_options(urllib.request.getproxies()),
    ]
    # An argument file, because the process list would show a proxy's password on the command line.
    arguments = workspace / "java.arguments"
    arguments.touch(mode=0o600)
    arguments.write_text("\n".join(_quoted(option) for option in options), encoding="utf-8")
    ivy = next(iter(sorted(pyspark_jars().glob("ivy-*.jar"))), None)
    if ivy is None:
        raise JarsNotFound(f"Ivy is missing from {pyspark_jars()}: reinstall pyspark.")
    said = subprocess.run(
        [
            java_home() / "bin" / "java",
            f"@{arguments}",
            "-jar",
            ivy,
            *("-cache", workspace / "ivy"),
            *("-settings", workspace / "settings.xml"),
            *("-ivy", workspace / "ivy.xml"),
            *("-retrieve", f"{workspace}/out/[artifact]-[revision].[ext]"),
            *("-types", "jar", "bundle"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout + said.stderr


def ivy_module(artifacts: Iterable[Artifact]) -> str:
    """Return the Ivy module (XML) that depends on exactly these artifacts."""
    dependencies = "".join(
        f'<dependency org="{a.organisation}" name="{a.name}" rev="{a.revision}" conf="default" transitive="false"/>'
        for a in artifacts
    )
    return (
        '<ivy-module version="2.0"><info organisation="databricks-local" module="jars"/>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )


def ivy_settings(repository: str | None) -> str:
    """Return Ivy's settings (XML); without a repository's root, Ivy's own default is used."""
    root = f" root={quoteattr(repository)}" if repository else ""
    return (
        '<ivysettings><settings defaultResolver="maven"/><resolvers>'
        f'<ibiblio name="maven" m2compatible="true" usepoms="false"{root}/>'
        "</resolvers></ivysettings>"
    )


def proxy_options(proxies: dict[str, str]) -> list[str]:
    """Translate proxies as the environment names them into Java's system properties.

    Args:
        proxies: scheme to address, and `no` to a comma-separated list of hosts, as
            `urllib.request.getproxies` gives.
    """
    options = []
    for scheme in ("http", "https"):
        address = proxies.get(scheme)
        if not address:
            continue
        parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
        if not parts.hostname:
            continue
        options += [
            f"-D{scheme}.proxyHost={parts.hostname}",
            f"-D{scheme}.proxyPort={parts.port or 80}",
        ]
        if parts.username:
            options += [
                f"-D{scheme}.proxyUser={urllib.parse.unquote(parts.username)}",
                f"-D{scheme}.proxyPassword={urllib.parse.unquote(parts.password or '')}",
                # Java refuses basic authentication to a tunnelling proxy unless told otherwise.
                "-Djdk.http.auth.tunneling.disabledSchemes=",
            ]
    direct = [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]
    if options and direct:
        hosts = "|".join(f"*{host}" if host.startswith(".") else host for host in direct)
        options.append(f"-Dhttp.nonProxyHosts={hosts}")
    return options


def _quoted(argument: str) -> str:
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
