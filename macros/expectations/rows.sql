{% macro kept_rows(rows, of=none) %}
  {%- set expectations = expectations_of(of) -%}
  {%- set conditions = [] -%}
  {%- for expectation in expectations if expectation.on_violation in kept_rows_filters() -%}
    {%- do conditions.append(keeps(expectation)) -%}
  {%- endfor -%}
    select * from {{ rows }}
    {%- if conditions %}
    where
        {{ conditions | join('\n        and ') }}
    {%- endif %}
{%- endmacro %}


{% macro kept_rows_filters() %}
  {#- A streaming table drops by its own constraint, so that its event log knows as well. -#}
  {{ return(['quarantine'] if execute and model.config.materialized == 'streaming_table' else ['quarantine', 'drop']) }}
{% endmacro %}


{% macro quarantined_rows(rows, of, record=none, times=['source_time', 'arrived_at']) %}
  {%- set expectations = expectations_of(of) -%}
  {%- set whole = record ~ '.*' if record else '*' -%}
    select
        {{ row_identity(whole, times) }} as quarantine_id,
        {{ whole }},
        {{ broken_rules(expectations) }} as broken_rules
    from {{ rows }}
    where {{ breaks_any(expectations, 'quarantine') }}
{%- endmacro %}


{% macro dropped_rows(rows, of, columns) %}
  {%- set expectations = expectations_of(of) -%}
    select
        {{ broken_rules(expectations | selectattr('on_violation', 'equalto', 'drop') | list) }}[0] as dropped_by,
        {{ broken_rules(expectations) }} as broken_rules,
        {{ columns | join(',\n        ') }}
    from {{ rows }}
    where
        not {{ breaks_any(expectations, 'quarantine') }}
        and {{ breaks_any(expectations, 'drop') }}
{%- endmacro %}


{% macro breaks_any(expectations, reaction) %}
  {%- set conditions = [] -%}
  {%- for expectation in expectations if expectation.on_violation == reaction -%}
    {%- do conditions.append(keeps(expectation)) -%}
  {%- endfor -%}
  {{ return('(not (' ~ conditions | join('\n        and ') ~ '))' if conditions else '(false)') }}
{% endmacro %}


{% macro broken_rules(expectations) %}
  {%- set asked = [] -%}
  {%- set decided = [] -%}
  {%- for expectation in expectations -%}
    {%- if expectation.decisive -%}
      {%- do decided.append('when not ' ~ keeps(expectation) ~ ' then array(' ~ sql_string(expectation.name) ~ ')') -%}
    {%- else -%}
      {%- do asked.append('case when not ' ~ keeps(expectation) ~ ' then ' ~ sql_string(expectation.name) ~ ' end') -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set all_asked = 'filter(array(\n            ' ~ asked | join(',\n            ')
        ~ '\n        ), rule -> rule is not null)' if asked else 'cast(array() as array<string>)' -%}
  {{ return(
    'case\n            ' ~ decided | join('\n            ') ~ '\n            else ' ~ all_asked ~ '\n        end'
    if decided else all_asked
  ) }}
{% endmacro %}


{% macro row_identity(columns, times) %}
  {#- The times are those of the reading, not of the row. A column that the source gets later is NULL in older rows, and
      leaves their ids as they were. -#}
  {{ return(
    'sha2('
    ~ content_json('struct(' ~ columns ~ (' except (' ~ times | join(', ') ~ ')' if times else '') ~ ')')
    ~ ', 256)'
  ) }}
{% endmacro %}


{% macro content_digest(row) %}
  {{ return('md5(' ~ content_json(row) ~ ')') }}
{% endmacro %}


{% macro content_json(row) %}
  {#- Names tell which fields are not there, where a hash over columns would skip a NULL and take ('a', null) for
      (null, 'a'); microseconds are not the default. -#}
  {{ return(
    'to_json(' ~ row ~ ", map('ignoreNullFields', 'true', 'timeZone', 'UTC', "
    ~ "'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX', 'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS'))"
  ) }}
{% endmacro %}
