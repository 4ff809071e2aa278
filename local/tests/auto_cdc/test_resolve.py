"""What `resolve` accepts, refuses and derives: the rules that need no row."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import IntegerType, StructType

from databricks_local.errors import Error

from .harness import plan_of

SOURCE = "id int, Region string, v int, w string, seq bigint, op string"


def names(schema: StructType) -> list[str]:
    return schema.fieldNames()


@pytest.mark.parametrize(
    ("clauses", "condition"),
    [
        ("keys (nope) sequence by seq", "AUTO_CDC_COLUMN_NOT_FOUND"),
        ("keys (id, ID) sequence by seq", "AUTO_CDC_DUPLICATE_KEY"),
        ("keys (id) sequence by seq columns (v, nope)", "AUTO_CDC_COLUMN_NOT_FOUND"),
        ("keys (id) sequence by seq columns * except (id)", "AUTO_CDC_KEY_NOT_SELECTED"),
        ("keys (id) sequence by seq columns (v)", "AUTO_CDC_KEY_NOT_SELECTED"),
        ("keys (id) sequence by nope", "AUTO_CDC_INVALID_EXPRESSION"),
        ("keys (id) sequence by map(id, v)", "AUTO_CDC_SEQUENCE_NOT_ORDERABLE"),
        ("keys (id) apply as delete when v sequence by seq", "AUTO_CDC_CONDITION_NOT_BOOLEAN"),
        (
            "keys (id) apply as truncate when op = 't' sequence by seq stored as scd type 2",
            "AUTO_CDC_TRUNCATE_NEEDS_SCD_TYPE_1",
        ),
        (
            "keys (id) sequence by seq stored as scd type 1 track history on (v)",
            "AUTO_CDC_TRACK_HISTORY_NEEDS_SCD_TYPE_2",
        ),
        (
            "keys (id) sequence by seq columns (id, v) stored as scd type 2 track history on (w)",
            "AUTO_CDC_COLUMN_NOT_FOUND",
        ),
        ("keys (id) ignore null updates on (id) sequence by seq", "AUTO_CDC_IGNORE_NULL_ON_KEY"),
        ("keys (id) sequence by seq columns to update v", "AUTO_CDC_COLUMNS_TO_UPDATE_TYPE"),
    ],
)
def test_a_wrong_option_is_refused_by_name(spark: SparkSession, clauses: str, condition: str) -> None:
    """Rules 7, 11, 16, 18."""
    with pytest.raises(Error) as caught:
        plan_of(spark, SOURCE, clauses)
    assert caught.value.error_class == condition


@pytest.mark.parametrize("data_type", ["map<int, int>", "variant"])
def test_a_key_without_equality_is_refused(spark: SparkSession, data_type: str) -> None:
    """Rule 2."""
    with pytest.raises(Error, match="AUTO_CDC_KEY_NOT_COMPARABLE"):
        plan_of(spark, f"k {data_type}, seq int", "keys (k) sequence by seq")


def test_columns_keep_the_order_and_spelling_of_the_source(spark: SparkSession) -> None:
    """Rule 7."""
    plan = plan_of(spark, SOURCE, "keys (ID) sequence by seq columns (V, region, id)")
    assert names(plan.output_schema) == ["id", "Region", "v"]


def test_a_history_gets_start_and_end_of_the_type_of_the_sequence(spark: SparkSession) -> None:
    """Rule 8."""
    plan = plan_of(spark, SOURCE, "keys (id) sequence by struct(seq, v) stored as scd type 2")
    assert names(plan.output_schema)[-2:] == ["__START_AT", "__END_AT"]
    assert plan.output_schema["__END_AT"].dataType.simpleString() == "struct<seq:bigint,v:int>"
    assert plan.output_schema["__START_AT"].dataType == plan.output_schema["__END_AT"].dataType


def test_a_source_column_named_like_an_added_one_is_refused_unless_left_out(
    spark: SparkSession,
) -> None:
    """Rule 8."""
    source = "id int, __start_at int, seq int"
    with pytest.raises(Error, match="AUTO_CDC_RESERVED_COLUMN_NAME"):
        plan_of(spark, source, "keys (id) sequence by seq stored as scd type 2")
    assert names(plan_of(spark, source, "keys (id) sequence by seq").output_schema) == [
        "id",
        "__start_at",
        "seq",
    ]


def test_every_selected_column_but_the_keys_is_tracked(spark: SparkSession) -> None:
    """Rule 16."""
    common = "keys (id) sequence by seq columns * except (op) stored as scd type 2"
    assert plan_of(spark, SOURCE, common).tracked == ("Region", "v", "w", "seq")
    except_list = plan_of(spark, SOURCE, f"{common} track history on * except (seq, W)")
    assert except_list.tracked == ("Region", "v")


@pytest.mark.parametrize(
    ("before", "after", "condition"),
    [
        ("keys (id)", "keys (id, region)", "AUTOCDC_INVALID_STATE.KEY_DRIFT"),
        (
            "keys (id) track history on v",
            "keys (id) track history on w",
            "AUTOCDC_INVALID_STATE.TRACK_HISTORY_DRIFT",
        ),
    ],
)
def test_a_changed_key_or_tracked_set_is_refused(spark: SparkSession, before: str, after: str, condition: str) -> None:
    """Rule 24."""
    tail = " sequence by seq stored as scd type 2"
    first = plan_of(spark, SOURCE, before + tail)
    with pytest.raises(Error) as caught:
        plan_of(spark, SOURCE, after + tail).check_against(first.fingerprint)
    assert caught.value.error_class == condition


def test_a_new_column_under_default_tracking_changes_the_tracked_set(spark: SparkSession) -> None:
    """Rule 24."""
    clauses = "keys (id) sequence by seq stored as scd type 2"
    first = plan_of(spark, SOURCE, clauses)
    with pytest.raises(Error, match="TRACK_HISTORY_DRIFT"):
        plan_of(spark, f"{SOURCE}, added int", clauses).check_against(first.fingerprint)


def test_a_changed_sequence_type_is_refused(spark: SparkSession) -> None:
    """Rule 24."""
    first = plan_of(spark, SOURCE, "keys (id) sequence by seq")
    with pytest.raises(Error, match="SEQUENCE_TYPE_DRIFT"):
        plan_of(spark, SOURCE, "keys (id) sequence by v").check_against(first.fingerprint)


def test_another_order_or_spelling_of_the_same_sets_is_no_change(spark: SparkSession) -> None:
    """Rules 2, 24."""
    tail = "sequence by seq stored as scd type 2 track history on"
    first = plan_of(spark, SOURCE, f"keys (id, region) {tail} v, w")
    again = plan_of(spark, SOURCE, f"keys (`REGION`, Id) {tail} * except (op, seq)")
    again.check_against(first.fingerprint)
    assert again.fingerprint == first.fingerprint


def test_a_declared_type_may_widen_but_not_narrow(spark: SparkSession) -> None:
    clauses = "keys (id) sequence by seq columns (id, seq)"
    assert (
        plan_of(spark, SOURCE, clauses, "(id bigint, seq bigint, extra date)").output_schema["id"].dataType
        != IntegerType()
    )
    with pytest.raises(Error, match="CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE"):
        plan_of(spark, SOURCE, clauses, "(id int, seq int)")
    with pytest.raises(Error, match="AUTO_CDC_COLUMN_NOT_DECLARED"):
        plan_of(spark, SOURCE, clauses, "(id int)")
