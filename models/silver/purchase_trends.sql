{# Current purchase trends. One row per customer that the OLTP table holds now. #}
{{
  config(
    materialized='auto_cdc',
    meta={
      'keys': 'customer_id',
      'sequence_by': ['sequence_ts', 'lsn'],
      'apply_as_delete_when': "operation = 'd'",
      'apply_as_truncate_when': "operation = 't'",
      'except_columns': [
        'operation', 'sequence_ts', 'lsn', 'kafka_topic', 'kafka_partition', 'kafka_offset', 'source_position',
        'source_time', 'arrived_at',
      ],
      'scd_type': 1,
    },
  )
}}

select * from {{ ref('stg_purchase_trends') }}
