{% macro counted_tables() %}
  {%- set tables = {} -%}
  {%- for feed, options in var('staged_feeds', {}).items() -%}
    {%- do tables.update({'stg_' ~ feed: {
      'arrival': 'arrived_at',
      'quarantined_in': 'quarantine_' ~ feed,
      'dropped_in': (options or {}).get('dropped_in'),
    }}) -%}
  {%- endfor -%}
  {%- for name, options in var('tables_with_expectations', {}).items() -%}
    {%- do tables.update({name: options or {}}) -%}
  {%- endfor -%}
  {{ return(tables) }}
{% endmacro %}


{% macro expectation_gap_rows() %}
  {%- set gaps = [] -%}
  {%- for node in (graph.nodes.values() if execute else [])
        if node.resource_type in ['model', 'snapshot', 'seed'] and node.package_name == project_name -%}
    {%- for gap in expectation_gaps(node, expectations_of(node.name)) + uncounted_expectations(node) -%}
      {%- do gaps.append('select ' ~ sql_string(node.name) ~ ' as model, ' ~ sql_string(gap) ~ ' as gap') -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(gaps | join(' union all ') or "select 'none' as model, 'none' as gap where false") }}
{% endmacro %}


{% macro uncounted_expectations(node) %}
  {%- set expectations = expectations_of(node.name) -%}
  {%- set counted = counted_tables().get(node.name) -%}
  {%- set gaps = [] -%}
  {%- if expectations and counted is none -%}
    {%- do gaps.append(
      'its expectations are not counted; name it in the var `staged_feeds` or `tables_with_expectations`'
    ) -%}
  {%- elif expectations -%}
    {%- for reaction, option in {'quarantine': 'quarantined_in', 'drop': 'dropped_in'}.items() -%}
      {%- set declared = node.config.get('meta', {}).get(option) -%}
      {%- if expectations | selectattr('on_violation', 'equalto', reaction) | list and (
        not declared or counted.get(option) != declared
      ) -%}
        {%- do gaps.append(
          'rows that its expectations ' ~ reaction ~ ' are counted in ' ~ (counted.get(option) or 'no model')
          ~ ', its `' ~ option ~ '` is ' ~ (declared or 'not set') ~ '; name one model in both'
        ) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(gaps) }}
{% endmacro %}


{% macro counted_since(relation) %}
  {#- Asked beforehand: a literal lets Delta skip files, a subquery does not. -#}
  {%- set moments = {} -%}
  {%- if execute and is_incremental() -%}
    {%- set query -%}
      select
          table_name,
          concat(
              'timestamp ''',
              date_format(
                  to_utc_timestamp(max(arrived_at) - interval 1 day, current_timezone()), 'yyyy-MM-dd HH:mm:ss.SSSSSS'
              ),
              '+00:00'''
          ) as since
      from {{ relation }}
      group by table_name
    {%- endset -%}
    {%- for row in run_query(query) -%}
      {%- do moments.update({row[0]: row[1]}) -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(moments) }}
{% endmacro %}


{% macro counted_arrivals(table, since=none, arrival=none, quarantined_in=none, dropped_in=none) %}
  {#- What was set aside says which rules it broke, as they were then; what was kept can only break those that leave a
      row in the table: the ones that warn and, except of a streaming table, those that fail. -#}
  {%- set asked = expectations_of(table) | selectattr('on_violation', 'in', ['warn', 'fail']) | list -%}
  {%- set parts = [(table, broken_rules(asked))] -%}
  {%- for set_aside in [quarantined_in, dropped_in] if set_aside -%}
    {%- do parts.append((set_aside, 'broken_rules')) -%}
  {%- endfor -%}
  {%- for name, rules in parts %}
    select
        {{ sql_string(table) }} as table_name,
        cast({{ arrival or moment_of_run() }} as timestamp) as arrived_at,
        {{ rules }} as broken_rules
    from {{ ref(name) }}
    {%- if arrival and since %}
    where {{ arrival }} >= {{ since }}
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif -%}
  {%- endfor -%}
{%- endmacro %}


{% macro expectation_values(tables) %}
  {#- A decisive rule that was broken stands alone: the others were not asked. -#}
  {%- set rows = [] -%}
  {%- for table in tables -%}
    {%- set expectations = expectations_of(table) -%}
    {%- set decisive = expectations | selectattr('decisive') | map(attribute='name') | list -%}
    {%- for expectation in expectations -%}
      {%- set asked_first = decisive[:decisive.index(expectation.name)] if expectation.decisive else decisive -%}
      {%- set values = [] -%}
      {%- for value in [
        table, expectation.name, expectation.expression, expectation.on_violation, asked_first | join(' '),
      ] -%}
        {%- do values.append(sql_string(value)) -%}
      {%- endfor -%}
      {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(
    'select * from values\n        ' ~ (rows | join(',\n        ') or "('', '', '', '', '')")
    ~ '\n        as expectations (table_name, expectation, expression, on_violation, asked_first)'
  ) }}
{% endmacro %}


{% macro moment_of_run() %}
  {{ return(
    "timestamp '" ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f+00:00') ~ "'" if execute else 'current_timestamp()'
  ) }}
{% endmacro %}
