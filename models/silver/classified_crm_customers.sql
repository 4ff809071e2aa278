-- Every line of bronze_crm_customers, typed and put into one class: kept or quarantined. One row per line.
{{ config(materialized='ephemeral') }}

with

bronze as (

    select struct(*) as line from {{ stream() }} {{ ref('bronze_crm_customers') }}

),

typed as (

    select
        line,
        try_cast(line.customer_id as bigint) as customer_id,
        line.full_name,
        line.email,
        line.phone,
        line.segment,
        line.record_status,
        try_cast(line.consent_personalization as boolean) as consent_personalization,
        try_cast(line.consent_marketing as boolean) as consent_marketing,
        try_cast(line.birth_date as date) as birth_date,
        try_cast(line.updated_at as timestamp) as updated_at,
        try_cast(line.extracted_at as timestamp) as extracted_at
    from bronze

),

checked as (

    select
        *,
        case
            when line._corrupt_record is not null then array('malformed_record')
            else
                filter(
                    array(
                        case when customer_id is null then 'missing_key' end,
                        case when updated_at is null or extracted_at is null then 'missing_sequence' end,
                        case when coalesce(record_status not in ('active', 'deleted'), true) then 'unknown_status' end,
                        case
                            when
                                {{ uncastable('line.birth_date', 'date') }}
                                or {{ uncastable('line.consent_personalization', 'boolean') }}
                                or {{ uncastable('line.consent_marketing', 'boolean') }}
                                then 'invalid_value'
                        end
                    ),
                    rule -> rule is not null
                )
        end as broken_rules
    from typed

),

final as (

    select
        *,
        case when size(broken_rules) > 0 then 'quarantined' else 'kept' end as record_class
    from checked

)

select * from final
