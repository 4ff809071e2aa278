{% macro as_of() -%}
  {%- set as_of_date = var('as_of_date', none) -%}
  {%- if as_of_date -%}
    cast({{ sql_string(as_of_date) }} as timestamp)
  {%- else -%}
    current_timestamp()
  {%- endif -%}
{%- endmacro %}
