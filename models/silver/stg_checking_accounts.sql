-- Typed and checked changes of checking accounts, ready for AUTO CDC. One row per accepted change record.
with

kept as (

    {{ kept_rows(ref('typed_checking_accounts')) }}

),

final as (

    select
        -- ids
        account_id,
        customer_id,

        -- text
        status,

        -- numerics
        balance,

        -- timestamps
        opened_at,
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
