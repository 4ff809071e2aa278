{% macro is_tombstone() -%}
    (_corrupt_record is null and message_key is not null and message_value is null)
{%- endmacro %}


{% macro debezium_payload(column) -%}
    {#- Converters with schemas on wrap what they send as {"schema": …, "payload": …}. -#}
    coalesce(get_json_object({{ column }}, '$.payload'), {{ column }})
{%- endmacro %}


{% macro uncastable(expression, type) -%}
    ({{ expression }} is not null and try_cast({{ expression }} as {{ type }}) is null)
{%- endmacro %}


{% macro classify_change_events(bronze, key, columns, clock='datetime_updated') %}
{%- set row_fields = [] -%}
{%- for name in columns -%}
  {%- do row_fields.append(name ~ ': STRING') -%}
{%- endfor -%}
{%- set row_type = 'STRUCT<' ~ row_fields | join(', ') ~ '>' -%}
with

bronze as (

    select * from {{ stream() }} {{ bronze }}

),

-- Row images are read as text, so that a value of the wrong type is seen as such and not as a missing one.
parsed as (

    select
        *,
        from_json(
            {{ debezium_payload('message_value') }},
            'op STRING, ts_ms BIGINT, before {{ row_type }}, after {{ row_type }}, source STRUCT<ts_ms: BIGINT, lsn: BIGINT>'
        ) as event,
        from_json({{ debezium_payload('message_key') }}, '{{ key }} STRING') as event_key
    from bronze

),

-- A delete has no `after`: its key is in `before` and in the message key, its time is that of the log, since `before`
-- still carries the clock of the version that it removes.
typed as (

    select
        *,
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
        event.op as operation,
        case
            when event.op in ('d', 't') then timestamp_millis(event.source.ts_ms)
            else try_cast(event.after.{{ clock }} as timestamp)
        end as sequence_ts,
        event.source.lsn as lsn,
        timestamp_millis(coalesce(event.ts_ms, event.source.ts_ms)) as known_at
    from parsed

),

checked as (

    select
        *,
        case
            when _corrupt_record is not null or message_value is null or json_object_keys(message_value) is null
                then array('malformed_record')
            else
                filter(
                    array(
                        case when coalesce(operation not in ('c', 'u', 'r', 'd', 't'), true) then 'unknown_operation' end,
                        case when coalesce(operation, '') <> 't' and {{ key }} is null then 'missing_key' end,
                        case
                            when event_key.{{ key }} <> coalesce(event.after.{{ key }}, event.before.{{ key }}) then 'key_mismatch'
                        end,
                        case when sequence_ts is null or lsn is null then 'missing_sequence' end,
                        case
                            when
                                {%- for name, type in columns.items() if name != key %}
                                {% if not loop.first %}or {% endif %}{{ uncastable('event.after.' ~ name, type) }}
                                {%- endfor %}
                                then 'invalid_value'
                        end
                    ),
                    rule -> rule is not null
                )
        end as broken_rules
    from typed

),

final as (

    select
        * except (event, event_key),
        case
            when {{ is_tombstone() }} then 'tombstone'
            when size(broken_rules) > 0 then 'quarantined'
            else 'kept'
        end as record_class
    from checked

)

select * from final
{%- endmacro %}
