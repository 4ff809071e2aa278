{% macro create_personal_data_masks() %}
  {#- Identity functions in a mask answer for whoever runs the statement, and a refresh reads its sources through their
      masks: the principal that builds must see the values, or masked ones are stored for good. -#}
  {%- if execute -%}
    {%- set builder = run_query('select current_user()').columns[0].values()[0] -%}
    {%- do run_query_as(personal_data_mask_sql('mask_text', 'string', "'***'", builder), 'mask', fetch_result=False) -%}
    {%- do run_query_as(
      personal_data_mask_sql('mask_date', 'date', "date '1900-01-01'", builder), 'mask', fetch_result=False
    ) -%}
  {%- endif -%}
{% endmacro %}


{% macro personal_data_mask_sql(name, type, masked_value, builder) -%}
  create or replace function {{ api.Relation.create(
    database=target.database, schema=target.schema, identifier=name
  ).render() }}(value {{ type }})
  returns {{ type }}
  return case
    when current_user() = {{ sql_string(builder) }} then value
    when is_account_group_member({{ sql_string(var('personal_data_readers')) }}) then value
    when value is not null then {{ masked_value }}
  end
{%- endmacro %}
