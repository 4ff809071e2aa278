"""AUTO CDC: change events, in any order and any batching, folded into a table that depends only on
their set.

`resolve` checks a parsed flow against its source and gives a plan; `apply` brings one batch into
the target. The rules are those of
https://docs.databricks.com/aws/en/ldp/developer/ldp-sql-ref-apply-changes-into and of Apache
Spark's pipelines.

Where several events of one key carry one sequence, which is a breach of the contract with the
source, a delete wins over an upsert, and among upserts the one whose content has the greatest MD5
digest; a truncate wins over an upsert of its own sequence. The choice depends on the events only,
so it is the same in whatever order they arrive.

BITEMPORAL (Beta on Databricks, and documented by example only): of two events with one business
sequence the one with the greater system sequence counts from then on; a record is in the target
for as long as it is part of the belief of consecutive moments (`bitemporal`).
"""

from databricks_local.auto_cdc.engine import BatchCounts, apply
from databricks_local.auto_cdc.plan import CdcPlan, resolve
from databricks_local.auto_cdc.target import TARGET_PROPERTIES

__all__ = ["TARGET_PROPERTIES", "BatchCounts", "CdcPlan", "apply", "resolve"]
