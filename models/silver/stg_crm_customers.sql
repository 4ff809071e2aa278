-- Typed and checked versions of customers, ready for AUTO CDC. One row per accepted line of an extract.
with

classified as (

    select * from {{ ref('classified_crm_customers') }}

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

        -- where it came from
        line._rescued_data as rescued_data,
        line.source_position,
        line.source_time,
        line.arrived_at
    from classified
    where record_class = 'kept'

)

select * from final
