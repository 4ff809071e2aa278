{% macro feed_source(feed, form, columns=none) %}
  {#- Names the feed as a dbt source, so that lineage begins where the data does. -#}
  {%- do source('landing', feed) -%}
  {%- set transport = feed_transport(feed) -%}
  {%- if form == 'change_records' -%}
    {{ return(change_records_from_topic(feed) if transport == 'kafka' else change_records_from_files(feed)) }}
  {%- elif form == 'json' -%}
    {{ return(json_rows_from_topic(feed, columns) if transport == 'kafka' else rows_from_files(feed, 'json', columns)) }}
  {%- elif form == 'csv' and transport == 'files' -%}
    {{ return(rows_from_files(feed, 'csv', columns)) }}
  {%- endif -%}
  {{ exceptions.raise_compiler_error(
    "Feed '" ~ feed ~ "' cannot be read as " ~ form ~ " from " ~ transport
    ~ ": the forms are change_records and json (files or kafka) and csv (files)."
  ) }}
{% endmacro %}


{% macro feed_transport(feed) %}
  {%- set transport = var('feed_transport_overrides', {}).get(feed, var('feed_transport', 'files')) -%}
  {%- if transport not in ['files', 'kafka'] -%}
    {{ exceptions.raise_compiler_error(
      "The var `feed_transport` for feed '" ~ feed ~ "' is '" ~ transport ~ "'; expected files or kafka."
    ) }}
  {%- endif -%}
  {{ return(transport) }}
{% endmacro %}


{% macro landing_path(feed) %}
  {%- set landing = var('landing', none) or env_var('NEXTBEST_LANDING', 'landing') -%}
  {{ return(landing.rstrip('/') ~ '/' ~ feed) }}
{% endmacro %}


{% macro read_landing_files(feed, format, columns) %}
  {#- A given schema means that unknown fields go nowhere unless there is a rescued data column, and malformed records
      nowhere unless there is a corrupt record column: bronze keeps both (read_files, "Rescued data column"). -#}
  {%- set fields = [] -%}
  {%- for name, type in columns.items() -%}
    {%- do fields.append(name ~ ' ' ~ type) -%}
  {%- endfor -%}
  {%- do fields.append('_corrupt_record STRING') -%}
  {%- set arguments = [
    sql_string(landing_path(feed)),
    'format => ' ~ sql_string(format),
    'schema => ' ~ sql_string(fields | join(', ')),
    "rescuedDataColumn => '_rescued_data'",
    "columnNameOfCorruptRecord => '_corrupt_record'",
  ] -%}
  {%- if format == 'csv' -%}
    {#- Quotes inside a field are doubled, as RFC 4180 has it; Spark's own default is a backslash. -#}
    {%- do arguments.append('header => true') -%}
    {%- do arguments.append('escape => ' ~ sql_string('"')) -%}
  {%- endif -%}
  {{ return(stream() ~ ' read_files(\n        ' ~ arguments | join(',\n        ') ~ '\n    )') }}
{% endmacro %}


{% macro read_topic(feed) %}
  {{ return(
    stream() ~ ' read_kafka(\n        '
    ~ ['bootstrapServers => ' ~ sql_string(var('kafka_bootstrap_servers')),
       'subscribe => ' ~ sql_string(var('kafka_topic_prefix', '') ~ feed),
       "startingOffsets => 'earliest'"] | join(',\n        ')
    ~ '\n    )'
  ) }}
{% endmacro %}


{% macro rows_from_files(feed, format, columns) -%}
    select
        {% for name in columns -%}
        {{ name }},
        {% endfor -%}
        _rescued_data,
        _corrupt_record,
        _metadata.file_path as source_position,
        _metadata.file_modification_time as source_time,
        current_timestamp() as arrived_at
    from {{ read_landing_files(feed, format, columns) }}
{%- endmacro %}


{% macro json_rows_from_topic(feed, columns) -%}
    {#- The whole document is kept as rescued data as soon as one of its fields has no column. -#}
    select
        {% for name, type in columns.items() -%}
        from_json(cast(value as string), {{ sql_string(name ~ ' ' ~ type) }}).{{ name }} as {{ name }},
        {% endfor -%}
        case
            when size(array_except(
                json_object_keys(cast(value as string)),
                array({% for name in columns %}{{ sql_string(name) }}{{ ', ' if not loop.last }}{% endfor %})
            )) > 0 then cast(value as string)
        end as _rescued_data,
        case when json_object_keys(cast(value as string)) is null then cast(value as string) end as _corrupt_record,
        {{ topic_position() }} as source_position,
        timestamp as source_time,
        current_timestamp() as arrived_at
    from {{ read_topic(feed) }}
{%- endmacro %}


{% macro change_records_from_files(feed) -%}
    {#- `key` and `value` are JSON objects in the file; a STRING field keeps their text. -#}
    select
        topic as kafka_topic,
        partition as kafka_partition,
        offset as kafka_offset,
        timestamp_millis(timestamp) as kafka_timestamp,
        headers as kafka_headers,
        key as message_key,
        value as message_value,
        _rescued_data,
        _corrupt_record,
        _metadata.file_path as source_position,
        _metadata.file_modification_time as source_time,
        current_timestamp() as arrived_at
    from {{ read_landing_files(feed, 'json', {
      'topic': 'STRING', 'partition': 'INT', 'offset': 'BIGINT', 'timestamp': 'BIGINT',
      'headers': 'STRING', 'key': 'STRING', 'value': 'STRING',
    }) }}
{%- endmacro %}


{% macro change_records_from_topic(feed) -%}
    select
        topic as kafka_topic,
        partition as kafka_partition,
        offset as kafka_offset,
        timestamp as kafka_timestamp,
        cast(null as string) as kafka_headers,
        cast(key as string) as message_key,
        cast(value as string) as message_value,
        cast(null as string) as _rescued_data,
        cast(null as string) as _corrupt_record,
        {{ topic_position() }} as source_position,
        timestamp as source_time,
        current_timestamp() as arrived_at
    from {{ read_topic(feed) }}
{%- endmacro %}


{% macro topic_position() -%}
    concat_ws('/', topic, cast(partition as string), cast(offset as string))
{%- endmacro %}
