"""Delta's error conditions, in the list from which Spark words its errors.

Delta raises some of its conditions, such as DELTA_MERGE_UNRESOLVED_EXPRESSION, as errors of Spark's own analysis. That
knows Spark's conditions only, and fails over the name: `Cannot find main error class`, without a word about the column.
Databricks has one list: https://docs.databricks.com/aws/en/error-messages/error-classes
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from databricks_local.errors import DatabaseError

_NOT_LISTED = "Cannot find main error class"


def is_unlisted(error: DatabaseError) -> bool:
    """Whether Spark failed to word an error, for its condition is one of Delta's."""
    return error.error_class == "INTERNAL_ERROR" and _NOT_LISTED in str(error)


def list_delta_conditions(spark: SparkSession) -> None:
    """Add Delta's conditions to Spark's, for the rest of the JVM's life."""
    jvm: Any = spark.sparkContext._jvm
    sources = jvm.java.util.ArrayList()
    sources.add(jvm.org.apache.spark.sql.delta.DeltaThrowableHelper.deltaErrorClassSource())
    of_delta = jvm.org.apache.spark.ErrorClassesJsonReader(jvm.org.apache.spark.api.python.PythonUtils.toSeq(sources))
    of_spark = jvm.org.apache.spark.SparkThrowableHelper.errorReader()
    listed = of_spark.getClass().getDeclaredField("errorInfoMap")
    listed.setAccessible(True)
    listed.set(of_spark, of_delta.errorInfoMap().concat(of_spark.errorInfoMap()))
