"""What appears in landing/: the same bytes for the same seed, in instalments, whole files only."""

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from nextbest.simulator import landing
from nextbest.simulator.delivery import Outlet
from nextbest.simulator.run import simulate_days
from nextbest.simulator.settings import Settings, SimulationError

FEEDS = ("crm_customers", "purchase_trends", "checking_accounts", "clickstream", "logins")
FAULTS = {
    "late": 0.05,
    "out_of_order": 0.1,
    "duplicated": 0.08,
    "deleted": 0.06,
    "malformed": 0.04,
}


def world(customers: int = 80, seed: int = 3, **shares: float) -> Settings:
    return Settings(customers=customers, seed=seed, start=date(2026, 1, 1), **(FAULTS | shares))


def digests(out: Path) -> dict[str, str]:
    """SHA-256 by path of every landing and truth file."""
    return {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for part in ("landing", "truth")
        for file in sorted((out / part).rglob("*"))
        if file.is_file()
    }


def counts(out: Path) -> dict[str, dict[str, int]]:
    return json.loads((out / "truth" / "counts.json").read_text())["feeds"]


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        simulate_days(world(seed=seed), tmp_path / name, 4)
    assert digests(tmp_path / "one") == digests(tmp_path / "again")
    ours, others = digests(tmp_path / "one"), digests(tmp_path / "other")
    assert all(ours[path] != others[path] for path in ours.keys() & others.keys())


@pytest.mark.parametrize("instalments", [[5, 3], [1, 1, 6], [7, 1]])
def test_instalments_equal_the_whole(tmp_path: Path, instalments: list[int]) -> None:
    simulate_days(world(), tmp_path / "whole", 8)
    for number, days in enumerate(instalments):
        simulate_days(world(), tmp_path / "parts", days, append=number > 0)
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")


def test_appending_adds_files_and_never_touches_one(tmp_path: Path) -> None:
    simulate_days(world(), tmp_path, 3)
    before = {f: (f.stat().st_ino, f.stat().st_mtime_ns) for f in tmp_path.glob("landing/*/*")}
    simulate_days(world(), tmp_path, 2, append=True)
    after = set(tmp_path.glob("landing/*/*"))
    assert before == {f: (f.stat().st_ino, f.stat().st_mtime_ns) for f in before}
    for feed in FEEDS:
        new = {f.name for f in after - set(before) if f.parent.name == feed}
        assert new
        assert min(new) > max(f.name for f in before if f.parent.name == feed)


@pytest.mark.parametrize("files_before_the_crash", [0, 1, 9, 40, 75])
def test_a_run_cut_short_is_continued_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_before_the_crash: int
) -> None:
    simulate_days(world(), tmp_path / "whole", 5)
    close = landing.AtomicFile.close
    closed = 0

    def crash_at_some_file(file: landing.AtomicFile) -> None:
        nonlocal closed
        if closed == files_before_the_crash:
            raise KeyboardInterrupt
        closed += 1
        close(file)

    with monkeypatch.context() as patched:
        patched.setattr(landing.AtomicFile, "close", crash_at_some_file)
        with pytest.raises(KeyboardInterrupt):
            simulate_days(world(), tmp_path / "cut", 5)
    finished = {f: f.stat().st_ino for f in (tmp_path / "cut").glob("landing/*/[!.]*")}
    (tmp_path / "cut" / "landing" / "logins").mkdir(parents=True, exist_ok=True)
    (tmp_path / "cut" / "landing" / "logins" / ".left.tmp").write_bytes(b"half a rec")
    simulate_days(world(), tmp_path / "cut", 1, append=True)
    days = json.loads((tmp_path / "cut" / "truth" / "counts.json").read_text())["days"]
    if days < 5:
        simulate_days(world(), tmp_path / "cut", 5 - days, append=True)
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")
    assert finished == {f: f.stat().st_ino for f in finished}


def test_a_changed_file_in_the_way_is_named_and_kept(tmp_path: Path) -> None:
    simulate_days(world(), tmp_path, 1)
    file = tmp_path / "landing" / "logins" / "logins_2026-01-02_00_0000.jsonl"
    file.write_text("mine")
    with pytest.raises(SimulationError, match="logins_2026-01-02_00_0000"):
        simulate_days(world(), tmp_path, 1, append=True)
    assert file.read_text() == "mine"


def test_a_visible_file_never_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: dict[Path, set[int]] = {}
    offer = Outlet.offer
    looks = 0

    def look_around(outlet: Outlet, body: dict[str, object]) -> None:
        nonlocal looks
        looks += 1
        if looks % 20 == 0:
            for file in tmp_path.glob("landing/*/[!._]*"):
                sizes.setdefault(file, set()).add(file.stat().st_size)
        offer(outlet, body)

    monkeypatch.setattr(Outlet, "offer", look_around)
    simulate_days(world(), tmp_path, 2)
    assert len(sizes) > 20
    assert all(seen == {file.stat().st_size} for file, seen in sizes.items())
    assert not list(tmp_path.glob("landing/*/.*"))


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "MAX_RECORDS_PER_FILE", 25)
    simulate_days(world(), tmp_path, 2)
    crm = sorted((tmp_path / "landing" / "crm_customers").iterdir())
    sizes = [len(file.read_bytes().splitlines()) for file in crm]
    assert max(sizes) == 26, "25 records and the header"
    assert sum(sizes) - len(sizes) == counts(tmp_path)["crm_customers"]["records"]


