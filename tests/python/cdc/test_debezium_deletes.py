"""Deletes of real Debezium messages: `after.*` loses them all and the build stays green; our staging keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_under_test import Project

MESSAGES = Path(__file__).parent.parent / "fixtures" / "debezium"
# Inserted and later deleted in the captured messages, by their message keys.
DELETED = {"default": 2, "readable": 5}
STANDING = {"default": {1}, "readable": {1, 6}}


def deliver(project: Project, encodings: str) -> None:
    """Put the captured messages of purchase_trends into the feed's directory, unchanged."""
    lines = (MESSAGES / f"{encodings}_encodings.jsonl").read_text(encoding="utf-8").splitlines()
    feed = project.landing / "purchase_trends"
    feed.mkdir(parents=True)
    records = [line for line in lines if json.loads(line)["topic"].endswith(".purchase_trends")]
    (feed / "messages.jsonl").write_text("".join(f"{record}\n" for record in records), encoding="utf-8")


@pytest.mark.parametrize("encodings", ["default", "readable"])
def test_a_delete_is_lost_by_its_after_image_and_kept_by_staging(project: Project, encodings: str) -> None:
    deliver(project, encodings)
    project.build("--select", "+purchase_trends", "+quarantine_purchase_trends", "--resource-type", "model")
    ids = {customer for (customer,) in project.query("select customer_id from purchase_trends")}
    assert ids == STANDING[encodings]
    staged = project.query("select customer_id from stg_purchase_trends where operation = 'd'")
    assert staged == [(DELETED[encodings],)]
    # The tombstone behind the delete is no error: it says nothing that the delete did not.
    assert project.query("select count(*) from quarantine_purchase_trends") == [(0,)]

    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute("""
            create or refresh streaming table after_images as
            select event.op, event.source.lsn, event.after.*
            from (
                select from_json(
                    message_value,
                    'op STRING, source STRUCT<lsn: BIGINT>, after STRUCT<customer_id: BIGINT>'
                ) as event
                from stream bronze_purchase_trends
            )
            where event.after.customer_id is not null
        """)
        cursor.execute("""
            create or refresh streaming table without_deletes
            flow auto cdc from stream(after_images) keys (customer_id)
            apply as delete when op = 'd' sequence by lsn stored as scd type 1
        """)
        cursor.execute("select customer_id from without_deletes")
        assert {row[0] for row in cursor.fetchall()} == STANDING[encodings] | {DELETED[encodings]}
