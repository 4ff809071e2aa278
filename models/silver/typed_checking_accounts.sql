-- Every record of bronze_checking_accounts that says something, typed. One row per record, tombstones left out.
{{ config(materialized='ephemeral') }}

{{ typed_change_events(ref('bronze_checking_accounts'), key='account_id', columns={
  'account_id': 'bigint',
  'customer_id': 'bigint',
  'balance': 'decimal(18, 2)',
  'status': 'string',
  'opened_at': 'timestamp',
  'datetime_updated': 'timestamp',
}) }}