def test_shares_are_roughly_as_asked(tmp_path: Path) -> None:
    simulate_days(world(600, malformed=0.03), tmp_path, 12)
    for feed, seen in counts(tmp_path).items():
        true_records = seen["distinct_events"] + seen["tombstones"]
        changes = seen["distinct_events"] - (540 if feed in FEEDS[:3] else 0)
        assert seen["late"] / true_records == pytest.approx(0.05, abs=0.025), feed
        assert seen["out_of_order"] / true_records == pytest.approx(0.1, abs=0.035), feed
        assert seen["duplicates"] / true_records == pytest.approx(0.08, abs=0.035), feed
        assert seen["malformed"] / true_records == pytest.approx(0.03, abs=0.02), feed
        if feed in FEEDS[:3]:
            assert seen["deletes"] / changes == pytest.approx(0.06, abs=0.045), feed


def test_a_share_of_zero_means_none(tmp_path: Path) -> None:
    simulate_days(world(**dict.fromkeys(FAULTS, 0.0)), tmp_path, 5)
    for feed, seen in counts(tmp_path).items():
        assert seen["records"] == seen["distinct_events"] + seen["tombstones"], feed
        # A new account number is a delete of the old key, whatever the share.
        assert feed == "checking_accounts" or seen["deletes"] == 0
        assert (seen["late"], seen["out_of_order"], seen["held_back"]) == (0, 0, 0)


def test_every_malformed_kind_appears(tmp_path: Path) -> None:
    simulate_days(world(), tmp_path, 6)
    kinds = {feed: set(seen["malformed_kinds"]) for feed, seen in counts(tmp_path).items()}
    assert kinds.pop("crm_customers") == {
        "missing_columns", "extra_column", "empty_key", "non_utf8"
    }  # fmt: skip
    for feed, seen in kinds.items():
        assert seen == {"broken_json", "null_key", "empty_key", "non_utf8"}, feed


def test_malformed_customers_can_be_told_by_key_or_updated_at_alone(tmp_path: Path) -> None:
    """A lenient CSV reader pads short rows and cuts long ones: the row must still be refused."""
    simulate_days(world(malformed=0.5, duplicated=0.0), tmp_path, 10)
    sound = 0
    for file in (tmp_path / "landing" / "crm_customers").iterdir():
        text = file.read_bytes().decode("utf-8", errors="replace")
        for row in csv.DictReader(text.splitlines()):
            is_moment = (row["updated_at"] or "").startswith("20")
            sound += row["customer_id"].isdigit() and is_moment
    assert sound == counts(tmp_path)["crm_customers"]["distinct_events"]


def test_columns_and_fields_come_and_go_on_the_documented_days(tmp_path: Path) -> None:
    simulate_days(world(malformed=0.0), tmp_path, 8)
    headers = {}
    for file in (tmp_path / "landing" / "crm_customers").iterdir():
        day = int(file.name.split("_")[2][-2:])
        headers[day] = set(file.read_text(encoding="utf-8").splitlines()[0].split(","))
    assert {day for day in headers if "phone" not in headers[day]} == {2, 3}
    assert {day for day in headers if "preferred_language" in headers[day]} == {5, 6, 7, 8}
    fields: dict[str, int] = {}
    text_ids = []
    for file in sorted((tmp_path / "landing" / "clickstream").iterdir()):
        day = int(file.name.split("_")[1][-2:])
        for line in file.read_text(encoding="utf-8").splitlines():
            click = json.loads(line)
            for name in click:
                fields.setdefault(name, day)
            if isinstance(click["product_id"], str):
                text_ids.append(day)
    late = {name: day for name, day in fields.items() if day > 1}
    assert late == {"ab_test": 3, "utm_source": 7}
    assert text_ids
    assert min(text_ids) >= 5


def test_two_simulations_of_one_directory_do_not_mix(tmp_path: Path) -> None:
    def start_another(day: int) -> None:
        simulate_days(world(), tmp_path, 1, append=True)

    with pytest.raises(SimulationError, match="in use by another simulation"):
        simulate_days(world(), tmp_path, 1, on_day=start_another)


@pytest.mark.parametrize(
    ("field", "value"),
    [("customers", 0), ("seed", -1), ("late", 0.51), ("malformed", -0.1),
     ("deleted", float("nan")), ("start", date(1900, 1, 1))],
)  # fmt: skip
def test_settings_out_of_range_are_named(field: str, value: object) -> None:
    sound = {"customers": 1, "seed": 0, "start": date(2026, 1, 1), **FAULTS}
    with pytest.raises(SimulationError, match=f"^{field} is .*expected"):
        Settings(**(sound | {field: value}))  # type: ignore[arg-type]
