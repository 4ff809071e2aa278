{# Versions of customers as AUTO CDC keeps them; read customers_history or customers instead.
   One row per customer and version. #}
{{
  config(
    materialized='auto_cdc',
    meta={
      'keys': 'customer_id',
      'sequence_by': ['updated_at', 'extracted_at'],
      'apply_as_delete_when': "record_status = 'deleted'",
      'except_columns': ['record_status', 'rescued_data', 'source_position', 'source_time', 'arrived_at'],
      'scd_type': 2,
      'track_history_except_on': ['updated_at', 'extracted_at', 'known_at'],
    },
  )
}}

select * from {{ ref('stg_crm_customers') }}
