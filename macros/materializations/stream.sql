{% macro stream() %}STREAM{% endmacro %}
