"""A short run that touches what a dbt build touches, so that its classes get into the archive.

Called by `startup` in a process of its own, with a warehouse directory and the JVM's options.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from databricks_local.runtime.startup import driver_conf, driver_environment

_STATEMENTS = (
    "create schema warm_up",
    "create table warm_up.events (id bigint comment 'key', amount decimal(18, 2), v string)"
    " using delta cluster by (id)",
    "insert into warm_up.events values (1, 1.50, 'a'), (2, 2.50, null)",
    "create or replace view warm_up.ranked as select *, row_number() over (order by id) as rank from warm_up.events",
    "create or replace table warm_up.totals using delta as select r.id, sum(r.amount) as total"
    " from warm_up.ranked as r left join warm_up.events as e on r.id = e.id group by r.id",
    "merge into warm_up.events as d using (select id + 1 as id, amount, v from warm_up.events) as s"
    " on d.id = s.id when matched then update set * when not matched then insert *",
    "describe table extended warm_up.events",
    "show tables in warm_up",
    "alter table warm_up.events alter column v comment 'text'",
)


def main(warehouse: Path, options: list[str]) -> None:
    """Run the statements and a file stream on a warehouse of its own, then await the JVM's end."""
    os.environ.update(driver_environment())
    builder = SparkSession.builder.master("local[2]").appName("warm-up")
    settings = driver_conf() | {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join(options),
        "spark.driver.host": "127.0.0.1",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(warehouse / "tables"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    for statement in _STATEMENTS:
        spark.sql(statement).collect()
    _read_and_stream(spark, warehouse)
    gateway = SparkContext._gateway
    spark.stop()
    if gateway is not None:
        # The archive is written while the JVM ends, which it does once its standard input closes.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()


def _read_and_stream(spark: SparkSession, warehouse: Path) -> None:
    rows = spark.range(10).selectExpr("id", "cast(id as string) as v")
    for kind in ("json", "csv"):
        directory = str(warehouse / "landing" / kind)
        rows.write.format(kind).save(directory)
        spark.read.format(kind).schema(rows.schema).load(directory).collect()
    stream = (
        spark.readStream.schema("id bigint, v string")
        .json(str(warehouse / "landing" / "json"))
        .selectExpr("*", "_metadata.file_path as file")
    )
    query = (
        stream.writeStream.trigger(availableNow=True)
        .option("checkpointLocation", str(warehouse / "checkpoint"))
        .toTable("warm_up.streamed")
    )
    query.awaitTermination()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
