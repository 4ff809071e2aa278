-- Lines of CRM extracts that broke a rule, whole and with the names of the rules. One row per refused line.
with

classified as (

    select * from {{ ref('classified_crm_customers') }}

),

final as (

    select
        -- the line as it came
        line.customer_id,
        line.full_name,
        line.email,
        line.phone,
        line.birth_date,
        line.segment,
        line.consent_personalization,
        line.consent_marketing,
        line.record_status,
        line.updated_at,
        line.extracted_at,
        line._rescued_data,
        line._corrupt_record,

        -- why it is here
        broken_rules,

        -- where it came from
        line.source_position,
        line.source_time,
        line.arrived_at
    from classified
    where record_class = 'quarantined'

)

select * from final
