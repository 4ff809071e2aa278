-- Typed and checked changes of purchase trends, ready for AUTO CDC. One row per accepted change record.
with

classified as (

    select * from {{ ref('classified_purchase_trends') }}

),

final as (

    select
        -- ids
        customer_id,

        -- numerics
        number_of_concert_tickets,
        number_of_comedy_shows,
        number_of_sport_events,
        number_of_online_txns,

        -- timestamps
        home_mortgage_purchased_ts,
        datetime_created,
        datetime_updated,

        -- change
        operation,
        sequence_ts,
        lsn,
        known_at,

        -- where it came from
        kafka_topic,
        kafka_partition,
        kafka_offset,
        source_position,
        source_time,
        arrived_at
    from classified
    where record_class = 'kept'

)

select * from final
