-- Every record of bronze_purchase_trends, typed and put into one class: kept, quarantined, tombstone.
-- One row per record.
{{ config(materialized='ephemeral') }}

{{ classify_change_events(ref('bronze_purchase_trends'), key='customer_id', columns={
  'customer_id': 'bigint',
  'number_of_concert_tickets': 'int',
  'number_of_comedy_shows': 'int',
  'number_of_sport_events': 'int',
  'number_of_online_txns': 'int',
  'home_mortgage_purchased_ts': 'timestamp',
  'datetime_created': 'timestamp',
  'datetime_updated': 'timestamp',
}) }}
