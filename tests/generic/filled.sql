{% test filled(model, columns) %}
-- None of the columns is NULL in any row: one scan for all of them.
select {{ columns | join(', ') }}
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
