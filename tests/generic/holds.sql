{% test holds(model, condition) %}
-- The condition is true in every row; NULL is not true.
select *
from {{ model }}
where not (({{ condition }}) is true)
{% endtest %}
