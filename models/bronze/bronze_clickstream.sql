-- Raw events of web and app, as delivered; fields without a column are in _rescued_data. One row per record.
{%- set columns = {
  'event_id': 'STRING', 'customer_id': 'STRING', 'anonymous_id': 'STRING', 'session_id': 'STRING', 'ts': 'STRING',
  'page': 'STRING', 'product_id': 'STRING', 'referrer': 'STRING', 'device': 'STRING', 'user_agent': 'STRING',
  'ip': 'STRING', 'properties': 'STRING',
} %}
with

final as (

    {{ feed_source('clickstream', 'json', columns) }}

)

select * from final
