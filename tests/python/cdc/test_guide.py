"""docs/cdc.md, followed to the letter: its files in a project, records in landing/, a table and its history."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from project_under_test import ROOT
from scratch_project import ScratchProject

GUIDE = (ROOT / "docs" / "cdc.md").read_text(encoding="utf-8")
# A fenced block of the guide that begins with the name of its file, in a comment of its language.
BLOCK = re.compile(r"^```(?:sql|yaml)\n(?:--|#) (models/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEDGER = re.compile(r"^vars:\n  staged_feeds:\n.*?(?=^```$)", re.MULTILINE | re.DOTALL)
MACROS = ("materializations", "expectations", "feeds", "operations", "time", "governance")


def record(offset: int, op: str, card: int, tier: str | None = None, *, minute: int) -> str:
    row = {"card_id": card, "customer_id": 7, "tier": tier, "points": 10 * minute}
    row["datetime_updated"] = f"2026-01-01T09:{minute:02d}:00Z"
    committed = 1_767_258_000_000 + 60_000 * minute
    value = {
        "op": op,
        "before": row if op == "d" else None,
        "after": None if op == "d" else row,
        "source": {"lsn": offset, "ts_ms": committed},
        "ts_ms": committed,
    }
    kafka = {"topic": "loyalty_cards", "partition": 0, "offset": offset, "timestamp": committed, "headers": []}
    return json.dumps({**kafka, "key": {"card_id": card}, "value": value})


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """The project that the guide makes, with macros of this one and nothing else of it."""
    project = ScratchProject(tmp_path_factory.mktemp("guide") / "project", MACROS)
    shutil.rmtree(project.directory / "models")
    for name, text in BLOCK.findall(GUIDE):
        file = project.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    settings = project.directory / "dbt_project.yml"
    content = yaml.safe_load(settings.read_text(encoding="utf-8"))
    (ledger,) = LEDGER.findall(GUIDE)
    content["vars"] = {**yaml.safe_load(ledger)["vars"], "landing": str(project.directory / "landing")}
    content["models"]["scratch"] |= {"bronze": {"+materialized": "streaming_table"}}
    content["models"]["scratch"] |= {"silver": {"+materialized": "streaming_table"}}
    settings.write_text(yaml.safe_dump(content), encoding="utf-8")
    return project


def deliver(project: ScratchProject, name: str, *records: str) -> None:
    directory = project.directory / "landing" / "loyalty_cards"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text("".join(f"{line}\n" for line in records), encoding="utf-8")


def test_the_guide_names_each_file_once() -> None:
    names = [name for name, _ in BLOCK.findall(GUIDE)]
    assert len(names) == len(set(names))
    assert {Path(name).stem for name in names if name.endswith(".sql")} == {
        "bronze_loyalty_cards", "typed_loyalty_cards", "stg_loyalty_cards", "quarantine_loyalty_cards",
        "loyalty_cards", "loyalty_cards_history",
    }  # fmt: skip


def test_what_the_guide_builds_is_right_whatever_the_order(followed: ScratchProject) -> None:
    with followed.connect():
        # Of card 1 the silver that came last comes first; card 2 is deleted before its creation is seen.
        deliver(
            followed,
            "first.jsonl",
            record(3, "u", 1, "silver", minute=5),
            record(4, "d", 2, minute=6),
            '{"topic": "loyalty_cards", "partition": 0, "offset": 9, "key": {"card_id": nul',
        )
        followed.run()
        assert followed.query("select card_id, tier from loyalty_cards") == [(1, "silver")]
        deliver(
            followed,
            "second.jsonl",
            record(1, "c", 1, "gold", minute=0),
            record(2, "c", 2, "gold", minute=1),
        )
        followed.run()
        assert followed.query("select card_id, tier, points from loyalty_cards") == [(1, "silver", 50)]
        history = followed.query("""
            select card_id, tier, date_format(__START_AT.sequence_ts, 'mm'), date_format(__END_AT.sequence_ts, 'mm')
            from loyalty_cards_history order by 1, 3
        """)
        assert history == [(1, "gold", "00", "05"), (1, "silver", "05", None), (2, "gold", "01", "06")]
        refused = followed.query("select broken_rules from quarantine_loyalty_cards")
        assert [list(rules) for (rules,) in refused] == [["is_readable"]]
    assert "SEQUENCE BY STRUCT(sequence_ts, lsn)" in followed.statement("loyalty_cards")
    shown = GUIDE.split("```sql\nCREATE OR REFRESH STREAMING TABLE")[1].split("```")[0]
    sent = followed.statement("loyalty_cards").splitlines()
    assert [line for line in shown.replace("`…`", "`spark_catalog`.`shop`").splitlines()[1:] if line not in sent] == []


def test_its_examples_run(followed: ScratchProject) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "databricks_local.testing.plugin"]
    (followed.directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ran = subprocess.run([*command, "models"], cwd=followed.directory, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
