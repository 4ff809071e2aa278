{#- What dbt cannot derive from `meta` (tests, filters, a second model) is written by hand; this tells what lacks. -#}
{% macro expectation_gaps(node, expectations) %}
  {%- set gaps = [] -%}
  {%- set kind = node.config.materialized -%}
  {%- set sent_whole = kind == 'streaming_table' -%}
  {%- for expectation in expectations -%}
    {%- set reaction = expectation.on_violation -%}
    {%- set rule = 'expectation `' ~ expectation.name ~ '` (' ~ reaction ~ ') ' -%}
    {%- if kind == 'ephemeral' -%}
      {%- do gaps.append(rule ~ 'has no effect on an ephemeral model; put it on the models that read it') -%}
    {%- elif reaction == 'quarantine' or (reaction == 'drop' and not sent_whole) -%}
      {%- if not calls_macro(node, 'kept_rows') -%}
        {%- do gaps.append(rule ~ 'filters nothing; read the rows by `kept_rows(…)` in the query') -%}
      {%- endif -%}
    {%- elif not sent_whole and not has_expectations_test(node, reaction) -%}
      {%- do gaps.append(
        rule ~ 'is not tested; add to its data_tests: `- expectations: {arguments: {on_violation: ' ~ reaction ~ '}}`'
      ) -%}
    {%- endif -%}
    {%- if reaction == 'quarantine' and not calls_macro(partner_of(node, 'quarantined_in'), 'quarantined_rows') -%}
      {%- do gaps.append(
        rule ~ 'loses its rows; name in `quarantined_in` the model that keeps them by `quarantined_rows(…)`'
      ) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(gaps) }}
{% endmacro %}


{% macro calls_macro(node, name) %}
  {%- for called in (node.depends_on.macros if node else []) if called.split('.') | last == name -%}
    {{ return(true) }}
  {%- endfor -%}
  {{ return(false) }}
{% endmacro %}


{% macro partner_of(node, option) %}
  {%- set name = node.config.get('meta', {}).get(option) or node.config.get(option) -%}
  {{ return(model_named(name) if name else none) }}
{% endmacro %}


{% macro has_expectations_test(node, reaction) %}
  {%- for test in graph.nodes.values()
        if test.resource_type == 'test' and test.attached_node == node.unique_id and test.test_metadata -%}
    {%- if test.test_metadata.name == 'expectations' and test.test_metadata.kwargs.on_violation == reaction -%}
      {{ return(true) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return(false) }}
{% endmacro %}


{% test expectations(model, on_violation) %}
{{ config(severity='error' if on_violation == 'fail' else 'warn') }}
{%- set expectations = tested_expectations(on_violation) -%}
-- Rows that break an expectation of the model whose reaction is the one tested, each with the rules it breaks.
{%- if expectations %}
select
    {{ broken_rules(expectations) }} as broken_rules,
    *
from {{ model }}
where {{ breaks_any(expectations, on_violation) }}
{%- else %}
select 'no expectation' as broken_rules
where false
{%- endif %}
{% endtest %}


{% macro tested_expectations(on_violation) %}
  {#- `model` is the relation within a test's own body, and the test here. -#}
  {%- if on_violation not in ['warn', 'fail'] -%}
    {{ exceptions.raise_compiler_error(
      "Test '" ~ model.name ~ "': argument `on_violation` is " ~ on_violation ~ "; expected warn or fail, "
      ~ "since what is dropped or quarantined is not in the table."
    ) }}
  {%- endif -%}
  {%- if not execute -%}
    {{ return([]) }}
  {%- endif -%}
  {%- set expectations = expectations_of(graph.nodes[model.attached_node].name) -%}
  {{ return(expectations | selectattr('on_violation', 'equalto', on_violation) | list) }}
{% endmacro %}
