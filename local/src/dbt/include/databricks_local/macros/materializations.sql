{# `dbt clone` looks for the view materialization by the adapter's type, without regard to the adapters it builds on. #}
{% materialization view, adapter='databricks_local' %}
  {{ return(materialization_view_databricks()) }}
{% endmaterialization %}
