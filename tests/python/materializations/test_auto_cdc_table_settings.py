"""Every setting of a streaming table holds for an auto_cdc table too, as the server shows it after a second run."""

from __future__ import annotations

from typing import Any

import pytest
from project_under_test import MASTER
from scratch_project import SCHEMA, STAGING, ScratchProject

import databricks_local

OPTIONS: dict[str, Any] = {"keys": "id", "sequence_by": "seq"}
TYPES = {"id": "int", "email": "string", "region": "string", "seq": "bigint"}
ANALYST = "ann@shop.example"


@pytest.fixture(scope="module", autouse=True)
def governed(shop: ScratchProject) -> None:
    """One table with all settings that go together, and one for each that excludes another; built twice."""
    shop.query("create table changes (id int, email string, region string, seq bigint)")
    shop.query("insert into changes values (1, 'ann@x.org', 'north', 1), (2, 'bo@x.org', 'south', 1)")
    shop.query("create function hide(value string) returns string return '***'")
    shop.query("create function northern(region string) returns boolean return region = 'north'")
    shop.model("stg_changes", STAGING)
    described: list[dict[str, Any]] = [{"name": name, "data_type": data_type} for name, data_type in TYPES.items()]
    described[1] |= {"description": "Where it's sent.", "column_mask": {"function": "hide"}}
    described[1] |= {"databricks_tags": {"pii": "email"}}
    config = {
        "tblproperties": {"team": "crm"},
        "liquid_clustered_by": ["id"],
        "databricks_tags": {"layer": "silver"},
        "row_filter": {"function": "northern", "columns": ["region"]},
        "schedule": {"every": "2 HOURS"},
        "grants": {"select": [ANALYST]},
    }
    history = OPTIONS | {"scd_type": 2}
    shop.auto_cdc("governed", history, config=config, columns=described, description="Customers, all versions.")
    shop.auto_cdc("partitioned", OPTIONS, config={"partition_by": "region"})
    shop.auto_cdc("clustered_by_itself", OPTIONS, config={"auto_liquid_cluster": True})
    shop.run()
    # The first run would be lost if a repeated definition took something away.
    shop.query("insert into changes values (1, 'anna@x.org', 'north', 2)")
    shop.run()


def listed(shop: ScratchProject, view: str, columns: str) -> list[tuple[Any, ...]]:
    """What information_schema shows of `governed`."""
    return shop.query(f"select {columns} from information_schema.{view} where table_name = 'governed' order by all")


def detail(shop: ScratchProject, table: str, column: str) -> Any:
    """A column of DESCRIBE DETAIL."""
    with shop.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"describe detail {table}")
        names = [d[0] for d in cursor.description or []]
        return cursor.fetchone()[names.index(column)]  # type: ignore[index]


def test_properties(shop: ScratchProject) -> None:
    assert ("team", "crm") in shop.query("show tblproperties governed")


def test_clustering_by_columns(shop: ScratchProject) -> None:
    assert list(detail(shop, "governed", "clusteringColumns")) == ["id"]


def test_clustering_by_itself(shop: ScratchProject) -> None:
    assert "\nCLUSTER BY AUTO\n" in shop.statement("clustered_by_itself")
    assert shop.query("select count(*) from clustered_by_itself") == [(2,)]


def test_partitioning(shop: ScratchProject) -> None:
    assert list(detail(shop, "partitioned", "partitionColumns")) == ["region"]
    assert shop.query("select id from partitioned where region = 'south'") == [(2,)]


def test_comments_of_table_and_columns(shop: ScratchProject) -> None:
    assert listed(shop, "tables", "comment") == [("Customers, all versions.",)]
    comments = dict(listed(shop, "columns", "column_name, comment"))
    assert comments["email"] == "Where it's sent."


def test_tags_of_table_and_columns(shop: ScratchProject) -> None:
    assert listed(shop, "table_tags", "tag_name, tag_value") == [("layer", "silver")]
    assert listed(shop, "column_tags", "column_name, tag_name, tag_value") == [("email", "pii", "email")]


def test_schedule(shop: ScratchProject) -> None:
    assert ("Refresh Schedule", "EVERY 2 HOURS") in [
        (row[0], row[1]) for row in shop.query("describe extended governed")
    ]


def test_grants(shop: ScratchProject) -> None:
    assert (ANALYST, "SELECT") in [(row[0], row[1]) for row in shop.query("show grants on table governed")]


def test_masks_and_the_row_filter_hold_for_who_reads_and_not_for_the_flow(shop: ScratchProject) -> None:
    versions = "select id, email, __START_AT, __END_AT from governed order by id, __START_AT"
    assert shop.query(versions) == [
        (1, "ann@x.org", 1, 2),
        (1, "anna@x.org", 2, None),
        (2, "bo@x.org", 1, None),
    ]
    with (
        databricks_local.connect(shop.warehouse, master=MASTER, schema=SCHEMA, principal=ANALYST) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(versions)
        assert [tuple(row) for row in cursor.fetchall()] == [(1, "***", 1, 2), (1, "***", 2, None)]


def test_a_contradictory_schedule_is_refused_when_compiled(shop: ScratchProject) -> None:
    shop.auto_cdc("hurried", OPTIONS, config={"schedule": {"every": "1 DAY", "cron": "0 0 * * * ?"}})
    assert "option `schedule`" in shop.compile("hurried")


def test_a_mask_without_types_is_refused_when_compiled(shop: ScratchProject) -> None:
    columns = [{"name": "id"}, {"name": "email", "column_mask": {"function": "hide"}}]
    shop.auto_cdc("half_masked", OPTIONS, columns=columns)
    assert "option `columns` is id, email; expected a `data_type` for each of them" in shop.compile("half_masked")
