{#- Materialization `streaming_table`: see _macros.yml. Replaces the adapter's own, which drops columns, masks and
    filters when it has to change a table. -#}
{% materialization streaming_table, adapter='databricks' %}
  {{ return(build_streaming_table('AS\n' ~ adapter.clean_sql(sql))) }}
{% endmaterialization %}


{% macro build_streaming_table(flow) %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type=this.StreamingTable) -%}
  {%- do check_streaming_table_options() -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if flags.EMPTY -%}
    {%- set target = build_empty_stand_in(existing) -%}
  {%- else -%}
    {%- set replaced = existing if existing is not none and not existing.is_streaming_table else none -%}
    {%- if existing is not none and existing.is_streaming_table and should_full_refresh() -%}
      {%- do check_full_refresh_reaches_readers() -%}
      {%- do check_full_refresh_keeps_history(existing) -%}
      {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- if replaced is not none -%}
      {%- do set_aside(replaced) -%}
    {%- endif -%}

    {%- call statement('main') -%}
      {{ streaming_table_sql(target, flow) }}
    {%- endcall -%}

    {%- for tag_sql in get_set_tag_statements(
      target, config.get('databricks_tags'), adapter.get_column_tags_from_model(config.model)
    ) -%}
      {%- do run_query_as(tag_sql, 'set_tags', fetch_result=False) -%}
    {%- endfor -%}
    {%- if replaced is not none and replaced.can_be_renamed -%}
      {%- do adapter.drop_relation(make_backup_relation(replaced, replaced.type)) -%}
    {%- endif -%}
    {%- do apply_grants(target, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
  {%- endif -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target]}) }}
{% endmacro %}


{% macro streaming_table_sql(relation, flow) %}
  {%- set clauses = [
    streaming_table_columns(relation, streaming_table_expectations()),
    get_create_sql_partition_by(streaming_table_partition_columns()),
    liquid_clustered_cols(),
    streaming_table_comment(),
    streaming_table_properties(),
    get_create_sql_refresh_schedule(config.get('schedule') or {}),
    get_create_row_filter_clause(relation) if config.get('row_filter') else '',
    flow,
  ] -%}
  {%- set lines = ['CREATE OR REFRESH STREAMING TABLE ' ~ relation.render()] -%}
  {%- for clause in clauses if clause | trim -%}
    {%- do lines.append(clause | trim) -%}
  {%- endfor -%}
  {{ return(lines | join('\n')) }}
{% endmacro %}


{% macro build_empty_stand_in(existing) %}
  {#- A streaming table cannot be created without its first refresh, which would mark the source's rows as read and keep
      none of them. So `--empty` leaves an existing table alone and puts a plain table with the same columns where there
      is none; the next real build finds a table of another type and replaces it. -#}
  {%- if existing is not none -%}
    {%- do execute_no_op(existing) -%}
    {{ return(existing) }}
  {%- endif -%}
  {%- set stand_in = this.incorporate(type=this.Table) -%}
  {%- set columns = streaming_table_columns(stand_in, []) -%}
  {%- if not columns -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "' cannot be built with --empty: give every column a `data_type` in its YAML, so that an "
      ~ "empty table can stand in for the streaming table."
    ) }}
  {%- endif -%}
  {%- call statement('main') -%}
    CREATE TABLE {{ stand_in.render() }}
    {{ columns }}
  {%- endcall -%}
  {{ return(stand_in) }}
{% endmacro %}


{% macro set_aside(relation) %}
  {#- Renamed where possible, so that a failing CREATE does not cost the old data. -#}
  {%- if relation.can_be_renamed -%}
    {%- do create_backup(relation) -%}
  {%- else -%}
    {%- do adapter.drop_relation(relation) -%}
  {%- endif -%}
{% endmacro %}


{% macro check_full_refresh_reaches_readers() %}
  {#- "Full refresh for streaming tables": a reader's checkpoint does not survive its source being dropped. -#}
  {%- set left_behind = [] -%}
  {%- for reader in streaming_readers(model.unique_id) -%}
    {%- if reader not in selected_resources or graph.nodes[reader].config.full_refresh is false -%}
      {%- do left_behind.append(graph.nodes[reader].name) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if left_behind -%}
    {{ exceptions.raise_compiler_error(
      "Full refresh of '" ~ model.name ~ "' would break the streaming tables that read it and are not fully refreshed "
      ~ "with it: " ~ (left_behind | sort | join(', ')) ~ ". Select them too: --full-refresh --select " ~ model.name
      ~ "+; one with `full_refresh: false` has to be dropped by hand."
    ) }}
  {%- endif -%}
{% endmacro %}


{% macro streaming_readers(unique_id) %}
  {%- set readers = [] -%}
  {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and unique_id in node.depends_on.nodes -%}
    {%- if node.config.materialized in ['streaming_table', 'auto_cdc'] -%}
      {%- do readers.append(node.unique_id) -%}
    {%- elif node.config.materialized in ['ephemeral', 'view'] -%}
      {%- do readers.extend(streaming_readers(node.unique_id)) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(readers | unique | list) }}
{% endmacro %}


{% macro check_streaming_table_options() %}
  {%- set reaction = config.get('on_configuration_change', 'apply') -%}
  {%- if reaction != 'apply' -%}
    {%- do invalid_option(
      'on_configuration_change', reaction, "'apply': the full definition is sent with every refresh"
    ) -%}
  {%- endif -%}
  {%- set schedule = config.get('schedule') -%}
  {%- if schedule -%}
    {%- set modes = [] -%}
    {%- for mode in ['cron', 'every', 'on_update'] if schedule is mapping and schedule.get(mode) -%}
      {%- do modes.append(mode) -%}
    {%- endfor -%}
    {%- if modes | length != 1 -%}
      {%- do invalid_option('schedule', schedule, 'a mapping with exactly one of cron, every, on_update') -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{% macro invalid_option(name, value, expected) %}
  {{ exceptions.raise_compiler_error(
    "Model '" ~ model.name ~ "': option `" ~ name ~ "` is " ~ (value | string) ~ "; expected " ~ expected ~ "."
  ) }}
{% endmacro %}


{% macro model_option(name, default=none) %}
  {#- Options may stand under `config:` or, as dbt asks for keys it does not know, under `config: meta:`. -#}
  {%- set value = config.get('meta', {}).get(name) -%}
  {%- if value is none -%}
    {%- set value = config.get(name) -%}
  {%- endif -%}
  {{ return(default if value is none else value) }}
{% endmacro %}
