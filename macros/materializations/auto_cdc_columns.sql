{#- What YAML says about the columns of an `auto_cdc` model and of its staging table: see _macros.yml. -#}
{% macro auto_cdc_staging() %}
  {%- if model.refs | length + model.sources | length != 1 -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': an auto_cdc model reads exactly one staging table; its body is "
      ~ "`select * from {{ '{{' }} ref('stg_…') {{ '}}' }}`."
    ) }}
  {%- endif -%}
  {{ return(read_nodes(model)[0]) }}
{% endmacro %}


{% macro read_nodes(node) %}
  {%- set nodes = [] -%}
  {%- for unique_id in node.depends_on.nodes if unique_id in graph.nodes or unique_id in graph.sources -%}
    {%- do nodes.append(graph.nodes[unique_id] if unique_id in graph.nodes else graph.sources[unique_id]) -%}
  {%- endfor -%}
  {{ return(nodes) }}
{% endmacro %}


{% macro check_auto_cdc_staging(staging) %}
  {%- set reasons = {
    'ephemeral': 'is ephemeral, and AUTO CDC reads a table',
    'auto_cdc': 'is an AUTO CDC table: its rows change, and a stream takes only rows that are appended',
    'materialized_view': 'is a materialized view: its rows change, and a stream takes only rows that are appended',
  } -%}
  {%- set materialized = staging.config.get('materialized') -%}
  {%- if materialized in reasons -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "' reads '" ~ staging.name ~ "', which " ~ reasons[materialized]
      ~ ". Stage the changes in a streaming_table and read that."
    ) }}
  {%- endif -%}
{% endmacro %}


{% macro check_auto_cdc_columns(staging, options) %}
  {%- set known = complete_columns(staging) -%}
  {%- if not known -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set columns_option = auto_cdc_given('columns', 'except_columns') -%}
  {%- set named = {
    'keys': options['keys'],
    'sequence_by': sequence_columns(options['sequence_by']) | reject('none') | list,
    'system_sequence_by': sequence_columns(options['system_sequence_by']) | reject('none') | list,
    columns_option: (options['columns'] or {}).get('columns', []),
    'ignore_null_updates': (options['ignore_null_updates'] or {}).get('columns', []),
    auto_cdc_given('track_history_on', 'track_history_except_on'): (options['track_history'] or {}).get('columns', []),
    'columns_to_update': [options['columns_to_update']] | reject('none') | list,
  } -%}
  {%- for option, names in named.items() -%}
    {%- for name in names if name | lower not in known -%}
      {%- set meant = closest_name(name, known.keys()) -%}
      {%- do invalid_option(
        option, name, 'a column of ' ~ staging.name ~ (' (did you mean ' ~ known[meant].name ~ '?)' if meant else '')
        ~ ', which has ' ~ known.values() | map(attribute='name') | join(', ')
      ) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- if options['columns_to_update'] -%}
    {%- set updates = known[options['columns_to_update'] | lower] -%}
    {%- if updates.data_type.split() | join | lower != 'array<string>' -%}
      {%- do invalid_option('columns_to_update', updates.name, 'an array<string>, not ' ~ updates.data_type) -%}
    {%- endif -%}
  {%- endif -%}
  {%- for name in auto_cdc_interval_columns(options) if name | lower in known and is_kept(name, options['columns']) -%}
    {%- do invalid_option(
      columns_option, auto_cdc_names(columns_option) | join(', ') or 'not given',
      'the column ' ~ name ~ ' of ' ~ staging.name ~ ' to be left out: AUTO CDC writes one of that name itself'
    ) -%}
  {%- endfor -%}
{% endmacro %}


{% macro check_auto_cdc_column_list(staging, options) %}
  {%- set known = complete_columns(staging) -%}
  {%- set listed = [] -%}
  {%- for column in declared_columns() if column.data_type -%}
    {%- do listed.append(column.name | lower) -%}
  {%- endfor -%}
  {%- if not known or not listed -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set written = auto_cdc_interval_columns(options).keys() | map('lower') | list -%}
  {%- for name in known if is_kept(name, options['columns']) -%}
    {%- do written.append(name) -%}
  {%- endfor -%}
  {%- set left_out = written | reject('in', listed) | list -%}
  {%- set never_written = listed | reject('in', written) | list -%}
  {%- if left_out -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': the columns of its YAML leave out " ~ left_out | join(', ') ~ ", which the flow "
      ~ "writes from " ~ staging.name ~ ". List them with a `data_type`, or leave them out by `except_columns`."
    ) }}
  {%- endif -%}
  {%- if never_written and config.get('contract').enforced -%}
    {#- Without a contract a column may outlive its source: AUTO CDC keeps its old values. -#}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': its contract promises " ~ never_written | join(', ') ~ ", which the flow does not "
      ~ "write: " ~ staging.name ~ " has no such column, or `" ~ auto_cdc_given('columns', 'except_columns')
      ~ "` leaves it out."
    ) }}
  {%- endif -%}
{% endmacro %}


