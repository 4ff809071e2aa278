{% test history_intervals(model, key, valid_from='valid_from', valid_to='valid_to') %}
-- Versions of a key are half-open intervals [valid_from, valid_to): none empty or reversed, none overlapping, at most one
-- open. Gaps are allowed: a deleted key has one.
with

ordered as (

    select
        {{ key }} as history_key,
        {{ valid_from }} as starts_at,
        {{ valid_to }} as ends_at,
        lead({{ valid_from }}) over (partition by {{ key }} order by {{ valid_from }}, {{ valid_to }}) as next_starts_at,
        count_if({{ valid_to }} is null) over (partition by {{ key }}) as open_versions
    from {{ model }}

),

final as (

    select
        *,
        case
            when starts_at is null then 'no start'
            when starts_at >= ends_at then 'empty or reversed interval'
            when next_starts_at is not null and ends_at is null then 'open version is not the last'
            when next_starts_at < ends_at then 'overlap with the next version'
            when open_versions > 1 then 'more than one open version'
        end as defect
    from ordered

)

select * from final
where defect is not null
{% endtest %}
