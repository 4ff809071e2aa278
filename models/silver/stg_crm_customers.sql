-- Typed and checked versions of customers, ready for AUTO CDC. One row per accepted line of an extract.
with

kept as (

    {{ kept_rows(ref('typed_crm_customers')) }}

),

final as (

    select
        -- ids
        customer_id,

        -- text
        full_name,
        email,
        phone,
        segment,
        record_status,

        -- booleans
        consent_personalization,
        consent_marketing,

        -- dates and timestamps
        birth_date,
        updated_at,
        extracted_at,
        known_at,

        -- where it came from
        record._rescued_data as rescued_data,
        record.source_position,
        record.source_time,
        record.arrived_at
    from kept

)

select * from final
