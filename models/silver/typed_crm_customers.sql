-- Every line of bronze_crm_customers, typed. One row per line.
{{ config(materialized='ephemeral') }}

with

bronze as (

    select struct(*) as record from {{ stream() }} {{ ref('bronze_crm_customers') }}

),

final as (

    select
        -- the line as it came
        record,

        -- ids
        try_cast(record.customer_id as bigint) as customer_id,

        -- text
        record.full_name,
        record.email,
        record.phone,
        record.segment,
        record.record_status,

        -- booleans
        try_cast(record.consent_personalization as boolean) as consent_personalization,
        try_cast(record.consent_marketing as boolean) as consent_marketing,

        -- dates and timestamps
        try_cast(record.birth_date as date) as birth_date,
        try_cast(record.updated_at as timestamp) as updated_at,
        try_cast(record.extracted_at as timestamp) as extracted_at,
        {{ known_at('try_cast(record.extracted_at as timestamp)') }} as known_at,

        -- what only the rules ask for
        record._corrupt_record is null as is_readable,
        {{ castable('record.birth_date', 'date') }}
        and {{ castable('record.consent_personalization', 'boolean') }}
        and {{ castable('record.consent_marketing', 'boolean') }} as has_typed_values
    from bronze

)

select * from final
