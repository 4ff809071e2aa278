-- What is known of each current customer, without personal data. One row per customer.
{{ config(materialized='materialized_view') }}

with

customers as (

    select * from {{ ref('customers') }}

),

customers_history as (

    select * from {{ ref('customers_history') }}

),

checking_accounts as (

    select * from {{ ref('checking_accounts') }}

),

purchase_trends as (

    select * from {{ ref('purchase_trends') }}

),

customer_engagement as (

    select * from {{ ref('customer_engagement') }}

),

first_versions as (

    select
        customer_id,
        min(valid_from) as customer_since
    from customers_history
    group by customer_id

),

accounts as (

    select
        customer_id,
        count(*) as number_of_accounts,
        count_if(status = 'open') as number_of_open_accounts,
        cast(sum(balance) as decimal(28, 2)) as total_balance,
        max(known_at) as known_at
    from checking_accounts
    group by customer_id

),

final as (

    select
        -- ids
        customers.customer_id,

        -- text
        customers.segment,
        customer_engagement.engagement_level,

        -- numerics
        coalesce(accounts.number_of_accounts, 0) as number_of_accounts,
        coalesce(accounts.number_of_open_accounts, 0) as number_of_open_accounts,
        coalesce(accounts.total_balance, cast(0 as decimal(28, 2))) as total_balance,
        coalesce(purchase_trends.number_of_concert_tickets, 0) as number_of_concert_tickets,
        coalesce(purchase_trends.number_of_comedy_shows, 0) as number_of_comedy_shows,
        coalesce(purchase_trends.number_of_sport_events, 0) as number_of_sport_events,
        customer_engagement.number_of_online_txns,
        datediff({{ as_of() }}, first_versions.customer_since) as tenure_days,

        -- booleans
        customers.consent_personalization,
        customers.consent_marketing,
        purchase_trends.home_mortgage_purchased_ts is not null as has_home_mortgage,

        -- timestamps
        first_versions.customer_since,
        purchase_trends.datetime_updated as last_purchase_update_at,
        greatest(customers.known_at, purchase_trends.known_at, accounts.known_at) as known_at
    from customers
    inner join first_versions on customers.customer_id = first_versions.customer_id
    inner join customer_engagement on customers.customer_id = customer_engagement.customer_id
    left join accounts on customers.customer_id = accounts.customer_id
    left join purchase_trends on customers.customer_id = purchase_trends.customer_id

)

select * from final
