"""Reading Databricks SQL: tokens, and a parser for each statement that only Databricks has."""
