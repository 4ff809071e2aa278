-- Raw logins, as delivered; fields without a column are in _rescued_data. One row per record.
{%- set columns = {
  'event_id': 'STRING', 'customer_id': 'STRING', 'ts': 'STRING', 'channel': 'STRING', 'device': 'STRING',
  'geo': 'STRING', 'ip': 'STRING',
} %}
with

final as (

    {{ feed_source('logins', 'json', columns) }}

)

select * from final
