"""dbt.tests.adapter.materialized_view on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.materialized_view.basic import MaterializedViewBasic
from dbt.tests.adapter.materialized_view.changes import (
    MaterializedViewChanges,
    MaterializedViewChangesApplyMixin,
    MaterializedViewChangesContinueMixin,
    MaterializedViewChangesFailMixin,
)
from dbt.tests.util import get_connection, get_model_file, run_dbt, set_model_file

KINDS = {"MANAGED": "table", "VIEW": "view", "MATERIALIZED_VIEW": "materialized_view"}


def relation_type(project: Any, relation: Any) -> str:
    found = project.run_sql(
        "select table_type from information_schema.tables "
        f"where table_schema = '{relation.schema}' and table_name = '{relation.identifier}'",
        fetch="one",
    )
    return KINDS[found[0]]


class TestMaterializedViewBasic(MaterializedViewBasic):
    pytestmark = pytest.mark.long

    @staticmethod
    def insert_record(project: Any, table: Any, record: tuple[int, int]) -> None:
        project.run_sql(f"insert into {table} values {record}")

    @staticmethod
    def refresh_materialized_view(project: Any, materialized_view: Any) -> None:
        run_dbt(["run", "--select", materialized_view.identifier])

    @staticmethod
    def query_row_count(project: Any, relation: Any) -> int:
        return int(project.run_sql(f"select count(*) from {relation}", fetch="one")[0])

    @staticmethod
    def query_relation_type(project: Any, relation: Any) -> str:
        return relation_type(project, relation)


MODEL = """
{{ config(materialized='materialized_view', partition_by='id', tblproperties={'key': 'value'},
          schedule={'cron': '0 0 * * * ? *', 'time_zone_value': 'Etc/UTC'}) }}
select * from {{ ref('my_seed') }}
"""


class Changes(MaterializedViewChanges):
    """The schedule is altered in place; partitions, query and properties need another view."""

    pytestmark = pytest.mark.long

    @pytest.fixture(scope="class", autouse=True)
    def models(self) -> dict[str, str]:
        return {"my_materialized_view.sql": MODEL}

    @staticmethod
    def parts(project: Any, materialized_view: Any) -> dict[str, Any]:
        """What dbt-databricks reads back from the view."""
        with get_connection(project.adapter):
            return dict(project.adapter.get_relation_config(materialized_view).config)

    @staticmethod
    def check_start_state(project: Any, materialized_view: Any) -> None:
        parts = Changes.parts(project, materialized_view)
        assert parts["partition_by"].partition_by == ["id"]
        assert parts["query"].query.startswith("select * from")
        assert parts["tblproperties"].tblproperties["key"] == "value"
        assert (parts["refresh"].cron, parts["refresh"].time_zone_value) == ("0 0 * * * ? *", "Etc/UTC")

    @staticmethod
    def change_config_via_alter(project: Any, materialized_view: Any) -> None:
        model = get_model_file(project, materialized_view)
        set_model_file(project, materialized_view, model.replace("0 0 * * * ? *", "0 5 * * * ? *"))

    @staticmethod
    def check_state_alter_change_is_applied(project: Any, materialized_view: Any) -> None:
        assert Changes.parts(project, materialized_view)["refresh"].cron == "0 5 * * * ? *"

    @staticmethod
    def change_config_via_replace(project: Any, materialized_view: Any) -> None:
        model = get_model_file(project, materialized_view)
        changed = model.replace("partition_by='id'", "partition_by='value'").replace("'key': 'value'", "'other': 'o'")
        set_model_file(project, materialized_view, changed.replace("select *", "select id, value"))

    @staticmethod
    def check_state_replace_change_is_applied(project: Any, materialized_view: Any) -> None:
        parts = Changes.parts(project, materialized_view)
        assert parts["partition_by"].partition_by == ["value"]
        assert parts["query"].query.startswith("select id, value")
        assert parts["tblproperties"].tblproperties["other"] == "o"

    @staticmethod
    def query_relation_type(project: Any, relation: Any) -> str:
        return relation_type(project, relation)


class TestMaterializedViewApplyChanges(Changes, MaterializedViewChangesApplyMixin):
    pass


class TestMaterializedViewContinueOnChanges(Changes, MaterializedViewChangesContinueMixin):
    pass


class TestMaterializedViewFailOnChanges(Changes, MaterializedViewChangesFailMixin):
    pass
