-- Change records of checking_accounts that broke a rule, whole and with the names of the rules.
-- One row per refused record.
with

classified as (

    select * from {{ ref('classified_checking_accounts') }}

),

final as (

    select
        -- the record as it came
        kafka_topic,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        kafka_headers,
        message_key,
        message_value,
        _rescued_data,
        _corrupt_record,

        -- why it is here
        broken_rules,

        -- where it came from
        source_position,
        source_time,
        arrived_at
    from classified
    where record_class = 'quarantined'

)

select * from final
