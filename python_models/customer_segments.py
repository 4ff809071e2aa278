"""Gold `customer_segments`: customers in segments by recency, frequency and money. One row per customer."""

from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

QUANTILES = (0.2, 0.4, 0.6, 0.8)
MEASURES = ("recency_days", "frequency", "monetary_value")


def score(measure: str) -> Column:
    """1 (lowest fifth) to 5 (highest): one more than the number of cuts that the value is above.

    Cuts are exact percentiles over all customers, so equal values always get equal scores, whatever the partitioning.
    """
    value = F.col(measure)
    return F.lit(1) + F.size(F.filter(f"{measure}_cuts", lambda cut: value > cut))


def model(dbt: Any, session: SparkSession) -> DataFrame:
    dbt.config(materialized="table")
    as_of_date = dbt.config.meta_get("as_of_date")
    as_of = F.lit(as_of_date).cast("timestamp") if as_of_date else F.current_timestamp()

    measures = dbt.ref("customer_360").select(
        "customer_id",
        F.datediff(as_of, F.coalesce("last_purchase_update_at", "customer_since")).alias("recency_days"),
        F.col("number_of_online_txns").alias("frequency"),
        F.col("total_balance").alias("monetary_value"),
    )
    quantiles = F.array(*(F.lit(quantile) for quantile in QUANTILES))
    cuts = measures.agg(*(F.percentile(name, quantiles).alias(f"{name}_cuts") for name in MEASURES))
    scored: DataFrame = measures.crossJoin(cuts).select(
        "customer_id",
        *MEASURES,
        # Few days since the last sign of life are the good end.
        (F.lit(6) - score("recency_days")).alias("recency_score"),
        score("frequency").alias("frequency_score"),
        score("monetary_value").alias("monetary_score"),
    )
    active, loyal = F.col("recency_score") >= 4, F.col("frequency_score") >= 4
    return scored.withColumn(
        "customer_segment",
        F.when(active & loyal & (F.col("monetary_score") >= 4), "champion")
        .when(active & loyal, "loyal")
        .when(active, "promising")
        .when(loyal, "at_risk")
        .otherwise("dormant"),
    )
