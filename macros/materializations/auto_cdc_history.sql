{#- May an `auto_cdc` table be rebuilt, or is what it was made from no longer there? See _macros.yml. -#}
{% macro check_full_refresh_keeps_history(existing) %}
  {#- Asked of every streaming table that is about to be dropped, not of the AUTO CDC table alone: once its staging
      table is rebuilt from less, the AUTO CDC table cannot go on. -#}
  {%- if var('force_full_refresh', false) | string | lower == 'true' -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set tables = standing_auto_cdc_tables(model) -%}
  {%- if not tables -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set losses = history_losses(model, created_at(existing)) | unique | list -%}
  {%- if losses -%}
    {{ exceptions.raise_compiler_error(
      "Full refresh of '" ~ model.name ~ "' is refused: what " ~ tables | join(', ') ~ " (AUTO CDC) holds could not be "
      ~ "made again. " ~ losses | join('; ') ~ ". The table stands as it was. Run without --full-refresh to keep the "
      ~ "history; if it may be lost: --vars 'force_full_refresh: true'"
    ) }}
  {%- endif -%}
{% endmacro %}


{% macro standing_auto_cdc_tables(node) %}
  {%- if node.config.materialized == 'auto_cdc' -%}
    {%- set standing = adapter.get_relation(node.database, node.schema, node.alias) -%}
    {{ return([node.name] if standing is not none and standing.is_streaming_table else []) }}
  {%- endif -%}
  {%- set names = [] -%}
  {%- for reader in streaming_readers(node.unique_id) -%}
    {%- do names.extend(standing_auto_cdc_tables(graph.nodes[reader])) -%}
  {%- endfor -%}
  {{ return(names | unique | list) }}
{% endmacro %}


{% macro history_losses(node, reader_created_at) %}
  {%- set losses = [] -%}
  {%- set sources = read_nodes(node) -%}
  {%- if not sources -%}
    {%- do losses.append(
      node.name ~ ' is made anew in this run from files or topics, and nothing tells whether these still hold what '
      ~ 'they held'
    ) -%}
  {%- endif -%}
  {%- for source_node in sources -%}
    {%- set looked_through = source_node.config.get('materialized') in ['ephemeral', 'view'] -%}
    {%- if looked_through or is_rebuilt_in_this_run(source_node) -%}
      {%- do losses.extend(history_losses(source_node, reader_created_at)) -%}
    {%- else -%}
      {%- do losses.extend(table_losses(source_node, reader_created_at)) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(losses) }}
{% endmacro %}


{% macro is_rebuilt_in_this_run(node) %}
  {{ return(
    node.unique_id in selected_resources and node.config.get('materialized') == 'streaming_table'
    and (flags.FULL_REFRESH if node.config.get('full_refresh') is none else node.config.full_refresh)
  ) }}
{% endmacro %}


{% macro table_losses(node, reader_created_at) %}
  {%- set table = adapter.get_relation(node.database, node.schema, node.alias or node.identifier) -%}
  {%- if table is none or table.is_view -%}
    {{ return([node.name ~ ' is no table here, and nothing tells whether it still holds what it held']) }}
  {%- endif -%}
  {%- set losses = [] -%}
  {%- if created_at(table) > reader_created_at -%}
    {%- do losses.append(
      node.name ~ ' was created at ' ~ created_at(table) ~ ', after what reads it (' ~ reader_created_at
      ~ '): select it too, so that it is rebuilt in the same run'
    ) -%}
  {%- endif -%}
  {%- set commits = run_query('DESCRIBE HISTORY ' ~ table.render()) -%}
  {%- set removals = [] -%}
  {%- for commit in commits if removes_rows(commit) -%}
    {%- do removals.append(
      commit['operation'] ~ ' (version ' ~ commit['version'] ~ ', ' ~ commit['timestamp'] ~ ')'
    ) -%}
  {%- endfor -%}
  {%- if removals -%}
    {%- do losses.append(
      'the history of ' ~ node.name ~ ' shows ' ~ removals[:3] | join(', ')
      ~ (' and ' ~ (removals | length - 3) ~ ' more' if removals | length > 3 else '')
    ) -%}
  {%- endif -%}
  {%- set first = commits.columns['version'].values() | min -%}
  {%- if first > 0 -%}
    {%- do losses.append(
      'the history of ' ~ node.name ~ ' begins at version ' ~ first ~ ', so that what was removed before is not '
      ~ 'recorded'
    ) -%}
  {%- endif -%}
  {{ return(losses) }}
{% endmacro %}


{% macro removes_rows(commit) %}
  {#- Page "Work with table history": the operations and their metrics. Version 0 has nothing to remove; an operation
      that counts what it changed and counted none is harmless, as is a MERGE that only inserts. -#}
  {%- set operation = commit['operation'] -%}
  {%- set counted = {
    'DELETE': ['numDeletedRows'],
    'UPDATE': ['numUpdatedRows'],
    'MERGE': ['numTargetRowsDeleted', 'numTargetRowsUpdated'],
  } -%}
  {%- if commit['version'] | int == 0 -%}
    {{ return(false) }}
  {%- endif -%}
  {%- if operation in counted -%}
    {%- set metrics = map_column(commit['operationMetrics']) -%}
    {%- for metric in counted[operation] if metrics.get(metric) | string != '0' -%}
      {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
  {%- endif -%}
  {%- if operation in ['WRITE', 'STREAMING UPDATE'] -%}
    {%- set parameters = map_column(commit['operationParameters']) -%}
    {{ return((parameters.get('mode') or parameters.get('outputMode')) not in ['Append', 'ErrorIfExists', 'Update']) }}
  {%- endif -%}
  {{ return(operation in ['TRUNCATE', 'RESTORE', 'CLONE'] or 'REPLACE TABLE' in operation) }}
{% endmacro %}


{% macro map_column(value) %}
  {#- A MAP reaches dbt as JSON, an object or a list of pairs, depending on the connector. -#}
  {%- set parsed = fromjson(value) if value is string else value -%}
  {{ return(dict(parsed or {})) }}
{% endmacro %}


{% macro created_at(table) %}
  {{ return(run_query('DESCRIBE DETAIL ' ~ table.render()).columns['createdAt'].values()[0]) }}
{% endmacro %}
