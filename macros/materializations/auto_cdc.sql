{#- Materialization `auto_cdc`: see _macros.yml. Page: CREATE STREAMING TABLE ... FLOW AUTO CDC. -#}
{% materialization auto_cdc, adapter='databricks' %}
  {{ return(build_streaming_table(auto_cdc_flow(auto_cdc_source(sql)))) }}
{% endmaterialization %}


{% macro auto_cdc_source(sql) %}
  {#- The source is a name, never a query. It is taken from the model's only ref, so that lineage and statement cannot
      differ; the body is then only allowed to say the same. -#}
  {%- if model.refs | length + model.sources | length != 1 -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': an auto_cdc model reads exactly one staging table; its body is "
      ~ "`select * from {{ '{{' }} ref('stg_…') {{ '}}' }}`."
    ) }}
  {%- endif -%}
  {%- if model.refs -%}
    {%- set named = model.refs[0] -%}
    {%- set path = [named.get('package'), named.get('name')] | reject('none') | list -%}
    {%- set relation = ref(*path, version=named.get('version')) -%}
  {%- else -%}
    {%- set relation = source(*model.sources[0]) -%}
  {%- endif -%}
  {%- if not flags.EMPTY and (sql.split() | join(' ')) != 'select * from ' ~ relation.render() -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': the body of an auto_cdc model is `select * from` its staging table and nothing else; "
      ~ "AUTO CDC takes no query. Put projections and filters into the staging model."
    ) }}
  {%- endif -%}
  {{ return(relation) }}
{% endmacro %}


{% macro auto_cdc_flow(source_relation) %}
  {%- set scd_type = model_option('scd_type', 1) | string -%}
  {%- if scd_type not in ['1', '2'] -%}
    {%- do invalid_option('scd_type', scd_type, '1 or 2') -%}
  {%- endif -%}
  {%- set truncate_when = auto_cdc_condition('apply_as_truncate_when') -%}
  {%- if truncate_when and scd_type == '2' -%}
    {%- do invalid_option(
      'apply_as_truncate_when', truncate_when, 'nothing with scd_type 2: history knows no truncate'
    ) -%}
  {%- endif -%}
  {%- set delete_when = auto_cdc_condition('apply_as_delete_when') -%}
  {%- set columns = auto_cdc_column_choice('columns', 'except_columns') -%}
  {%- set tracked = auto_cdc_column_choice('track_history_on', 'track_history_except_on') -%}
  {%- if tracked and scd_type == '1' -%}
    {%- do invalid_option('track_history_on', tracked, 'nothing with scd_type 1: it keeps no history') -%}
  {%- endif -%}

  {%- set lines = [
    'FLOW AUTO CDC',
    'FROM STREAM(' ~ source_relation.render() ~ ')',
    'KEYS ' ~ quoted_column_list(auto_cdc_keys()),
  ] -%}
  {%- if delete_when -%}
    {%- do lines.append('APPLY AS DELETE WHEN ' ~ delete_when) -%}
  {%- endif -%}
  {%- if truncate_when -%}
    {%- do lines.append('APPLY AS TRUNCATE WHEN ' ~ truncate_when) -%}
  {%- endif -%}
  {%- do lines.append('SEQUENCE BY ' ~ auto_cdc_sequence()) -%}
  {%- if columns -%}
    {%- do lines.append('COLUMNS ' ~ columns) -%}
  {%- endif -%}
  {%- do lines.append('STORED AS SCD TYPE ' ~ scd_type) -%}
  {%- if tracked -%}
    {%- do lines.append('TRACK HISTORY ON ' ~ tracked) -%}
  {%- endif -%}
  {{ return(lines | join('\n')) }}
{% endmacro %}


{% macro auto_cdc_keys() %}
  {%- set keys = auto_cdc_names('keys') -%}
  {%- if not keys -%}
    {%- do invalid_option('keys', 'not given', 'the column or columns that identify a row') -%}
  {%- endif -%}
  {%- for key in auto_cdc_names('except_columns') if key in keys -%}
    {%- do invalid_option('except_columns', key, 'no key column: a key cannot be left out of the target') -%}
  {%- endfor -%}
  {%- set kept = auto_cdc_names('columns') -%}
  {%- for key in keys if kept and key not in kept -%}
    {%- do invalid_option('columns', kept | join(', '), 'the key column ' ~ key ~ ' among them') -%}
  {%- endfor -%}
  {{ return(keys) }}
{% endmacro %}


{% macro auto_cdc_sequence() %}
  {#- Several expressions compare lexicographically as one struct, the documented way to break ties. -#}
  {%- set sequence = model_option('sequence_by') -%}
  {%- set parts = [sequence] if sequence is string else sequence -%}
  {%- if not parts or parts is mapping or parts is not sequence or parts | reject('string') | list -%}
    {%- do invalid_option('sequence_by', sequence, 'a column, an expression, or a list of them') -%}
  {%- endif -%}
  {{ return(parts[0] if parts | length == 1 else 'STRUCT(' ~ parts | join(', ') ~ ')') }}
{% endmacro %}


{% macro auto_cdc_condition(option) %}
  {%- set condition = model_option(option) -%}
  {%- if condition is not none and (condition is not string or not condition | trim) -%}
    {%- do invalid_option(option, condition, 'a condition on the columns of the source') -%}
  {%- endif -%}
  {{ return(condition) }}
{% endmacro %}


{% macro auto_cdc_column_choice(include_option, except_option) %}
  {%- set included = auto_cdc_names(include_option) -%}
  {%- set excepted = auto_cdc_names(except_option) -%}
  {%- if included and excepted -%}
    {%- do invalid_option(except_option, excepted | join(', '), 'nothing where `' ~ include_option ~ '` is given') -%}
  {%- endif -%}
  {%- if included -%}
    {{ return(quoted_column_list(included)) }}
  {%- elif excepted -%}
    {{ return('* EXCEPT ' ~ quoted_column_list(excepted)) }}
  {%- endif -%}
  {{ return('') }}
{% endmacro %}


{% macro auto_cdc_names(option) %}
  {%- set names = model_option(option, []) -%}
  {%- set names = [names] if names is string else names -%}
  {%- if names is mapping or names is not sequence or names | reject('string') | list -%}
    {%- do invalid_option(option, names, 'a column name or a list of column names') -%}
  {%- endif -%}
  {{ return(names) }}
{% endmacro %}


{% macro quoted_column_list(names) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}
    {%- do quoted.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return('(' ~ quoted | join(', ') ~ ')') }}
{% endmacro %}
