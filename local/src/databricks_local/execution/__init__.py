"""Executing Databricks SQL on Spark and Delta: what Spark knows passes through, the rest is done here."""
