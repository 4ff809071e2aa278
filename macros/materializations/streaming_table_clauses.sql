{% macro streaming_table_columns(relation, expectations) %}
  {%- set entries = [] -%}
  {%- set untyped = [] -%}
  {%- for column in declared_columns() -%}
    {%- if column.data_type -%}
      {%- do entries.append(streaming_table_column(relation, column)) -%}
    {%- else -%}
      {%- do untyped.append(column.name) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if untyped and (entries or column_mask_exists()) -%}
    {#- A column list must cover all columns of the query: half a list cannot be sent, and none loses a mask. -#}
    {%- do invalid_option('columns', untyped | join(', '), 'a `data_type` for each of them') -%}
  {%- endif -%}
  {%- for expectation in expectations -%}
    {%- do entries.append(expectation_sql(expectation)) -%}
  {%- endfor -%}
  {{ return('(\n  ' ~ entries | join(',\n  ') ~ '\n)' if entries else '') }}
{% endmacro %}


{% macro streaming_table_expectations() %}
  {#- A project may take these macros without those of macros/expectations; then nothing may ask for them. -#}
  {%- if get_expectations is defined -%}
    {{ return(get_expectations()) }}
  {%- endif -%}
  {%- set expectations = model_option('expectations') -%}
  {%- if expectations -%}
    {%- do invalid_option('expectations', expectations, 'nothing in a project without macros/expectations') -%}
  {%- endif -%}
  {{ return([]) }}
{% endmacro %}


{% macro declared_columns() %}
  {%- set is_auto_cdc = model.config.materialized == 'auto_cdc' -%}
  {{ return(auto_cdc_declared_columns() if is_auto_cdc else model.columns.values() | list) }}
{% endmacro %}


{% macro streaming_table_column(relation, column) %}
  {%- set parts = [adapter.quote(column.name), column.data_type] -%}
  {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
    {%- do parts.append('NOT NULL') -%}
  {%- endif -%}
  {%- if column.description and config.persist_column_docs() -%}
    {%- do parts.append('COMMENT ' ~ sql_string(column.description.split() | join(' '))) -%}
  {%- endif -%}
  {%- set mask = column.get('column_mask') -%}
  {%- if mask -%}
    {%- do parts.append('MASK ' ~ qualified_function(relation, mask)) -%}
    {%- if mask.get('using_columns') -%}
      {%- set inputs = mask.using_columns -%}
      {%- do parts.append('USING COLUMNS (' ~ (inputs if inputs is string else inputs | join(', ')) ~ ')') -%}
    {%- endif -%}
  {%- endif -%}
  {{ return(parts | join(' ')) }}
{% endmacro %}


{% macro qualified_function(relation, mask) %}
  {%- if mask is not mapping or not mask.get('function') -%}
    {%- do invalid_option('column_mask', mask, 'a mapping with `function` and, if need be, `using_columns`') -%}
  {%- endif -%}
  {%- if '.' in mask.function -%}
    {{ return(mask.function) }}
  {%- endif -%}
  {{ return(api.Relation.create(
    database=relation.database, schema=relation.schema, identifier=mask.function
  ).render()) }}
{% endmacro %}


{% macro streaming_table_partition_columns() %}
  {%- set columns = config.get('partition_by') -%}
  {{ return([columns] if columns is string else columns) }}
{% endmacro %}


{% macro streaming_table_comment() %}
  {%- if model.description and config.persist_relation_docs() -%}
    {{ return('COMMENT ' ~ sql_string(model.description.split() | join(' '))) }}
  {%- endif -%}
  {{ return('') }}
{% endmacro %}


{% macro streaming_table_properties() %}
  {%- set properties = dict(config.get('tblproperties') or {}) -%}
  {%- if model.config.materialized == 'auto_cdc' and var('auto_cdc_channel', none) -%}
    {%- do properties.update({'pipelines.channel': var('auto_cdc_channel')}) -%}
  {%- endif -%}
  {%- set entries = [] -%}
  {%- for name, value in properties.items() -%}
    {%- do entries.append(sql_string(name) ~ ' = ' ~ sql_string(value)) -%}
  {%- endfor -%}
  {{ return('TBLPROPERTIES (' ~ entries | join(', ') ~ ')' if entries else '') }}
{% endmacro %}


{% macro sql_string(value) %}
  {{ return("'" ~ (value | string).replace('\\', '\\\\').replace("'", "\\'") ~ "'") }}
{% endmacro %}
