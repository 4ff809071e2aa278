-- Engagement of current customers by their online transactions. One row per customer.
with

customers as (

    select * from {{ ref('customers') }}

),

purchase_trends as (

    select * from {{ ref('purchase_trends') }}

),

joined as (

    select
        customers.customer_id,
        coalesce(purchase_trends.number_of_online_txns, 0) as number_of_online_txns,
        purchase_trends.datetime_updated as measured_at,
        greatest(customers.known_at, purchase_trends.known_at) as known_at
    from customers
    left join purchase_trends on customers.customer_id = purchase_trends.customer_id

),

final as (

    select
        customer_id,
        number_of_online_txns,
        {{ engagement_level('number_of_online_txns') }} as engagement_level,
        measured_at,
        known_at
    from joined

)

select * from final
