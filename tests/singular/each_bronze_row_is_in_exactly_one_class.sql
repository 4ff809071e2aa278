-- Conservation: what bronze holds is kept, quarantined or a tombstone, each row once. A row here is a feed that leaks.
{%- set feeds = ['crm_customers', 'purchase_trends', 'checking_accounts'] %}
with

counted as (

    {%- for feed in feeds %}
    select
        '{{ feed }}' as feed,
        (select count(*) from {{ ref('bronze_' ~ feed) }}) as bronze_rows,
        (select count(*) from {{ ref('stg_' ~ feed) }}) as kept_rows,
        (select count(*) from {{ ref('quarantine_' ~ feed) }}) as quarantined_rows,
        {%- if feed == 'crm_customers' %}
        0 as tombstones
        {%- else %}
        (select count_if{{ is_tombstone() }} from {{ ref('bronze_' ~ feed) }}) as tombstones
        {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from counted
where bronze_rows <> kept_rows + quarantined_rows + tombstones
