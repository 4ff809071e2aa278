-- How the rows that arrived fared with each expectation. One row per run, table and expectation.
{{ config(materialized='view') }}

with

counts as (

    select * from {{ ref('expectation_counts') }}

),

final as (

    select
        run_id,
        run_at,
        table_name,
        expectation,
        on_violation,
        sum(passed) as passed,
        sum(failed) as failed
    from counts
    group by run_id, run_at, table_name, expectation, on_violation

)

select * from final
