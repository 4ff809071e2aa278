"""What an expectation becomes, by reaction and materialization, and what is said where it would become nothing."""

from __future__ import annotations

from typing import Any

import pytest
from scratch_project import STAGING, ScratchProject, message_of

BATCH = ("table", "view", "materialized_view", "incremental")

RULES: list[dict[str, Any]] = [
    {"name": "has_id", "expression": "id is not null", "on_violation": "quarantine"},
    {"name": "is_positive", "expression": "amount > 0", "on_violation": "drop"},
    {"name": "is_small", "expression": "amount < 100"},
    {"name": "is_not_huge", "expression": "amount < 10000", "on_violation": "fail"},
]
ORDERS = "source('raw', 'changes')"


def expectations_tests(*reactions: str) -> list[dict[str, Any]]:
    """Entries of `data_tests` for reactions."""
    return [{"expectations": {"arguments": {"on_violation": reaction}}} for reaction in reactions]


def config(materialized: str, *expectations: dict[str, Any], **meta: str) -> dict[str, Any]:
    """A model's config with expectations."""
    return {"materialized": materialized, "meta": {"expectations": list(expectations), **meta}}


@pytest.fixture(scope="module", autouse=True)
def orders(shop: ScratchProject) -> None:
    shop.query("create table changes (id int, amount int)")
    shop.query("insert into changes values (1, 10), (2, 500), (3, -1), (4, null), (null, 7), (null, null), (5, 20)")


@pytest.fixture(scope="module")
def results(shop: ScratchProject) -> dict[str, Any]:
    """One build of `<m>_orders` with all four reactions, for every materialization in batch: results by node."""
    for kind in BATCH:
        name = f"{kind}_orders"
        shop.model(
            name,
            f"select * from ({{{{ kept_rows({ORDERS}) }}}}) as kept",
            config=config(kind, *RULES, quarantined_in=f"{name}_refused", dropped_in=f"{name}_dropped"),
            data_tests=expectations_tests("warn", "fail"),
        )
        shop.model(f"{name}_refused", f"{{{{ quarantined_rows({ORDERS}, of='{name}', times=[]) }}}}")
        shop.model(f"{name}_dropped", f"{{{{ dropped_rows({ORDERS}, of='{name}', columns=['id', 'amount']) }}}}")
    outcome = shop.dbt("build", "--select", *(f"{kind}_orders*" for kind in BATCH))
    return {r.node.name: r for r in outcome.result.results}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", BATCH)
def test_a_table_in_batch_filters_and_is_tested(shop: ScratchProject, results: dict[str, Any], kind: str) -> None:
    name = f"{kind}_orders"
    assert shop.query(f"select id from {name} order by id") == [(1,), (2,), (5,)]
    assert shop.query(f"select id, amount, array_join(broken_rules, ',') from {name}_refused order by amount") == [
        (None, None, "has_id,is_positive,is_small,is_not_huge"),
        (None, 7, "has_id"),
    ]
    assert shop.query(f"select id, dropped_by from {name}_dropped order by id") == [
        (3, "is_positive"),
        (4, "is_positive"),
    ]
    warned, failed = results[f"expectations_{name}_warn"], results[f"expectations_{name}_fail"]
    assert (warned.status, warned.failures) == ("warn", 1)
    assert (failed.status, failed.failures) == ("pass", 0)


def test_a_broken_rule_that_fails_fails_the_build_and_names_its_rows(shop: ScratchProject) -> None:
    shop.model(
        "huge_orders",
        "select 1 as id, 20000 as amount union all select 2 as id, cast(null as int) as amount",
        config=config("table", RULES[3]),
        data_tests=expectations_tests("fail"),
    )
    outcome = shop.dbt("build", "--select", "huge_orders")
    assert not outcome.success
    test = next(r for r in outcome.result.results if r.node.resource_type == "test")  # type: ignore[union-attr]
    assert (test.status, test.failures) == ("fail", 2)
    assert sorted(shop.query(test.node.compiled_code)) == [(["is_not_huge"], 1, 20000), (["is_not_huge"], 2, None)]


def test_a_streaming_table_carries_its_rules_and_a_null_breaks_one(shop: ScratchProject) -> None:
    shop.model("checked_stream", STAGING, config=config("streaming_table", RULES[1], RULES[2]))
    shop.run("--select", "checked_stream")
    assert (
        "(\n"
        "  CONSTRAINT is_positive EXPECT ((amount > 0) IS TRUE) ON VIOLATION DROP ROW,\n"
        "  CONSTRAINT is_small EXPECT ((amount < 100) IS TRUE)\n"
        ")"
    ) in shop.statement("checked_stream")
    assert sorted(shop.query("select amount from checked_stream")) == [(7,), (10,), (20,), (500,)]


