"""dbt.tests.adapter.constraints on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.constraints import fixtures
from dbt.tests.adapter.constraints.test_constraints import (
    BaseConstraintQuotedColumn,
    BaseConstraintsRollback,
    BaseConstraintsRuntimeDdlEnforcement,
    BaseIncrementalConstraintsColumnsEqual,
    BaseIncrementalConstraintsRollback,
    BaseIncrementalConstraintsRuntimeDdlEnforcement,
    BaseIncrementalForeignKeyConstraint,
    BaseModelConstraintsRuntimeEnforcement,
    BaseTableConstraintsColumnsEqual,
    BaseViewConstraintsColumnsEqual,
)


def databricks(properties: str) -> str:
    """The properties of a base class in the types and quotes of Databricks."""
    return (
        properties.replace("data_type: text", "data_type: string")
        .replace("data_type: integer", "data_type: int")
        .replace('"from"', "`from`")
    )


class Types:
    @pytest.fixture(scope="class")
    def string_type(self) -> str:
        return "string"

    @pytest.fixture(scope="class")
    def int_type(self) -> str:
        return "int"

    @pytest.fixture(scope="class")
    def schema_string_type(self, string_type: str) -> str:
        return string_type

    @pytest.fixture(scope="class")
    def schema_int_type(self, int_type: str) -> str:
        return int_type

    @pytest.fixture(scope="class")
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "int", "int"],
            ["'1'", "string", "string"],
            ["true", "boolean", "boolean"],
            ["date'2020-01-02'", "date", "date"],
            ["timestamp'2020-01-02 03:04:05'", "timestamp", "timestamp"],
            ["array('a', 'b')", "array<string>", "array"],
            ["cast(1 as decimal(4, 2))", "decimal", "decimal"],
        ]


class TestTableConstraintsColumnsEqual(Types, BaseTableConstraintsColumnsEqual):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_wrong_name_sql,
            "constraints_schema.yml": databricks(fixtures.model_schema_yml),
        }


class TestViewConstraintsColumnsEqual(Types, BaseViewConstraintsColumnsEqual):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_view_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_view_wrong_name_sql,
            "constraints_schema.yml": databricks(fixtures.model_schema_yml),
        }


class TestIncrementalConstraintsColumnsEqual(Types, BaseIncrementalConstraintsColumnsEqual):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_incremental_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_incremental_wrong_name_sql,
            "constraints_schema.yml": databricks(fixtures.model_schema_yml),
        }


class Statement:
    """The constraints are added by statements of their own; what the base class compares is the one that fills."""

    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return """
            create or replace table <model_identifier> using delta as
            select id, color, date_day from (
                -- depends_on: <foreign_key_model_identifier>
                select 'blue' as color, 1 as id, '2019-01-01' as date_day
            ) as model_subq
        """


NOT_NULL_KEY = "- type: not_null\n          - type: primary_key"


def with_foreign_key(model: str, properties: str) -> dict[str, str]:
    # ALTER TABLE … ADD CONSTRAINT makes no column NOT NULL: that of a primary key must be so before.
    properties = properties.replace("- type: unique\n          - type: primary_key", NOT_NULL_KEY)
    # dbt-databricks writes the expression of a foreign key of a model behind FOREIGN KEY, as it is.
    properties = properties.replace(
        "{schema}.foreign_key_model (id)", "(id) references {schema}.foreign_key_model (id)"
    )
    return {
        "my_model.sql": model,
        "foreign_key_model.sql": fixtures.foreign_key_model_sql,
        "constraints_schema.yml": databricks(properties),
    }


class TestTableConstraintsRuntimeDdlEnforcement(Statement, BaseConstraintsRuntimeDdlEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return with_foreign_key(
            fixtures.my_model_wrong_order_depends_on_fk_sql, fixtures.model_fk_constraint_schema_yml
        )


class TestIncrementalConstraintsRuntimeDdlEnforcement(Statement, BaseIncrementalConstraintsRuntimeDdlEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return with_foreign_key(
            fixtures.my_model_incremental_wrong_order_depends_on_fk_sql, fixtures.model_fk_constraint_schema_yml
        )


class TestModelConstraintsRuntimeEnforcement(Statement, BaseModelConstraintsRuntimeEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return with_foreign_key(fixtures.my_model_wrong_order_depends_on_fk_sql, fixtures.constrained_model_schema_yml)


class TestConstraintQuotedColumn(BaseConstraintQuotedColumn):
    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model.sql": fixtures.my_model_with_quoted_column_name_sql.replace('"from"', "`from`"),
            "constraints_schema.yml": databricks(fixtures.model_quoted_column_schema_yml),
        }

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return """
            create or replace table <model_identifier> using delta as
            select id, `from`, date_day from (
                select 'blue' as `from`, 1 as id, '2019-01-01' as date_day
            ) as model_subq
        """


class Rollback:
    @pytest.fixture(scope="class")
    def expected_error_messages(self) -> list[str]:
        return [
            "DELTA_NEW_NOT_NULL_VIOLATION",
            "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
            # A CHECK that is not true for NULL is the first to be broken, where the table is there already.
            "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
            "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION",
        ]

    def assert_expected_error_messages(self, error_message: str, expected_error_messages: list[str]) -> None:
        assert any(expected in error_message for expected in expected_error_messages)


@pytest.mark.long
class TestTableConstraintsRollback(Rollback, BaseConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"my_model.sql": fixtures.my_model_sql, "constraints_schema.yml": databricks(fixtures.model_schema_yml)}

    @pytest.fixture(scope="class")
    def expected_color(self) -> str:
        # The first materialization replaces the table and then adds the constraint, which comes too late.
        return "red"


@pytest.mark.long
class TestIncrementalConstraintsRollback(Rollback, BaseIncrementalConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model.sql": fixtures.my_incremental_model_sql,
            "constraints_schema.yml": databricks(fixtures.model_schema_yml),
        }


@pytest.mark.long
class TestIncrementalForeignKeyConstraint(BaseIncrementalForeignKeyConstraint):
    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, Any]:
        # The base class puts another CREATE TABLE in place, for Postgres.
        return {}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        # dbt-databricks writes the expression behind FOREIGN KEY, as it is.
        properties = fixtures.incremental_foreign_key_schema_yml.replace(
            "{schema}.raw_numbers (n)", "(n) references {schema}.raw_numbers (n)"
        )
        return {
            "schema.yml": databricks(properties),
            "raw_numbers.sql": fixtures.incremental_foreign_key_model_raw_numbers_sql,
            "stg_numbers.sql": fixtures.incremental_foreign_key_model_stg_numbers_sql,
        }
