{% macro get_expectations() %}
  {{ return(check_expectations() | rejectattr('on_violation', 'equalto', 'quarantine') | list) }}
{% endmacro %}


{% macro check_expectations() %}
  {%- set expectations = expectations_of() -%}
  {%- if expectations and model.config.materialized == 'auto_cdc' -%}
    {%- do invalid_expectation(
      model.name, 'expectations', expectations | map(attribute='name') | join(', '),
      'nothing on a table kept by AUTO CDC: put them on the staging model that it reads'
    ) -%}
  {%- endif -%}
  {%- for gap in expectation_gaps(model, expectations) -%}
    {{ exceptions.raise_compiler_error("Model '" ~ model.name ~ "': " ~ gap ~ ".") }}
  {%- endfor -%}
  {{ return(expectations) }}
{% endmacro %}


{% macro expectations_of(name=none) %}
  {%- if not execute -%}
    {#- While dbt parses, no model knows what YAML says about it, and nothing that is rendered is run. -#}
    {{ return([]) }}
  {%- endif -%}
  {%- set name = name or model.name -%}
  {%- set node = model_named(name) -%}
  {%- set declared = node.config.get('meta', {}).get('expectations') or node.config.get('expectations') or [] -%}
  {%- if declared is string or declared is mapping or declared is not sequence -%}
    {%- do invalid_expectation(
      name, 'expectations', declared, 'a list of mappings with name, expression, on_violation'
    ) -%}
  {%- endif -%}
  {#- An entry may be a list, so that models can share rules by a YAML anchor. -#}
  {%- set entries = [] -%}
  {%- for entry in declared -%}
    {%- do entries.extend([entry] if entry is string or entry is mapping or entry is not sequence else entry) -%}
  {%- endfor -%}
  {%- set expectations = [] -%}
  {%- set names = [] -%}
  {%- for entry in entries -%}
    {%- do check_expectation(name, entry) -%}
    {%- if entry.name | lower in names -%}
      {%- do invalid_expectation(name, 'expectations', entry.name, 'each name once') -%}
    {%- endif -%}
    {%- do names.append(entry.name | lower) -%}
    {%- do expectations.append({
      'name': entry.name,
      'expression': entry.expression | string | trim,
      'on_violation': entry.get('on_violation', 'warn'),
      'decisive': entry.get('decisive', false),
    }) -%}
  {%- endfor -%}
  {{ return(expectations) }}
{% endmacro %}


{% macro model_named(name) %}
  {%- set found = [] -%}
  {%- for node in (graph.nodes or {}).values()
        if node.resource_type in ['model', 'snapshot', 'seed'] and node.name == name -%}
    {%- do found.append(node) -%}
  {%- endfor -%}
  {%- if not found and not graph.nodes -%}
    {{ exceptions.raise_compiler_error(
      "A dbt unit test does not see the YAML of models, here of '" ~ name ~ "': give it what the macro that reads it "
      ~ "would return, such as `overrides: {macros: {expectations_of: […]}}`."
    ) }}
  {%- elif not found -%}
    {{ exceptions.raise_compiler_error(
      "Model '" ~ name ~ "' is not in the project; '" ~ model.name ~ "' asks for its expectations. Name a model."
    ) }}
  {%- endif -%}
  {{ return(found[0]) }}
{% endmacro %}


{% macro check_expectation(owner, expectation) %}
  {%- if expectation is not mapping -%}
    {%- do invalid_expectation(owner, 'expectations', expectation, 'mappings with name, expression, on_violation') -%}
  {%- endif -%}
  {%- set keys = ['name', 'expression', 'on_violation', 'decisive', 'description'] -%}
  {%- for key in expectation if key not in keys -%}
    {%- do invalid_expectation(owner, 'expectations', key, 'the keys ' ~ keys | join(', ')) -%}
  {%- endfor -%}
  {%- if not modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', (expectation.get('name') or '') | string) -%}
    {%- do invalid_expectation(
      owner, 'expectations.name', expectation.get('name'), 'a name of letters, digits and underscores'
    ) -%}
  {%- endif -%}
  {%- set place = 'expectations.' ~ expectation.name -%}
  {%- if expectation.get('expression') is none or not expectation.expression | string | trim -%}
    {%- do invalid_expectation(
      owner, place ~ '.expression', expectation.get('expression'), 'a condition on the columns'
    ) -%}
  {%- endif -%}
  {%- set reaction = expectation.get('on_violation', 'warn') -%}
  {%- if reaction not in ['warn', 'drop', 'fail', 'quarantine'] -%}
    {%- do invalid_expectation(owner, place ~ '.on_violation', reaction, 'warn, drop, fail or quarantine') -%}
  {%- endif -%}
  {%- if expectation.get('decisive', false) not in [true, false] -%}
    {%- do invalid_expectation(owner, place ~ '.decisive', expectation.decisive, 'true or false') -%}
  {%- endif -%}
  {%- if expectation.get('decisive') and reaction != 'quarantine' -%}
    {%- do invalid_expectation(owner, place ~ '.decisive', true, 'nothing unless on_violation is quarantine') -%}
  {%- endif -%}
{% endmacro %}


{% macro invalid_expectation(owner, name, value, expected) %}
  {{ exceptions.raise_compiler_error(
    "Model '" ~ owner ~ "': option `" ~ name ~ "` is " ~ (value | string) ~ "; expected " ~ expected ~ "."
  ) }}
{% endmacro %}


{% macro keeps(expectation, is_true='is true') %}
  {#- A rule that evaluates to NULL is a broken rule: IS TRUE makes it so on every engine. A comment at the end of the
      expression must not swallow the bracket. -#}
  {{ return(
    '((' ~ expectation.expression ~ ('\n' if '--' in expectation.expression else '') ~ ') ' ~ is_true ~ ')'
  ) }}
{% endmacro %}


{% macro expectation_sql(expectation) %}
  {%- set action = {'warn': '', 'drop': ' ON VIOLATION DROP ROW', 'fail': ' ON VIOLATION FAIL UPDATE'} -%}
  {{ return(
    'CONSTRAINT ' ~ expectation.name ~ ' EXPECT ' ~ keeps(expectation, 'IS TRUE') ~ action[expectation.on_violation]
  ) }}
{% endmacro %}
