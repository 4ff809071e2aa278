{% macro engagement_level(transactions) -%}
    case
        when {{ transactions }} > 10 then 'HIGH'
        when {{ transactions }} > 2 then 'MEDIUM'
        else 'LOW'
    end
{%- endmacro %}