def test_a_list_in_the_list_shares_rules(shop: ScratchProject) -> None:
    shared: Any = [RULES[1], RULES[2]]
    own = {"name": "own", "expression": "id > 0 -- a comment"}
    shop.model("shared", STAGING, config=config("streaming_table", shared, own))
    shop.run("--select", "shared")
    assert "CONSTRAINT own EXPECT ((id > 0 -- a comment\n) IS TRUE)" in shop.statement("shared")
    assert sorted(shop.query("select amount from shared")) == [(7,), (10,), (20,), (500,)]


RULE = {"name": "rule", "expression": "id > 0"}
REFUSED = {
    "no_list": ("id > 0", "option `expectations` is id > 0; expected a list of mappings"),
    "no_mapping": (["id > 0"], "option `expectations` is id > 0; expected mappings with name, expression"),
    "unknown_key": ([{**RULE, "action": "drop"}], "option `expectations` is action; expected the keys name"),
    "no_name": ([{"expression": "id > 0"}], "option `expectations.name` is None; expected a name of letters"),
    "quoted_name": ([{**RULE, "name": "it's"}], "option `expectations.name` is it's; expected a name of letters"),
    "injected_name": ([{**RULE, "name": "a EXPECT (true), b"}], "expected a name of letters, digits and underscores"),
    "name_of_two_lines": ([{**RULE, "name": "a\nb"}], "expected a name of letters, digits and underscores"),
    "twice": ([RULE, {**RULE, "name": "RULE"}], "option `expectations` is RULE; expected each name once"),
    "no_condition": ([{**RULE, "expression": " "}], "option `expectations.rule.expression` is  ; expected a condition"),
    "no_reaction": ([{**RULE, "on_violation": "ignore"}], "is ignore; expected warn, drop, fail or quarantine"),
    "decisive_warning": ([{**RULE, "decisive": True}], "expected nothing unless on_violation is quarantine"),
    "unfiltered": (
        [{**RULE, "on_violation": "quarantine"}],
        "expectation `rule` (quarantine) filters nothing; read the rows by `kept_rows(…)` in the query",
    ),
}


@pytest.fixture(scope="module")
def refusals(shop: ScratchProject) -> dict[str, str]:
    """What one run says about each wrong model."""
    for name, (expectations, _) in REFUSED.items():
        shop.model(
            f"wrong_{name}", STAGING, config={"materialized": "streaming_table", "meta": {"expectations": expectations}}
        )
    shop.model(
        "wrong_lost",
        f"select * from ({{{{ kept_rows({ORDERS}) }}}}) as kept",
        config=config("streaming_table", {**RULE, "on_violation": "quarantine"}),
    )
    shop.model("stg_orders", STAGING)
    shop.auto_cdc("wrong_target", {"keys": "id", "sequence_by": "amount", "expectations": [RULE]}, staging="stg_orders")
    outcome = shop.dbt("run", "--select", "wrong_*", "stg_orders")
    results = outcome.result.results  # type: ignore[union-attr]
    return {r.node.name.removeprefix("wrong_"): " ".join(str(r.message).split()) for r in results}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_expectation_stops_the_build_by_name(refusals: dict[str, str], name: str) -> None:
    assert f"Model 'wrong_{name}': " in refusals[name]
    assert " ".join(REFUSED[name][1].split()) in refusals[name]


def test_an_auto_cdc_table_takes_none_and_says_where_they_belong(refusals: dict[str, str]) -> None:
    assert (
        "Model 'wrong_target': option `expectations` is rule; expected nothing on a table kept by AUTO CDC"
        in (refusals["target"])
    )
    assert "put them on the staging model" in refusals["target"]


def test_a_refused_row_without_a_place_stops_the_build(refusals: dict[str, str]) -> None:
    assert (
        "Model 'wrong_lost': expectation `rule` (quarantine) loses its rows; name in `quarantined_in`"
        in refusals["lost"]
    )


