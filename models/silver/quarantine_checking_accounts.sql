-- Change records that broke a rule of stg_checking_accounts, whole and with the names of the rules. One row per refused
-- record.
with

final as (

    {{ quarantined_rows(ref('typed_checking_accounts'), of='stg_checking_accounts', record='record') }}

)

select * from final
