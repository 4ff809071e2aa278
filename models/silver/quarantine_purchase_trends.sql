-- Change records that broke a rule of stg_purchase_trends, whole and with the names of the rules. One row per refused
-- record.
with

final as (

    {{ quarantined_rows(ref('typed_purchase_trends'), of='stg_purchase_trends', record='record') }}

)

select * from final
