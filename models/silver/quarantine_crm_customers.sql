-- Lines of CRM extracts that broke a rule of stg_crm_customers, whole and with the names of the rules.
-- One row per refused line.
with

final as (

    {{ quarantined_rows(ref('typed_crm_customers'), of='stg_crm_customers', record='record') }}

)

select * from final
