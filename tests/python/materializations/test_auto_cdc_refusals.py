"""A wrong configuration is refused when the model is compiled, by the name of the option, on either target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scratch_project import STAGING, ScratchProject

GOOD: dict[str, Any] = {"keys": "id", "sequence_by": "seq"}
HISTORY = GOOD | {"scd_type": 2}
PREVIEW = GOOD | {"preview": True}
BITEMPORAL = PREVIEW | {"scd_type": "bitemporal", "system_sequence_by": "known"}

COLUMNS = {
    "id": "int",
    "name": "string",
    "city": "string",
    "seq": "bigint",
    "known": "bigint",
    "updates": "array<string>",
}

# Name of the case: options, the option that the message has to name, and what else it has to say.
WRONG: dict[str, tuple[Mapping[str, Any], str, str]] = {
    # required
    "no_keys": ({"sequence_by": "seq"}, "keys", "not given"),
    "no_sequence": ({"keys": "id"}, "sequence_by", "not given"),
    "bitemporal_without_system_sequence": (PREVIEW | {"scd_type": "bitemporal"}, "system_sequence_by", "not given"),
    # names of options
    "misspelled_option": ({"keys": "id", "sequnce_by": "seq"}, "sequnce_by", "did you mean `sequence_by`?"),
    "option_of_the_python_interface": (
        GOOD | {"stored_as_scd_type": 2},
        "stored_as_scd_type",
        "did you mean `scd_type`?",
    ),
    "option_that_begins_like_one": (
        GOOD | {"apply_as_tombstone": "true"},
        "apply_as_tombstone",
        "did you mean `apply_as_",
    ),
    "key_of_other_materializations": (GOOD | {"unique_key": "id"}, "unique_key", "did you mean `keys`?"),
    # types
    "keys_are_a_number": (GOOD | {"keys": 1}, "keys", "a column name or a list"),
    "keys_are_a_mapping": (GOOD | {"keys": {"id": "int"}}, "keys", "a column name or a list"),
    "a_key_is_no_name": (GOOD | {"keys": ["id", 2]}, "keys", "a column name or a list"),
    "sequence_is_a_number": (GOOD | {"sequence_by": 3}, "sequence_by", "a column, an expression, or a list"),
    "sequence_has_an_empty_part": (
        GOOD | {"sequence_by": ["seq", " "]},
        "sequence_by",
        "a column, an expression, or a list",
    ),
    "system_sequence_is_a_mapping": (BITEMPORAL | {"system_sequence_by": {}}, "system_sequence_by", "an expression"),
    "delete_condition_is_a_flag": (GOOD | {"apply_as_delete_when": True}, "apply_as_delete_when", "a condition"),
    "truncate_condition_is_empty": (GOOD | {"apply_as_truncate_when": ""}, "apply_as_truncate_when", "a condition"),
    "scd_type_3": (GOOD | {"scd_type": 3}, "scd_type", "1, 2 or bitemporal"),
    "scd_type_is_a_flag": (GOOD | {"scd_type": True}, "scd_type", "1, 2 or bitemporal"),
    "ignore_null_updates_is_a_number": (PREVIEW | {"ignore_null_updates": 1}, "ignore_null_updates", "a column name"),
    "ignore_null_updates_has_another_key": (
        PREVIEW | {"ignore_null_updates": {"exclude": ["name"]}},
        "ignore_null_updates",
        "{except: [columns]}",
    ),
    "columns_to_update_is_a_list": (
        PREVIEW | {"columns_to_update": ["updates"]},
        "columns_to_update",
        "one staging column",
    ),
    "preview_is_a_word": (GOOD | {"preview": "yes please"}, "preview", "true or false"),
    # lists
    "empty_keys": (GOOD | {"keys": []}, "keys", "not an empty one"),
    "empty_sequence": (GOOD | {"sequence_by": []}, "sequence_by", "a column, an expression, or a list"),
    "empty_columns": (GOOD | {"columns": []}, "columns", "not an empty one"),
    "empty_except_columns": (GOOD | {"except_columns": []}, "except_columns", "not an empty one"),
    "empty_track_history": (HISTORY | {"track_history_on": []}, "track_history_on", "not an empty one"),
    "empty_ignore_null_updates": (PREVIEW | {"ignore_null_updates": []}, "ignore_null_updates", "not an empty one"),
    "empty_ignore_null_updates_except": (
        PREVIEW | {"ignore_null_updates": {"except": []}},
        "ignore_null_updates",
        "not an empty one",
    ),
    "a_key_twice": (GOOD | {"keys": ["id", "ID"]}, "keys", "ID is repeated"),
    # what excludes what
    "columns_and_except_columns": (
        GOOD | {"columns": ["id"], "except_columns": ["name"]},
        "except_columns",
        "`columns`",
    ),
    "both_track_history_options": (
        HISTORY | {"track_history_on": ["name"], "track_history_except_on": ["city"]},
        "track_history_except_on",
        "`track_history_on`",
    ),
    "key_in_except_columns": (GOOD | {"except_columns": ["ID"]}, "except_columns", "no key column"),
    "key_not_in_columns": (GOOD | {"columns": ["name"]}, "columns", "the key column id"),
    "ignore_null_on_a_key": (PREVIEW | {"ignore_null_updates": ["Id"]}, "ignore_null_updates", "no key column"),
    "ignore_null_except_a_key": (
        PREVIEW | {"ignore_null_updates": {"except": ["id"]}},
        "ignore_null_updates",
        "no key column",
    ),
    "ignore_null_on_a_column_left_out": (
        PREVIEW | {"ignore_null_updates": ["name"], "except_columns": ["name"]},
        "ignore_null_updates",
        "`except_columns`",
    ),
    "history_of_a_column_left_out": (
        HISTORY | {"track_history_on": "name", "columns": "id"},
        "track_history_on",
        "`columns`",
    ),
    "history_without_history": (GOOD | {"track_history_on": ["name"]}, "track_history_on", "scd_type 1"),
    "history_exceptions_without_history": (
        GOOD | {"track_history_except_on": ["name"]},
        "track_history_except_on",
        "scd_type 1",
    ),
    "truncate_with_history": (
        HISTORY | {"apply_as_truncate_when": "name is null"},
        "apply_as_truncate_when",
        "scd_type 2",
    ),
    "truncate_with_two_times": (
        BITEMPORAL | {"apply_as_truncate_when": "name is null"},
        "apply_as_truncate_when",
        "scd_type bitemporal",
    ),
    "partial_updates_said_twice": (
        PREVIEW | {"columns_to_update": "updates", "ignore_null_updates": True},
        "columns_to_update",
        "`ignore_null_updates`",
    ),
    "partial_updates_with_two_times": (
        BITEMPORAL | {"columns_to_update": "updates"},
        "columns_to_update",
        "bitemporal",
    ),
    "system_sequence_without_two_times": (
        HISTORY | {"system_sequence_by": "known"},
        "system_sequence_by",
        "only bitemporal",
    ),
    # documented for pipelines only
    "bitemporal_without_preview": (BITEMPORAL | {"preview": False}, "scd_type", "`preview: true`"),
    "columns_to_update_without_preview": (
        GOOD | {"columns_to_update": "updates"},
        "columns_to_update",
        "`preview: true`",
    ),
    "ignore_null_list_without_preview": (
        GOOD | {"ignore_null_updates": ["name"]},
        "ignore_null_updates",
        "`preview: true`",
    ),
    # columns that the staging model's YAML does not have
    "unknown_key": (GOOD | {"keys": ["id", "nam"]}, "keys", "did you mean name?"),
    "unknown_sequence": (GOOD | {"sequence_by": "sec"}, "sequence_by", "did you mean seq?"),
    "unknown_part_of_a_sequence": (GOOD | {"sequence_by": ["seq", "knwon"]}, "sequence_by", "a column of stg_changes"),
    "unknown_field_of_a_struct": (GOOD | {"sequence_by": "struct(seq, knwn)"}, "sequence_by", "did you mean known?"),
    "unknown_system_sequence": (
        BITEMPORAL | {"system_sequence_by": "`knwn`"},
        "system_sequence_by",
        "did you mean known?",
    ),
    "unknown_column": (GOOD | {"columns": ["id", "town"]}, "columns", "id, name, city, seq, known, updates"),
    "unknown_except_column": (GOOD | {"except_columns": ["updated"]}, "except_columns", "did you mean updates?"),
    "unknown_tracked_column": (
        HISTORY | {"track_history_on": ["cities"]},
        "track_history_on",
        "a column of stg_changes",
    ),
    "unknown_ignored_column": (
        PREVIEW | {"ignore_null_updates": ["nmae"]},
        "ignore_null_updates",
        "a column of stg_changes",
    ),
    "unknown_columns_to_update": (
        PREVIEW | {"columns_to_update": "update"},
        "columns_to_update",
        "did you mean updates?",
    ),
    "columns_to_update_of_another_type": (
        PREVIEW | {"columns_to_update": "name"},
        "columns_to_update",
        "an array<string>",
    ),
}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """All wrong models in one project: one of them stops neither the parser nor another model."""
    project = ScratchProject(tmp_path_factory.mktemp("scratch") / "project")
    project.model("stg_changes", STAGING, columns=[{"name": n, "data_type": t} for n, t in COLUMNS.items()])
    project.auto_cdc("good", GOOD)
    for name, (options, _, _) in WRONG.items():
        project.auto_cdc(name, options)
    return project


@pytest.mark.parametrize("case", WRONG)
def test_compiling_names_the_wrong_option(wrong: ScratchProject, case: str) -> None:
    _, option, more = WRONG[case]
    said = wrong.compile(case)
    assert f"Model '{case}'" in said
    assert f"`{option}`" in said
    assert more in said


@pytest.mark.parametrize("target", ["local", "prod"])
def test_both_targets_refuse_alike_and_neither_needs_a_connection(wrong: ScratchProject, target: str) -> None:
    assert wrong.compile("good", target=target) == ""
    assert "did you mean `sequence_by`?" in wrong.compile("misspelled_option", target=target)
    assert "did you mean seq?" in wrong.compile("unknown_sequence", target=target)


def test_a_wrong_model_does_not_stop_what_is_selected_beside_it(wrong: ScratchProject) -> None:
    assert wrong.dbt("parse").success
    assert wrong.compile("good stg_changes") == ""


def test_other_peoples_meta_is_no_business_of_auto_cdc(wrong: ScratchProject) -> None:
    wrong.auto_cdc("tagged", GOOD | {"owner": "crm", "contains_personal_data": True, "tier": 1, "keyword": "customer"})
    assert wrong.compile("tagged") == ""


def test_the_preview_message_says_why(wrong: ScratchProject) -> None:
    said = wrong.compile("ignore_null_list_without_preview")
    assert "IGNORE NULL UPDATES ON is documented for pipelines (AUTO CDC INTO) and not for Databricks SQL" in said


def test_columns_are_only_checked_where_yaml_lists_them_with_their_types(tmp_path: Path) -> None:
    project = ScratchProject(tmp_path / "project")
    project.auto_cdc("customers", GOOD | {"keys": "idd"})
    project.model("stg_changes", STAGING, columns=[{"name": "id"}, {"name": "seq", "data_type": "bigint"}])
    assert project.compile("customers") == ""
    project.model("stg_changes", STAGING, columns=[{"name": n, "data_type": "bigint"} for n in ("id", "seq")])
    assert "did you mean id?" in project.compile("customers")


def test_columns_of_a_source_are_known_as_well(tmp_path: Path) -> None:
    project = ScratchProject(tmp_path / "project")
    columns = [{"name": "id", "data_type": "int"}, {"name": "seq", "data_type": "bigint"}]
    tables = [{"name": "changes", "columns": columns}]
    project.properties("_sources", {"sources": [{"name": "raw", "schema": "shop", "tables": tables}]})
    config = {"materialized": "auto_cdc", "meta": GOOD | {"sequence_by": "seqq"}}
    project.model("customers", "select * from {{ source('raw', 'changes') }}", config=config)
    said = project.compile("customers")
    assert "option `sequence_by` is seqq; expected a column of changes (did you mean seq?)" in said


@pytest.mark.parametrize(
    ("materialized", "reason"),
    [
        ("ephemeral", "AUTO CDC reads a table"),
        ("materialized_view", "a stream takes only rows that are appended"),
        ("auto_cdc", "a stream takes only rows that are appended"),
    ],
)
def test_a_source_that_cannot_be_streamed_is_refused(wrong: ScratchProject, materialized: str, reason: str) -> None:
    name = f"reads_{materialized}"
    config: dict[str, Any] = {"materialized": materialized}
    if materialized == "auto_cdc":
        config["meta"] = GOOD
    wrong.model(f"made_{materialized}", "select * from {{ ref('stg_changes') }}", config=config)
    wrong.auto_cdc(name, GOOD, staging=f"made_{materialized}")
    said = wrong.compile(name)
    assert f"Model '{name}' reads 'made_{materialized}'" in said
    assert reason in said


def test_two_sources_are_refused(wrong: ScratchProject) -> None:
    wrong.model(
        "two", "select * from {{ ref('stg_changes') }} -- {{ ref('good') }}",
        config={"materialized": "auto_cdc", "meta": GOOD},
    )  # fmt: skip
    assert "reads exactly one staging table" in wrong.compile("two")


def test_a_wrong_streaming_table_is_refused_when_compiled_too(wrong: ScratchProject) -> None:
    rules = [{"name": "has key", "expression": "id is not null"}]
    config = {"materialized": "streaming_table", "meta": {"expectations": rules}}
    wrong.model("stg_ruled", STAGING.split("\n", 1)[1], config=config)
    assert "`expectations.name` is has key" in wrong.compile("stg_ruled")


def test_the_materializations_stand_without_the_macros_of_expectations(tmp_path: Path) -> None:
    project = ScratchProject(tmp_path / "project", folders=("materializations",))
    project.model("stg_changes", STAGING)
    project.auto_cdc("customers", GOOD)
    assert project.compile("customers stg_changes") == ""
    rules = [{"name": "has_key", "expression": "id is not null"}]
    project.auto_cdc("customers", GOOD | {"expectations": rules})
    assert "option `expectations`" in project.compile("customers")
