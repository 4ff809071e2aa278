{#- The options of `auto_cdc`, checked: see _macros.yml. -#}
{% macro auto_cdc_option_names() %}
  {{ return([
    'keys', 'sequence_by', 'system_sequence_by', 'ignore_null_updates', 'apply_as_delete_when',
    'apply_as_truncate_when', 'columns', 'except_columns', 'scd_type', 'track_history_on', 'track_history_except_on',
    'columns_to_update', 'preview', 'expectations',
  ]) }}
{% endmacro %}


{% macro auto_cdc_options() %}
  {%- do refuse_unknown_auto_cdc_options() -%}
  {%- set options = {
    'keys': auto_cdc_names('keys'),
    'sequence_by': auto_cdc_expressions('sequence_by'),
    'system_sequence_by': auto_cdc_expressions('system_sequence_by'),
    'ignore_null_updates': auto_cdc_ignore_null_updates(),
    'apply_as_delete_when': auto_cdc_condition('apply_as_delete_when'),
    'apply_as_truncate_when': auto_cdc_condition('apply_as_truncate_when'),
    'columns': auto_cdc_column_choice('columns', 'except_columns'),
    'scd_type': auto_cdc_scd_type(),
    'track_history': auto_cdc_column_choice('track_history_on', 'track_history_except_on'),
    'columns_to_update': auto_cdc_columns_to_update(),
  } -%}
  {%- do check_auto_cdc_required_options(options) -%}
  {%- do check_auto_cdc_combinations(options) -%}
  {%- do check_auto_cdc_kept_columns(options) -%}
  {%- do check_auto_cdc_preview(options) -%}
  {{ return(options) }}
{% endmacro %}


{% macro refuse_unknown_auto_cdc_options() %}
  {#- `meta` belongs to everybody, so that only a name that can be meant for AUTO CDC is refused: one close to an
      option, one of the Python interface (create_auto_cdc_flow), or one that begins like an option. -#}
  {%- set known = auto_cdc_option_names() -%}
  {%- set other_names = {
    'key': 'keys', 'unique_key': 'keys',
    'delete_when': 'apply_as_delete_when', 'truncate_when': 'apply_as_truncate_when',
    'column_list': 'columns', 'except_column_list': 'except_columns', 'exclude_columns': 'except_columns',
    'stored_as': 'scd_type', 'stored_as_scd_type': 'scd_type',
    'track_history_column_list': 'track_history_on', 'track_history_except_column_list': 'track_history_except_on',
    'ignore_null_updates_column_list': 'ignore_null_updates',
    'ignore_null_updates_except_column_list': 'ignore_null_updates',
  } -%}
  {%- set beginnings = '^(apply_as|scd|sequence|system_sequence|ignore_null|track_history|columns_to)' -%}
  {%- for place, given in {'meta': model.config.get('meta') or {}, 'config': model.config}.items() -%}
    {%- for name, value in given.items() if value is not none and name not in known -%}
      {%- set plain = name | string | lower | replace('-', '_') -%}
      {%- set meant = other_names.get(plain) or closest_name(plain, known) -%}
      {%- if not meant and modules.re.match(beginnings, plain) -%}
        {%- set meant = closest_name(plain, known, plain | length) -%}
      {%- endif -%}
      {%- if meant -%}
        {{ exceptions.raise_compiler_error(
          "Model '" ~ model.name ~ "': `" ~ name ~ "` (under " ~ place ~ ") is no option of auto_cdc; did you mean `"
          ~ meant ~ "`? The options are " ~ known | join(', ') ~ "."
        ) }}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
{% endmacro %}


{% macro check_auto_cdc_required_options(options) %}
  {%- if not options['keys'] -%}
    {%- do invalid_option('keys', 'not given', 'the column or columns that identify a row') -%}
  {%- endif -%}
  {%- if not options['sequence_by'] -%}
    {%- do invalid_option('sequence_by', 'not given', 'a column, an expression, or a list of them') -%}
  {%- endif -%}
  {%- if options['scd_type'] == 'bitemporal' and not options['system_sequence_by'] -%}
    {%- do invalid_option(
      'system_sequence_by', 'not given', 'with scd_type bitemporal the order in which the facts became known'
    ) -%}
  {%- endif -%}
{% endmacro %}


{% macro check_auto_cdc_combinations(options) %}
  {%- set scd_type = options['scd_type'] -%}
  {%- if options['system_sequence_by'] and scd_type != 'bitemporal' -%}
    {%- do invalid_option(
      'system_sequence_by', options['system_sequence_by'] | join(', '),
      'nothing with scd_type ' ~ scd_type ~ ': only bitemporal keeps a second time'
    ) -%}
  {%- endif -%}
  {%- if options['apply_as_truncate_when'] and scd_type != '1' -%}
    {%- do invalid_option(
      'apply_as_truncate_when', options['apply_as_truncate_when'],
      'nothing with scd_type ' ~ scd_type ~ ': history knows no truncate'
    ) -%}
  {%- endif -%}
  {%- if options['track_history'] and scd_type == '1' -%}
    {%- do invalid_option(
      auto_cdc_given('track_history_on', 'track_history_except_on'), options['track_history'].columns | join(', '),
      'nothing with scd_type 1: it keeps no history'
    ) -%}
  {%- endif -%}
  {%- if options['columns_to_update'] and options['ignore_null_updates'] -%}
    {%- do invalid_option(
      'columns_to_update', options['columns_to_update'],
      'nothing where `ignore_null_updates` is given: both say which columns a row updates'
    ) -%}
  {%- endif -%}
  {%- if options['columns_to_update'] and scd_type == 'bitemporal' -%}
    {%- do invalid_option('columns_to_update', options['columns_to_update'], 'nothing with scd_type bitemporal') -%}
  {%- endif -%}
{% endmacro %}


{% macro check_auto_cdc_kept_columns(options) %}
  {#- A target keeps its keys, and only what it keeps can be tracked or left unwritten where it is NULL. -#}
  {%- set keys = options['keys'] | map('lower') | list -%}
  {%- set kept = options['columns'] -%}
  {%- for key in options['keys'] if not is_kept(key, kept) -%}
    {%- if kept.is_except -%}
      {%- do invalid_option('except_columns', key, 'no key column: a key cannot be left out of the target') -%}
    {%- endif -%}
    {%- do invalid_option('columns', kept.columns | join(', '), 'the key column ' ~ key ~ ' among them') -%}
  {%- endfor -%}
  {%- set narrowed = {
    'ignore_null_updates': options['ignore_null_updates'],
    auto_cdc_given('track_history_on', 'track_history_except_on'): options['track_history'],
  } -%}
  {%- for option, selection in narrowed.items() if selection -%}
    {%- for name in selection.columns -%}
      {%- if option == 'ignore_null_updates' and name | lower in keys -%}
        {%- do invalid_option(option, name, 'no key column: a key is never NULL') -%}
      {%- endif -%}
      {%- if not is_kept(name, kept) -%}
        {%- do invalid_option(
          option, name, 'columns that the target keeps; this one is left out by `'
          ~ auto_cdc_given('columns', 'except_columns') ~ '`'
        ) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
{% endmacro %}


{% macro check_auto_cdc_preview(options) %}
  {#- Page "CREATE STREAMING TABLE ... FLOW AUTO CDC" (Databricks SQL) shows a bare IGNORE NULL UPDATES and SCD TYPE 1
      and 2; the rest is on "AUTO CDC INTO (pipelines)" alone. -#}
  {%- set preview = model_option('preview', false) -%}
  {%- if preview is not boolean -%}
    {%- do invalid_option('preview', preview, 'true or false') -%}
  {%- endif -%}
  {%- if not preview -%}
    {%- set ignored = (options['ignore_null_updates'] or {}).get('columns') -%}
    {%- set updates = options['columns_to_update'] -%}
    {%- set pipelines_only = {
      'scd_type': ('bitemporal', 'STORED AS BITEMPORAL') if options['scd_type'] == 'bitemporal' else none,
      'columns_to_update': (updates, 'COLUMNS TO UPDATE') if updates else none,
      'ignore_null_updates': (ignored | join(', '), 'IGNORE NULL UPDATES ON') if ignored else none,
    } -%}
    {%- for option, used in pipelines_only.items() if used -%}
      {%- do invalid_option(
        option, used[0],
        '`preview: true` beside it: ' ~ used[1] ~ ' is documented for pipelines (AUTO CDC INTO) and not for '
        ~ 'Databricks SQL, so that a SQL warehouse may refuse it'
      ) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}


{% macro auto_cdc_scd_type() %}
  {%- set scd_type = model_option('scd_type', 1) -%}
  {%- if scd_type is boolean or scd_type | string | lower not in ['1', '2', 'bitemporal'] -%}
    {%- do invalid_option('scd_type', scd_type, '1, 2 or bitemporal') -%}
  {%- endif -%}
  {{ return(scd_type | string | lower) }}
{% endmacro %}


{% macro auto_cdc_ignore_null_updates() %}
  {%- set option = 'ignore_null_updates' -%}
  {%- set value = model_option(option, false) -%}
  {%- if value is boolean -%}
    {{ return({'columns': [], 'is_except': true} if value else none) }}
  {%- endif -%}
  {%- if value is not mapping -%}
    {{ return({'columns': auto_cdc_names(option), 'is_except': false}) }}
  {%- endif -%}
  {%- if value.keys() | list != ['except'] -%}
    {%- do invalid_option(option, value, 'true, a list of columns, or {except: [columns]}') -%}
  {%- endif -%}
  {{ return({'columns': checked_names(option, value['except']), 'is_except': true}) }}
{% endmacro %}


{% macro auto_cdc_columns_to_update() %}
  {%- set option = 'columns_to_update' -%}
  {%- set column = model_option(option) -%}
  {%- if column is not none and (column is not string or not column | trim) -%}
    {%- do invalid_option(option, column, 'the one staging column, an array<string>, that names what a row updates') -%}
  {%- endif -%}
  {{ return(column) }}
{% endmacro %}


{% macro auto_cdc_expressions(option) %}
  {%- set value = model_option(option) -%}
  {%- if value is none -%}
    {{ return([]) }}
  {%- endif -%}
  {%- set expected = 'a column, an expression, or a list of them' -%}
  {%- set parts = [value] if value is string else value -%}
  {%- if parts is mapping or parts is not sequence or not parts -%}
    {%- do invalid_option(option, value, expected) -%}
  {%- endif -%}
  {%- for part in parts if part is not string or not part | trim -%}
    {%- do invalid_option(option, value, expected) -%}
  {%- endfor -%}
  {{ return(parts | map('trim') | list) }}
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
  {%- if included or excepted -%}
    {{ return({'columns': included or excepted, 'is_except': not included}) }}
  {%- endif -%}
  {{ return(none) }}
{% endmacro %}


{% macro auto_cdc_given(first_option, second_option) %}
  {{ return(second_option if model_option(first_option) is none else first_option) }}
{% endmacro %}


{% macro auto_cdc_names(option) %}
  {%- set value = model_option(option) -%}
  {{ return([] if value is none else checked_names(option, value)) }}
{% endmacro %}


{% macro checked_names(option, value) %}
  {%- set names = [value] if value is string else value -%}
  {%- set seen = [] -%}
  {%- if names is mapping or names is not sequence or not names -%}
    {%- do invalid_option(option, value, 'a column name or a list of column names, not an empty one') -%}
  {%- endif -%}
  {%- for name in names -%}
    {%- if name is not string or not name | trim -%}
      {%- do invalid_option(option, value, 'a column name or a list of column names') -%}
    {%- endif -%}
    {%- if name | lower in seen -%}
      {%- do invalid_option(option, value, 'each column once; ' ~ name ~ ' is repeated') -%}
    {%- endif -%}
    {%- do seen.append(name | lower) -%}
  {%- endfor -%}
  {{ return(names) }}
{% endmacro %}


{% macro is_kept(name, selection) %}
  {%- if not selection -%}
    {{ return(true) }}
  {%- endif -%}
  {{ return((name | lower in selection.columns | map('lower') | list) != selection.is_except) }}
{% endmacro %}
