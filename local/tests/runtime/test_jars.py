"""The jars are fetched once and checked, and their absence is told plainly."""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from databricks_local.runtime import jars as module
from databricks_local.runtime.jars import (
    ARTIFACTS,
    Artifact,
    JarsNotFound,
    ivy_module,
    ivy_settings,
    jars,
    proxy_options,
)
from databricks_local.runtime.truststore import authority_bundle, write_trust_store

CONTENT = b"the bytes of a jar"


def repository(root: Path) -> None:
    """Lay out a Maven repository with one artifact, org.example:thing:1.0."""
    directory = root / "org" / "example" / "thing" / "1.0"
    directory.mkdir(parents=True)
    (directory / "thing-1.0.jar").write_bytes(CONTENT)


def pinned(digest: str) -> tuple[Artifact, ...]:
    return (Artifact("org.example", "thing", "1.0", digest),)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    repository(tmp_path / "repository")
    monkeypatch.setenv("DATABRICKS_LOCAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DATABRICKS_LOCAL_MAVEN_ROOT", (tmp_path / "repository").as_uri() + "/")
    monkeypatch.setitem(ARTIFACTS, "example", pinned(hashlib.sha256(CONTENT).hexdigest()))
    return tmp_path / "cache"


def test_a_fetched_jar_is_then_served_without_the_repository(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fetched,) = jars("example")
    assert fetched == cache / "jars" / "thing-1.0.jar"
    assert fetched.read_bytes() == CONTENT
    monkeypatch.setattr(module, "_run_ivy", lambda *_: pytest.fail("Ivy ran again"))
    assert jars("example") == [fetched]


def test_a_jar_with_other_bytes_is_refused_and_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARTIFACTS, "example", pinned("0" * 64))
    with pytest.raises(JarsNotFound, match=r"thing-1\.0\.jar has SHA-256 .* pinned is 0000"):
        jars("example")
    assert not list((cache / "jars").glob("*.jar"))


def test_an_unreachable_repository_is_one_clear_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_LOCAL_MAVEN_ROOT", "http://127.0.0.1:9/")
    with pytest.raises(JarsNotFound, match=r"org\.example:thing:1\.0 is not in the cache") as raised:
        jars("example")
    assert "HTTPS_PROXY" in str(raised.value)
    assert not list((cache / "jars").glob("*.jar"))


def test_an_unknown_set_names_those_there_are(cache: Path) -> None:
    with pytest.raises(JarsNotFound, match="No set of jars named 'sparkk': there are spark"):
        jars("sparkk")


def test_every_pin_is_a_whole_digest() -> None:
    digests = [artifact.sha256 for artifacts in ARTIFACTS.values() for artifact in artifacts]
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)
    assert len(set(digests)) == len(digests)


def test_ivy_is_asked_for_nothing_but_the_pinned_artifacts() -> None:
    dependencies = ElementTree.fromstring(ivy_module(ARTIFACTS["spark"])).findall(".//dependency")
    assert [d.get("name") for d in dependencies] == [a.name for a in ARTIFACTS["spark"]]
    assert {d.get("transitive") for d in dependencies} == {"false"}


def test_a_repository_with_special_characters_survives_the_settings() -> None:
    root = 'https://user:p"a&ss<@example.org/maven/'
    resolver = ElementTree.fromstring(ivy_settings(root)).find(".//ibiblio")
    assert resolver is not None
    assert resolver.get("root") == root


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ({}, []),
        (
            {"https": "http://proxy.example:3128"},
            ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=3128"],
        ),
        (
            {"http": "proxy.example:80", "no": "localhost, .corp.example"},
            [
                "-Dhttp.proxyHost=proxy.example",
                "-Dhttp.proxyPort=80",
                "-Dhttp.nonProxyHosts=localhost|*.corp.example",
            ],
        ),
        (
            {"https": "http://me:p%40ss@proxy.example:3128"},
            [
                "-Dhttps.proxyHost=proxy.example",
                "-Dhttps.proxyPort=3128",
                "-Dhttps.proxyUser=me",
                "-Dhttps.proxyPassword=p@ss",
                "-Djdk.http.auth.tunneling.disabledSchemes=",
            ],
        ),
    ],
)
def test_java_gets_the_proxy_of_the_environment(proxies: dict[str, str], expected: list[str]) -> None:
    assert proxy_options(proxies) == expected


def test_the_environment_names_the_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_bytes(authority_bundle().read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert authority_bundle() == bundle
    assert write_trust_store(tmp_path / "trust.p12") > 0


def test_a_missing_bundle_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(module.RuntimeSetupError, match=r"SSL_CERT_FILE names .*gone\.pem"):
        authority_bundle()
