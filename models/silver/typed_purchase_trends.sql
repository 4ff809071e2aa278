-- Every record of bronze_purchase_trends that says something, typed. One row per record, tombstones left out.
{{ config(materialized='ephemeral') }}

{{ typed_change_events(ref('bronze_purchase_trends'), key='customer_id', columns={
  'customer_id': 'bigint',
  'number_of_concert_tickets': 'int',
  'number_of_comedy_shows': 'int',
  'number_of_sport_events': 'int',
  'number_of_online_txns': 'int',
  'home_mortgage_purchased_ts': 'timestamp',
  'datetime_created': 'timestamp',
  'datetime_updated': 'timestamp',
}) }}
