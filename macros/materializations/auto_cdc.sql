{#- Materialization `auto_cdc`: see _macros.yml. Page: CREATE STREAMING TABLE ... FLOW AUTO CDC. -#}
{% materialization auto_cdc, adapter='databricks' %}
  {%- do check_auto_cdc() -%}
  {%- set source_relation = auto_cdc_source(sql) -%}
  {%- if config.get('contract').enforced and not flags.EMPTY -%}
    {%- do check_auto_cdc_contract(source_relation) -%}
  {%- endif -%}
  {{ return(build_streaming_table(auto_cdc_flow(source_relation))) }}
{% endmaterialization %}


{% macro auto_cdc_source(sql) %}
  {#- The source is a name, never a query. It is taken from the model's only ref, so that lineage and statement cannot
      differ; the body is then only allowed to say the same. -#}
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
  {%- set options = auto_cdc_options() -%}
  {%- set stored_as = {'1': 'SCD TYPE 1', '2': 'SCD TYPE 2', 'bitemporal': 'BITEMPORAL'} -%}
  {%- set lines = [
    'FLOW AUTO CDC',
    'FROM STREAM(' ~ source_relation.render() ~ ')',
    'KEYS ' ~ quoted_column_list(options['keys']),
  ] -%}
  {%- if options['ignore_null_updates'] -%}
    {%- set covered = options['ignore_null_updates'] -%}
    {%- do lines.append('IGNORE NULL UPDATES' ~ (' ON ' ~ column_selection_sql(covered) if covered.columns else '')) -%}
  {%- endif -%}
  {%- if options['apply_as_delete_when'] -%}
    {%- do lines.append('APPLY AS DELETE WHEN ' ~ options['apply_as_delete_when']) -%}
  {%- endif -%}
  {%- if options['apply_as_truncate_when'] -%}
    {%- do lines.append('APPLY AS TRUNCATE WHEN ' ~ options['apply_as_truncate_when']) -%}
  {%- endif -%}
  {%- do lines.append('SEQUENCE BY ' ~ sequence_sql(options['sequence_by'])) -%}
  {%- if options['system_sequence_by'] -%}
    {%- do lines.append('SYSTEM SEQUENCE BY ' ~ sequence_sql(options['system_sequence_by'])) -%}
  {%- endif -%}
  {%- if options['columns'] -%}
    {%- do lines.append('COLUMNS ' ~ column_selection_sql(options['columns'])) -%}
  {%- endif -%}
  {%- do lines.append('STORED AS ' ~ stored_as[options['scd_type']]) -%}
  {%- if options['track_history'] -%}
    {%- do lines.append('TRACK HISTORY ON ' ~ column_selection_sql(options['track_history'])) -%}
  {%- endif -%}
  {%- if options['columns_to_update'] -%}
    {%- do lines.append('COLUMNS TO UPDATE ' ~ adapter.quote(options['columns_to_update'])) -%}
  {%- endif -%}
  {{ return(lines | join('\n')) }}
{% endmacro %}


{% macro check_auto_cdc_contract(source_relation) %}
  {#- dbt's own check (assert_columns_equivalent) wants a query that can run in batch and knows no derived columns. -#}
  {%- set listed = {} -%}
  {%- for column in declared_columns() -%}
    {%- do listed.update({column.name: column}) -%}
  {%- endfor -%}
  {%- set rows_sql = auto_cdc_rows_sql(source_relation, auto_cdc_options()) -%}
  {%- set promised = format_columns(get_column_schema_from_query(get_empty_schema_sql(listed))) -%}
  {%- set written = format_columns(get_column_schema_from_query(rows_sql)) -%}
  {%- if promised | map(attribute='formatted') | sort != written | map(attribute='formatted') | sort -%}
    {%- do exceptions.raise_contract_error(promised, written) -%}
  {%- endif -%}
{% endmacro %}


{% macro auto_cdc_rows_sql(source_relation, options) %}
  {#- Shape only: the columns that the flow writes, as a query over the staging table. -#}
  {%- set kept = options['columns'] -%}
  {%- set columns = [] -%}
  {%- if kept and not kept.is_except -%}
    {%- for name in kept.columns -%}
      {%- do columns.append(adapter.quote(name)) -%}
    {%- endfor -%}
  {%- else -%}
    {%- do columns.append(column_selection_sql(kept) if kept else '*') -%}
  {%- endif -%}
  {%- for name, parts in auto_cdc_interval_columns(options).items() -%}
    {%- do columns.append(sequence_sql(parts) ~ ' AS ' ~ adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return('SELECT ' ~ columns | join(', ') ~ ' FROM ' ~ source_relation.render()) }}
{% endmacro %}


{% macro sequence_sql(parts) %}
  {#- Several expressions compare lexicographically as one struct, the documented way to break ties. -#}
  {{ return(parts[0] if parts | length == 1 else 'STRUCT(' ~ parts | join(', ') ~ ')') }}
{% endmacro %}


{% macro column_selection_sql(selection) %}
  {{ return(('* EXCEPT ' if selection.is_except else '') ~ quoted_column_list(selection.columns)) }}
{% endmacro %}


{% macro quoted_column_list(names) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}
    {%- do quoted.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return('(' ~ quoted | join(', ') ~ ')') }}
{% endmacro %}
