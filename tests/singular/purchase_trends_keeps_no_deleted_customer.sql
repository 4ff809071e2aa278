-- Debezium deletes have no `after`: a pipeline that reads only `after` keeps deleted rows for ever. A row here is a
-- customer whose last accepted change is a delete and who is still in purchase_trends.
with

changes as (

    select
        customer_id,
        max_by(operation, struct(sequence_ts, lsn)) as last_operation
    from {{ ref('stg_purchase_trends') }}
    where operation <> 't'
    group by customer_id

)

select changes.*
from changes
inner join {{ ref('purchase_trends') }} as purchase_trends on changes.customer_id = purchase_trends.customer_id
where changes.last_operation = 'd'