PLAIN = f"select * from {{{{ {ORDERS} }}}}"
GAPS: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], str]] = {
    "untested": (
        PLAIN,
        config("table", RULE, RULES[3]),
        expectations_tests("fail"),
        "expectation `rule` (warn) is not tested; add to its data_tests: "
        "`- expectations: {arguments: {on_violation: warn}}`",
    ),
    "unfiltered": (
        PLAIN,
        config("view", {**RULE, "on_violation": "drop"}),
        [],
        "expectation `rule` (drop) filters nothing; read the rows by `kept_rows(…)` in the query",
    ),
    "lost": (
        f"{{{{ kept_rows({ORDERS}) }}}}",
        config("materialized_view", {**RULE, "on_violation": "quarantine"}),
        [],
        "expectation `rule` (quarantine) loses its rows; name in `quarantined_in` the model that keeps them by "
        "`quarantined_rows(…)`",
    ),
    "kept_nowhere": (
        f"{{{{ kept_rows({ORDERS}) }}}}",
        config("incremental", {**RULE, "on_violation": "quarantine"}, quarantined_in="gap_untested"),
        [],
        "expectation `rule` (quarantine) loses its rows; name in `quarantined_in` the model that keeps them by "
        "`quarantined_rows(…)`",
    ),
    "ephemeral": (
        PLAIN,
        config("ephemeral", RULE),
        [],
        "expectation `rule` (warn) has no effect on an ephemeral model; put it on the models that read it",
    ),
    "mistyped": (
        PLAIN,
        config("table", {**RULE, "on_violation": "warning"}),
        [],
        "option `expectations.rule.on_violation` is warning; expected warn, drop, fail or quarantine",
    ),
}


@pytest.mark.parametrize("name", GAPS)
def test_what_would_have_no_effect_is_refused_when_compiled(shop: ScratchProject, name: str) -> None:
    for other, (sql, settings, tests, _) in GAPS.items():
        shop.model(f"gap_{other}", sql, config=settings, data_tests=tests)
    said = shop.compile(f"gap_{name}")
    assert f"Model 'gap_{name}': {GAPS[name][3]}." in said


def test_a_snapshot_is_tested_like_a_table(shop: ScratchProject) -> None:
    (shop.directory / "snapshots").mkdir()
    (shop.directory / "snapshots" / "kept_orders.sql").write_text(
        "{% snapshot kept_orders %}\n"
        "{{ config(unique_key='id', strategy='check', check_cols='all') }}\n"
        f"select * from {{{{ {ORDERS} }}}} where id is not null\n"
        "{% endsnapshot %}\n",
        encoding="utf-8",
    )
    described = {"name": "kept_orders", "config": {"meta": {"expectations": [RULES[2]]}}}
    shop.properties("_snapshots", {"snapshots": [described]})
    assert "Model 'kept_orders': expectation `is_small` (warn) is not tested" in message_of(
        shop.dbt("snapshot", "--select", "kept_orders")
    )
    shop.properties("_snapshots", {"snapshots": [{**described, "data_tests": expectations_tests("warn")}]})
    outcome = shop.dbt("build", "--select", "kept_orders")
    assert message_of(outcome) == ""
    (test,) = [r for r in outcome.result.results if r.node.resource_type == "test"]  # type: ignore[union-attr]
    assert (test.status, test.failures) == ("warn", 2)


def test_a_row_that_breaks_several_rules_meets_the_strongest_first(shop: ScratchProject) -> None:
    """Quarantine before drop before fail: what is set aside fails nothing, on a streaming table and in batch."""
    rules = [
        {"name": "is_known", "expression": "id is not null", "on_violation": "fail"},
        {"name": "is_there", "expression": "id is not null", "on_violation": "quarantine"},
    ]
    for name, kind, source in (("stream", "streaming_table", "stream() ~ ' ' ~ " + ORDERS), ("batch", "table", ORDERS)):
        shop.model(
            f"strict_{name}",
            f"select * from ({{{{ kept_rows({source}) }}}}) as kept",
            config=config(kind, *rules, quarantined_in=f"strict_{name}_refused"),
            data_tests=[] if kind == "streaming_table" else expectations_tests("fail"),
        )
        shop.model(
            f"strict_{name}_refused",
            f"{{{{ quarantined_rows({source}, of='strict_{name}', times=[]) }}}}",
            config={"materialized": kind},
        )
    outcome = shop.dbt("build", "--select", "strict_*")
    assert message_of(outcome) == ""
    for name in ("stream", "batch"):
        assert shop.query(f"select count(*) from strict_{name}") == [(5,)]
        assert shop.query(f"select broken_rules from strict_{name}_refused") == [(["is_known", "is_there"],)] * 2
