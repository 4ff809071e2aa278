-- Raw CRM extracts, as delivered. One row per line of a file.
{%- set columns = {
  'customer_id': 'STRING', 'full_name': 'STRING', 'email': 'STRING', 'phone': 'STRING', 'birth_date': 'STRING',
  'segment': 'STRING', 'consent_personalization': 'STRING', 'consent_marketing': 'STRING', 'record_status': 'STRING',
  'updated_at': 'STRING', 'extracted_at': 'STRING',
} %}
with

final as (

    {{ feed_source('crm_customers', 'csv', columns) }}

)

select * from final
