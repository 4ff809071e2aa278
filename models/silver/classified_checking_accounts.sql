-- Every record of bronze_checking_accounts, typed and put into one class: kept, quarantined, tombstone.
-- One row per record.
{{ config(materialized='ephemeral') }}

{{ classify_change_events(ref('bronze_checking_accounts'), key='account_id', columns={
  'account_id': 'bigint',
  'customer_id': 'bigint',
  'balance': 'decimal(18, 2)',
  'status': 'string',
  'opened_at': 'timestamp',
  'datetime_updated': 'timestamp',
}) }}
