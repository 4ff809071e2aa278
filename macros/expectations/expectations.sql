{% macro get_expectations() %}
  {%- set expectations = model_option('expectations', []) -%}
  {%- if expectations is string or expectations is mapping or expectations is not sequence -%}
    {%- do invalid_option('expectations', expectations, 'a list of mappings with name, expression, on_violation') -%}
  {%- endif -%}
  {%- set names = [] -%}
  {%- for expectation in expectations -%}
    {%- do check_expectation(expectation) -%}
    {%- if expectation.name | lower in names -%}
      {%- do invalid_option('expectations', expectation.name, 'each name once') -%}
    {%- endif -%}
    {%- do names.append(expectation.name | lower) -%}
  {%- endfor -%}
  {{ return(expectations) }}
{% endmacro %}


{% macro check_expectation(expectation) %}
  {%- if expectation is not mapping -%}
    {%- do invalid_option('expectations', expectation, 'mappings with name, expression, on_violation') -%}
  {%- endif -%}
  {%- for key in expectation if key not in ['name', 'expression', 'on_violation', 'description'] -%}
    {%- do invalid_option('expectations', key, 'the keys name, expression, on_violation, description') -%}
  {%- endfor -%}
  {%- if not modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', expectation.get('name') or '') -%}
    {%- do invalid_option('expectations.name', expectation.get('name'), 'a name of letters, digits and underscores') -%}
  {%- endif -%}
  {%- if not (expectation.get('expression') or '') | string | trim -%}
    {%- do invalid_option('expectations.expression', expectation.get('expression'), 'a condition on the columns') -%}
  {%- endif -%}
  {%- if expectation.get('on_violation', 'warn') not in ['warn', 'drop', 'fail'] -%}
    {%- do invalid_option('expectations.on_violation', expectation.on_violation, 'warn, drop or fail') -%}
  {%- endif -%}
{% endmacro %}


{% macro expectation_sql(expectation) %}
  {#- A rule that evaluates to NULL is a broken rule: IS TRUE makes it so on every engine. -#}
  {%- set action = {'warn': '', 'drop': ' ON VIOLATION DROP ROW', 'fail': ' ON VIOLATION FAIL UPDATE'} -%}
  {{ return(
    'CONSTRAINT ' ~ expectation.name ~ ' EXPECT ((' ~ (expectation.expression | trim) ~ ') IS TRUE)'
    ~ action[expectation.get('on_violation', 'warn')]
  ) }}
{% endmacro %}
