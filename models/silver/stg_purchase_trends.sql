-- Typed and checked changes of purchase trends, ready for AUTO CDC. One row per accepted change record.
with

kept as (

    {{ kept_rows(ref('typed_purchase_trends')) }}

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
        record.kafka_topic,
        record.kafka_partition,
        record.kafka_offset,
        record.source_position,
        record.source_time,
        record.arrived_at
    from kept

)

select * from final
