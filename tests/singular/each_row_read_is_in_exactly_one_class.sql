-- Conservation: the classes of a stage add up to the rows it read. A row here is a stage that lost or doubled some.
with

stages as (

    select
        source_table,
        target_table,
        rows_read,
        sum(rows_in_class) as rows_in_classes
    from {{ ref('conservation_ledger') }}
    group by source_table, target_table, rows_read

)

select
    *,
    rows_in_classes - rows_read as too_many
from stages
where not ((rows_in_classes = rows_read) is true)
