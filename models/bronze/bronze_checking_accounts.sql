-- Raw change records of the OLTP table checking_accounts, as delivered. One row per record.
with

final as (

    {{ feed_source('checking_accounts', 'change_records') }}

)

select * from final
