-- Customers over time, in business time. One row per customer and version, half-open [valid_from, valid_to).
{{ config(materialized='view') }}

with

versions as (

    select * from {{ ref('customers_scd2') }}

),

-- The sequence is (updated_at, extracted_at). A version that a later extract corrected under the same updated_at was
-- never valid in business time: its interval is empty.
final as (

    select
        -- ids
        customer_id,

        -- text
        full_name,
        email,
        phone,
        segment,

        -- booleans
        consent_personalization,
        consent_marketing,
        __end_at is null as is_current,

        -- dates and timestamps
        birth_date,
        updated_at,
        known_at,
        __start_at.updated_at as valid_from,
        __end_at.updated_at as valid_to
    from versions
    where __end_at is null or __start_at.updated_at < __end_at.updated_at

)

select * from final
