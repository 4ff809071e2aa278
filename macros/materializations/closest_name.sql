{% macro closest_name(name, candidates, within=none) %}
  {#- By default one slip in four characters, three at most: enough for typos, too little for another word. -#}
  {%- set allowed = within if within is not none else [1, [3, name | length // 4] | min] | max -%}
  {%- set best = namespace(name='', distance=allowed + 1) -%}
  {%- for candidate in candidates -%}
    {%- if (candidate | length - name | length) | abs < best.distance -%}
      {%- set distance = edit_distance(name | lower, candidate | lower) -%}
      {%- if distance < best.distance -%}
        {%- set best.name = candidate -%}
        {%- set best.distance = distance -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(best.name) }}
{% endmacro %}


{% macro edit_distance(left, right) %}
  {%- set row = namespace(previous=range(right | length + 1) | list) -%}
  {%- for a in left -%}
    {%- set current = [loop.index] -%}
    {%- for b in right -%}
      {%- do current.append([
        row.previous[loop.index] + 1, current[-1] + 1, row.previous[loop.index0] + (a != b) | int
      ] | min) -%}
    {%- endfor -%}
    {%- set row.previous = current -%}
  {%- endfor -%}
  {{ return(row.previous[-1]) }}
{% endmacro %}
