"""Every statement of a production build is Databricks SQL, as far as public grammars and the documentation tell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from project_under_test import Project, new_project
from recording import Recording, environment, recorded
from sqlfluff.core import Linter
from sqlglot import expressions

from databricks_local.sql.reader import Reader
from databricks_local.sql.streaming_table import parse_create_streaming_table, parse_refresh

GOLDEN = Path(__file__).parent / "golden"

# What neither grammar knows yet, each with the page that documents it; the executor's own parser, written from that
# page, checks these.
OWN_GRAMMAR = {
    "FLOW AUTO CDC … SEQUENCE BY STRUCT(…)": (
        re.compile(r"create or refresh streaming table\b.*\bflow auto cdc\b", re.IGNORECASE | re.DOTALL),
        "https://docs.databricks.com/aws/en/ldp/developer/ldp-sql-ref-apply-changes-into",
        parse_create_streaming_table,
    ),
    "REFRESH {STREAMING TABLE | MATERIALIZED VIEW}": (
        re.compile(r"refresh (streaming table|materialized view)\b", re.IGNORECASE),
        "https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-ddl-refresh-full",
        parse_refresh,
    ),
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A first and a second production build of a small world."""
    project = new_project(tmp_path_factory.mktemp("prod"))
    project.simulate("--customers", "30", "--days", "3")
    with pytest.MonkeyPatch.context() as patch, recorded(project) as recording:
        for name, value in environment(project.directory).items():
            patch.setenv(name, value)
        project.build("--target", "prod")
        project.build("--target", "prod", "--resource-type", "model", "--resource-type", "snapshot")
    return recording


def in_sqlfluff(linter: Linter, statement: str) -> bool:
    """Whether sqlfluff's databricks dialect reads the statement without an unparsable section."""
    parsed = linter.parse_string(statement)
    return parsed.tree is not None and not parsed.violations and "unparsable" not in parsed.tree.type_set()


def in_sqlglot(statement: str) -> bool:
    """Whether sqlglot's databricks dialect reads the statement as more than an opaque command."""
    try:
        trees = sqlglot.parse(statement, dialect="databricks")
    except sqlglot.errors.SqlglotError:
        return False
    return all(tree is not None and not isinstance(tree, expressions.Command) for tree in trees)


def test_each_statement_of_a_production_build_parses_as_databricks_sql(recording: Recording) -> None:
    assert len(recording.statements) > 100
    linter = Linter(dialect="databricks")
    unread = []
    for statement in dict.fromkeys(recording.statements):
        if in_sqlglot(statement) or in_sqlfluff(linter, statement):
            continue
        for pattern, _, parse in OWN_GRAMMAR.values():
            if pattern.match(statement):
                parse(Reader(statement))
                break
        else:
            unread.append(statement[:500])
    assert unread == []


def test_both_targets_get_the_same_statements(recording: Recording, built: Project) -> None:
    """The local target's own adapter sends nothing else: what differs is who answers."""
    models = {path.stem for path in (Path(__file__).parents[3] / "models").rglob("*.sql")}
    local_run = built.directory / "target" / "run" / "nextbest" / "models"
    compared = 0
    for name in sorted(models):
        for path in local_run.rglob(f"{name}.sql"):
            sent = path.read_text(encoding="utf-8")
            if not sent.lower().lstrip().startswith("create or refresh"):
                continue
            text = normalized(sent, str(built.landing))
            assert text in {normalized(s, None) for s in recording.statements}, name
            compared += 1
    assert compared >= 10


def normalized(statement: str, landing: str | None) -> str:
    """A statement without what belongs to the run: the landing directory, the schema, spaces."""
    text = re.sub(r"'[^']*/landing/", "'landing/", statement)
    text = re.sub(r"`spark_catalog`\.`[^`]+`", "`spark_catalog`.`schema`", text)
    return " ".join(text.split())


@pytest.mark.parametrize("model", ["bronze_purchase_trends", "stg_crm_customers", "customers_scd2", "purchase_trends"])
def test_the_statement_of_a_model_is_the_golden_one(model: str, recording: Recording) -> None:
    """A change of what production gets is shown by the pull request that makes it."""
    (statement, *_) = recording.of_model(model)
    golden = GOLDEN / f"{model}.golden"
    text = re.sub(r"'[^']*/landing/", "'landing/", statement)
    text = re.sub(r"`spark_catalog`\.`[^`]+`", "`catalog`.`schema`", text) + "\n"
    if not golden.exists():
        golden.write_text(text, encoding="utf-8")
        pytest.fail(f"{golden.name} did not exist and was written; look at it and commit it")
    assert text == golden.read_text(encoding="utf-8"), f"delete {golden.name} to write it anew"
