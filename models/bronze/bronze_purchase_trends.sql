-- Raw change records of the OLTP table purchase_trends, as delivered. One row per record.
with

final as (

    {{ feed_source('purchase_trends', 'change_records') }}

)

select * from final
