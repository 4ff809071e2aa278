"""`nextbest simulate` as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nextbest.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments], env={"COLUMNS": "200"})


def small(out: Path, *arguments: str) -> Result:
    return run("--customers", "60", "--days", "3", "--seed", "2", "--out", str(out), *arguments)


def test_says_what_it_delivered_and_where_the_truth_is(tmp_path: Path) -> None:
    result = small(tmp_path)
    assert result.exit_code == 0, result.output
    feeds = json.loads((tmp_path / "truth" / "counts.json").read_text())["feeds"]
    for feed, counts in feeds.items():
        row = next(line for line in result.output.splitlines() if feed in line)
        assert f" {counts['records']:,} " in row
    assert str(tmp_path / "truth") in result.output
    assert sorted(p.name for p in (tmp_path / "landing").iterdir()) == sorted(feeds)


def test_faults_are_on_by_default(tmp_path: Path) -> None:
    result = run("--customers", "1000", "--days", "4", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    feeds = json.loads((tmp_path / "truth" / "counts.json").read_text())["feeds"]
    for fault in ("late", "out_of_order", "duplicates", "malformed"):
        assert all(counts[fault] > 0 for counts in feeds.values()), fault
    assert all(feeds[f]["deletes"] for f in ("purchase_trends", "checking_accounts"))


def test_append_takes_its_settings_from_the_directory(tmp_path: Path) -> None:
    small(tmp_path, "--start", "2026-03-30", "--late", "0.1")
    result = run("--append", "--days", "2", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "Days 4 to 5: 60 customers, seed 2" in result.output
    logins = sorted(f.name for f in (tmp_path / "landing" / "logins").iterdir())
    assert logins[-1].startswith("logins_2026-04-03_")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--customers", "0"], "customers is 0: expected"),
        (["--days", "0"], "--days"),
        (["--late", "1.5"], "late is 1.5: expected a share"),
        (["--malformed", "nan"], "malformed is nan: expected a share"),
        (["--seed", "-4"], "seed is -4: expected"),
        (["--start", "yesterday"], "--start"),
        (["--append"], "holds no simulation to append to"),
    ],
)
def test_bad_arguments_are_refused_by_name(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run("--out", str(tmp_path), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not any(tmp_path.iterdir())


def test_a_used_directory_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    small(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = small(tmp_path)
    assert result.exit_code == 2
    assert "--append" in result.output
    assert sorted(tmp_path.rglob("*")) == before


def test_appending_with_another_seed_is_refused(tmp_path: Path) -> None:
    small(tmp_path)
    result = run("--append", "--seed", "9", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "--seed 9 differs" in result.output


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    result = small(tmp_path / "out")
    assert result.exit_code == 2
    assert "is a file" in result.output
