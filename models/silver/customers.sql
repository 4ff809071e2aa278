-- Customers as they are now. One row per customer that has not been deleted.
{{ config(materialized='view') }}

with

history as (

    select * from {{ ref('customers_history') }}

),

final as (

    select * except (is_current, valid_to)
    from history
    where is_current

)

select * from final
