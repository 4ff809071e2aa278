-- How many rows kept and broke each expectation, counted when they arrived. One row per run, table, expectation and
-- arrival.
{#- Runs append what they find beyond what is recorded: a run that was cut short is made up for, none is counted twice.
    Arrivals of the last day are looked at again, since several runs may bring them in any order. A full refresh would
    lose who counted. -#}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
{%- set since = counted_since(this) %}

with

arrivals as (
    {% for table, options in counted_tables().items() %}
    {{ counted_arrivals(table, since=since.get(table), **options) }}
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {% endfor %}

),

-- Few combinations of broken rules stand for many rows.
outcomes as (

    select
        table_name,
        arrived_at,
        broken_rules,
        count(*) as number_of_rows
    from arrivals
    group by table_name, arrived_at, broken_rules

),

expectations as (

    {{ expectation_values(counted_tables()) }}

),

judged as (

    select
        outcomes.table_name,
        outcomes.arrived_at,
        outcomes.number_of_rows,
        expectations.expectation,
        expectations.expression,
        expectations.on_violation,
        array_contains(outcomes.broken_rules, expectations.expectation) as is_broken,
        arrays_overlap(outcomes.broken_rules, split(expectations.asked_first, ' ')) as is_not_asked
    from outcomes
    inner join expectations on outcomes.table_name = expectations.table_name

),

counted as (

    select
        table_name,
        arrived_at,
        expectation,
        expression,
        on_violation,
        sum(if(is_broken or is_not_asked, 0, number_of_rows)) as passed,
        sum(if(is_broken, number_of_rows, 0)) as failed
    from judged
    group by table_name, arrived_at, expectation, expression, on_violation

),
{%- if is_incremental() %}

recorded as (

    select
        table_name,
        arrived_at,
        expectation,
        max_by(expression, run_at) as expression,
        sum(passed) as passed,
        sum(failed) as failed
    from {{ this }}
    where arrived_at >= {{ since.values() | min | default("timestamp '1970-01-01'", true) }}
    group by table_name, arrived_at, expectation

),

-- A rule that was changed is not asked again of rows that it has judged before.
uncounted as (

    select
        counted.* except (passed, failed),
        counted.passed - coalesce(recorded.passed, 0) as passed,
        counted.failed - coalesce(recorded.failed, 0) as failed
    from counted
    left join recorded
        on
            counted.table_name = recorded.table_name
            and counted.arrived_at = recorded.arrived_at
            and counted.expectation = recorded.expectation
    where
        recorded.table_name is null
        or (
            counted.expression = recorded.expression
            and counted.passed + counted.failed > recorded.passed + recorded.failed
        )

),
{%- else %}

uncounted as (

    select * from counted

),
{%- endif %}

final as (

    select
        '{{ invocation_id }}' as run_id,
        {{ moment_of_run() }} as run_at,
        table_name,
        arrived_at,
        expectation,
        expression,
        on_violation,
        passed,
        failed
    from uncounted

)

select * from final
