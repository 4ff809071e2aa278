"""The plugin in a dbt project of somebody else, which has nothing of this repository but the materialization."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project_under_test import ROOT

FILES = {
    "pytest.ini": "[pytest]\n",
    "dbt_project.yml": """
        name: bank
        profile: bank
        flags: {use_materialization_v2: true}
        vars: {auto_cdc_channel: null, force_full_refresh: false}
        """,
    "models/stg_accounts.sql": """
        {{ config(materialized='streaming_table') }}
        select * from stream {{ source('raw', 'account_changes') }}
        """,
    "models/accounts.sql": """
        {{
          config(
            materialized='auto_cdc',
            meta={
              'keys': 'iban',
              'sequence_by': 'changed_at',
              'apply_as_delete_when': 'is_closed',
              'except_columns': ['is_closed'],
            },
          )
        }}
        select * from {{ ref('stg_accounts') }}
        """,
    "models/_models.yml": """
        sources:
          - name: raw
            tables: [{name: account_changes}]
        models:
          - name: stg_accounts
            columns:
              - {name: iban, data_type: string}
              - {name: limit, data_type: "decimal(9, 2)"}
              - {name: is_closed, data_type: boolean}
              - {name: changed_at, data_type: timestamp}
          - name: accounts
            config:
              meta:
                cdc_tests:
                  - name: a_closed_account_stays_closed
                    given:
                      - - {iban: DE1, is_closed: true, changed_at: 2026-01-02 09:00:00}
                      - - {iban: DE1, limit: 5, changed_at: 2026-01-01 09:00:00}
                        - {iban: DE2, limit: 7.5, changed_at: 2026-01-01 09:00:00}
                    expect:
                      - []
                      - - {iban: DE2, limit: 7.5}
                  - name: what_arrives_last_counts
                    given:
                      - - {iban: DE1, limit: 2, changed_at: 2026-01-02 09:00:00}
                      - - {iban: DE1, limit: 1, changed_at: 2026-01-01 09:00:00}
                    expect:
                      - - {iban: DE1, limit: 2}
                      - - {iban: DE1, limit: 1}
        """,
    "cdc_histories/mine.yml": """
        - name: closed_and_opened_again
          why: The bank's own history.
          batches:
            - [delete 2]
            - [upsert 3 aaa, upsert 1 bbb]
        """,
    "test_accounts.py": """
        from databricks_local.testing import converges


        def test_accounts_converge(cdc_kit):
            assert "closed_and_opened_again" in [fixture.name for fixture in cdc_kit.fixtures]
            report = converges(cdc_kit.dbt_model("accounts"), cdc_kit, events=2, random=10, crashes=[])
            assert report.by_origin["exhaustive"] > 10
        """,
}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """The directory of that project."""
    for name, text in FILES.items():
        lines = text.splitlines()
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(line.removeprefix(" " * 8) for line in lines).lstrip("\n") + "\n", encoding="utf-8")
    shutil.copytree(ROOT / "macros" / "materializations", tmp_path / "macros")
    return tmp_path


def run_pytest(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        command, cwd=directory, env={**inherited, **environment}, capture_output=True, text=True, timeout=300
    )


def test_examples_and_the_kit_run_on_the_plugin_alone(bank: Path) -> None:
    ran = run_pytest(
        bank, "-rA", "-p", "databricks_local.testing.plugin", "models", "test_accounts.py",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )  # fmt: skip
    lines = ran.stdout.splitlines()
    assert "PASSED models/_models.yml::accounts::a_closed_account_stays_closed" in lines, ran.stdout + ran.stderr
    assert "PASSED test_accounts.py::test_accounts_converge" in lines, ran.stdout + ran.stderr
    assert "1 failed, 2 passed" in lines[-1]
    shown = lines.index(
        "accounts::what_arrives_last_counts, batch 2, expect: the table shows other rows, compared by iban, limit"
    )
    assert lines[shown + 1 : shown + 3] == ["  missing:    iban=DE1, limit=1.00", "  unexpected: iban=DE1, limit=2.00"]


def test_an_installed_plugin_is_found_without_being_named_and_may_be_named_too(bank: Path) -> None:
    for named in ([], ["-p", "databricks_local.testing.plugin"]):
        ran = run_pytest(bank, "--collect-only", "-q", "models", "test_accounts.py", *named)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ran.stdout.splitlines()[:3] == [
            "models/_models.yml::accounts::a_closed_account_stays_closed",
            "models/_models.yml::accounts::what_arrives_last_counts",
            "test_accounts.py::test_accounts_converge",
        ]
