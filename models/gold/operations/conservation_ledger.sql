-- What became of the rows that each stage read: the rows of every class, beside those read. One row per stage, class
-- and, where rows were dropped, rule.
with

stage_rows as (
    {% for feed, options in var('staged_feeds').items() %}
    {{ staging_rows(feed, **(options or {})) }}
    {%- for table in (options or {}).get('applied_to', []) %}
    union all
    {{ auto_cdc_rows(feed, table) }}
    {%- endfor %}
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {% endfor %}

),

counted as (

    select
        feed,
        source_table,
        target_table,
        record_class,
        rule_name,
        count(*) as rows_in_class,
        sum(is_read) as rows_read
    from stage_rows
    group by feed, source_table, target_table, record_class, rule_name

),

stages as (

    select
        * except (rows_read),
        sum(rows_read) over (partition by source_table, target_table) as rows_read
    from counted

),

-- Rows that were read and whose class is counted where they ended up have none here.
final as (

    select * from stages
    where record_class is not null

)

select * from final
