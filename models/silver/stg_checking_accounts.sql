-- Typed and checked changes of checking accounts, ready for AUTO CDC. One row per accepted change record.
with

classified as (

    select * from {{ ref('classified_checking_accounts') }}

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
