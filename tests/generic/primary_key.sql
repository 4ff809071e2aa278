{% test primary_key(model, columns) %}
-- The columns together identify a row: none of them is NULL and no combination occurs twice.
select
    {{ columns | join(', ') }},
    count(*) as rows_with_this_key
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1{% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
