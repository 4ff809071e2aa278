{% macro is_tombstone() -%}
    (_corrupt_record is null and message_key is not null and message_value is null)
{%- endmacro %}


{% macro debezium_payload(column) -%}
    {#- Converters with schemas on wrap what they send as {"schema": …, "payload": …}. -#}
    coalesce(get_json_object({{ column }}, '$.payload'), {{ column }})
{%- endmacro %}


{% macro castable(expression, type) -%}
    ({{ expression }} is null or try_cast({{ expression }} as {{ type }}) is not null)
{%- endmacro %}


{% macro known_at(transport_time) -%}
    {#- A repaired record could not be known before it was sent back, whatever its transport says. -#}
    if(startswith(record.source_position, 'requeue/'), record.arrived_at, {{ transport_time }})
{%- endmacro %}


{% macro typed_change_events(bronze, key, columns, clock='datetime_updated') %}
{%- set row_fields = [] -%}
{%- for name in columns -%}
  {%- do row_fields.append(name ~ ': STRING') -%}
{%- endfor -%}
{%- set row_type = 'STRUCT<' ~ row_fields | join(', ') ~ '>' -%}
with

bronze as (

    select struct(*) as record from {{ stream() }} {{ bronze }}
    where not {{ is_tombstone() }}

),

-- Row images are read as text, so that a value of the wrong type is seen as such and not as a missing one.
parsed as (

    select
        record,
        from_json(
            {{ debezium_payload('record.message_value') }},
            'op STRING, ts_ms BIGINT, before {{ row_type }}, after {{ row_type }}, source STRUCT<ts_ms: BIGINT, lsn: BIGINT>'
        ) as event,
        from_json({{ debezium_payload('record.message_key') }}, '{{ key }} STRING') as event_key
    from bronze

),

-- A delete has no `after`: its key is in `before` and in the message key, its time is that of the log, since `before`
-- still carries the clock of the version that it removes.
final as (

    select
        -- the record as it came
        record,

        -- the row
        {%- for name, type in columns.items() %}
        {%- if name == key %}
        try_cast(
            case when event.op = 'd' then coalesce(event.before.{{ name }}, event_key.{{ name }}) else event.after.{{ name }} end
            as {{ type }}
        ) as {{ name }},
        {%- else %}
        try_cast(event.after.{{ name }} as {{ type }}) as {{ name }},
        {%- endif %}
        {%- endfor %}

        -- the change
        event.op as operation,
        case
            when event.op in ('d', 't') then timestamp_millis(event.source.ts_ms)
            else try_cast(event.after.{{ clock }} as timestamp)
        end as sequence_ts,
        event.source.lsn as lsn,
        {{ known_at('timestamp_millis(coalesce(event.ts_ms, event.source.ts_ms))') }} as known_at,

        -- what only the rules ask for
        record._corrupt_record is null and json_object_keys(record.message_value) is not null as is_readable,
        not coalesce(
            event_key.{{ key }} <> coalesce(event.after.{{ key }}, event.before.{{ key }}), false
        ) as has_one_key,
        {%- for name, type in columns.items() if name != key %}
        {% if not loop.first %}and {% endif %}{{ castable('event.after.' ~ name, type) }}
        {%- endfor %} as has_typed_values
    from parsed

)

select * from final
{%- endmacro %}