{% macro complete_columns(node) %}
  {#- A column list is all or nothing: only YAML in which each column has its type tells what columns there are. -#}
  {%- set columns = {} -%}
  {%- for column in node.columns.values() -%}
    {%- if not column.data_type -%}
      {{ return({}) }}
    {%- endif -%}
    {%- do columns.update({column.name | lower: column}) -%}
  {%- endfor -%}
  {{ return(columns) }}
{% endmacro %}


{% macro auto_cdc_declared_columns() %}
  {#- The columns of an interval are AUTO CDC's own, yet a column list has to name them, in the sequence's type. -#}
  {%- set columns = model.columns.values() | list -%}
  {%- set intervals = auto_cdc_interval_columns(auto_cdc_options()) -%}
  {%- if not intervals or not columns | selectattr('data_type') | list -%}
    {{ return(columns) }}
  {%- endif -%}
  {%- set declared = [] -%}
  {%- set unknown = [] -%}
  {%- for column in columns -%}
    {%- set name = column.name | upper -%}
    {%- if name in intervals and not column.data_type -%}
      {%- set column = dict(column, data_type=interval_type(name, intervals)) -%}
      {%- do unknown.append(column.name) if not column.data_type -%}
    {%- endif -%}
    {%- do declared.append(column) -%}
  {%- endfor -%}
  {%- for name in intervals if name not in columns | map(attribute='name') | map('upper') | list -%}
    {%- set data_type = interval_type(name, intervals) -%}
    {%- do unknown.append(name) if not data_type -%}
    {%- do declared.append({'name': name, 'data_type': data_type, 'description': '', 'constraints': []}) -%}
  {%- endfor -%}
  {%- if unknown -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ model.name ~ "': its YAML gives data types to columns, so that the column list has to name "
      ~ unknown | join(', ') ~ " as well, and their type cannot be told from the YAML. List them with the `data_type` "
      ~ "of `" ~ intervals[unknown[0] | upper] | join(', ') ~ "`, or give the columns of that sequence a `data_type` "
      ~ "in the YAML of " ~ auto_cdc_staging().name ~ "."
    ) }}
  {%- endif -%}
  {{ return(declared) }}
{% endmacro %}


{% macro auto_cdc_interval_columns(options) %}
  {%- set intervals = {} -%}
  {%- if options['scd_type'] != '1' -%}
    {%- do intervals.update({'__START_AT': options['sequence_by'], '__END_AT': options['sequence_by']}) -%}
  {%- endif -%}
  {%- if options['scd_type'] == 'bitemporal' -%}
    {%- set system = options['system_sequence_by'] -%}
    {%- do intervals.update({'__SYSTEM_START_AT': system, '__SYSTEM_END_AT': system}) -%}
  {%- endif -%}
  {{ return(intervals) }}
{% endmacro %}


{% macro interval_type(name, intervals) %}
  {#- From the other end of the interval where that has a type, else from the columns of the sequence. -#}
  {%- for column in model.columns.values() if column.data_type -%}
    {%- if intervals.get(column.name | upper) == intervals[name] -%}
      {{ return(column.data_type) }}
    {%- endif -%}
  {%- endfor -%}
  {%- set types = {} -%}
  {%- for column in model.columns.values() | list + auto_cdc_staging().columns.values() | list if column.data_type -%}
    {%- do types.update({column.name | lower: column.data_type}) -%}
  {%- endfor -%}
  {%- set fields = [] -%}
  {%- for column in sequence_columns(intervals[name]) -%}
    {%- if column is none or column | lower not in types -%}
      {{ return('') }}
    {%- endif -%}
    {%- set field = column if modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', column) else adapter.quote(column) -%}
    {%- do fields.append((field, types[column | lower])) -%}
  {%- endfor -%}
  {%- if intervals[name] | length == 1 and not struct_fields(intervals[name]) -%}
    {{ return(fields[0][1]) }}
  {%- endif -%}
  {%- set texts = [] -%}
  {%- for field, data_type in fields -%}
    {%- do texts.append(field ~ ': ' ~ data_type) -%}
  {%- endfor -%}
  {{ return('struct<' ~ texts | join(', ') ~ '>') }}
{% endmacro %}


{% macro sequence_columns(parts) %}
  {%- set columns = [] -%}
  {%- for part in struct_fields(parts) or parts -%}
    {%- set plain = modules.re.match('^\\s*(?:`([^`]+)`|([^\\W\\d]\\w*))\\s*$', part) -%}
    {%- do columns.append((plain.group(1) or plain.group(2)) if plain else none) -%}
  {%- endfor -%}
  {{ return(columns) }}
{% endmacro %}


{% macro struct_fields(parts) %}
  {#- STRUCT(…) with calls or literals inside is an expression like any other. -#}
  {%- set written = modules.re.match('(?is)^struct\\s*\\(([^()\'"]*)\\)$', parts | join('\n')) -%}
  {{ return(written.group(1).split(',') if written and parts | length == 1 else none) }}
{% endmacro %}
