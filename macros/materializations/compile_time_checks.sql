{#- What is checked of a model before anything is sent: see _macros.yml. -#}
{% macro check_when_compiled() %}
  {#- While dbt parses there is no finished configuration yet, and no other model to look at. -#}
  {%- if execute and model is defined and model.resource_type in ['model', 'snapshot'] -%}
    {%- if model.config.materialized == 'auto_cdc' -%}
      {%- do check_auto_cdc() -%}
    {%- elif model.config.materialized == 'streaming_table' -%}
      {%- do check_streaming_table() -%}
    {%- elif check_expectations is defined -%}
      {#- A project may take these macros without those of macros/expectations. -#}
      {%- do check_expectations() -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{% macro check_auto_cdc() %}
  {%- set options = auto_cdc_options() -%}
  {%- set staging = auto_cdc_staging() -%}
  {%- do check_auto_cdc_staging(staging) -%}
  {%- do check_auto_cdc_columns(staging, options) -%}
  {%- do check_streaming_table() -%}
  {%- do check_auto_cdc_column_list(staging, options) -%}
{% endmacro %}


{% macro check_streaming_table() %}
  {%- do check_streaming_table_options() -%}
  {%- do streaming_table_columns(this, streaming_table_expectations()) -%}
{% endmacro %}
