{#- dbt calls no macro of ours when it compiles a model, but it renders the model's `ref` or `source`, and a project may
    override these two (page "About builtins Jinja variable"). So that is where a model's options are checked: `dbt compile`
    then says what `dbt run` would. See DECISIONLOG.md. -#}
{% macro ref() %}
  {%- do check_when_compiled() -%}
  {{ return(builtins.ref(*varargs, **kwargs)) }}
{% endmacro %}


{% macro source() %}
  {%- do check_when_compiled() -%}
  {{ return(builtins.source(*varargs, **kwargs)) }}
{% endmacro %}
