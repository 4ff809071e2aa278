{#- Each row says which stage it belongs to, whether that read it, and which class it is in. Where a class has a table
    of its own, its rows are those of that table; the others are told from the rows that were read. So the classes only
    add up to what was read if no row was lost on the way and none came twice. -#}

{% macro staging_rows(feed, has_tombstones=false, dropped_in=none, applied_to=none) %}
  {%- set stage = [feed, 'bronze_' ~ feed, 'stg_' ~ feed] -%}
  {%- set tombstone = "if(" ~ is_tombstone() ~ ", 'tombstone', null)" if has_tombstones else 'null' %}
    {{ stage_rows(stage, class=tombstone, is_read=true) }} from {{ ref('bronze_' ~ feed) }}
    union all
    {{ stage_rows(stage, class="'kept'") }} from {{ ref('stg_' ~ feed) }}
    union all
    {{ stage_rows(stage, class="'quarantined'") }} from {{ ref('quarantine_' ~ feed) }}
    {%- if dropped_in %}
    union all
    {{ stage_rows(stage, class="'dropped'", rule='dropped_by') }} from {{ ref(dropped_in) }}
    {%- endif %}
{%- endmacro %}


{% macro auto_cdc_rows(feed, table) %}
  {%- set stage = [feed, 'stg_' ~ feed, table] %}
    {{ stage_rows(stage, class="nullif(event_class, 'applied')", is_read=true) }} from (
        {{ auto_cdc_event_classes(ref('stg_' ~ feed), auto_cdc_rules_of(table, 'stg_' ~ feed)) }}
    )
    union all
    {{ stage_rows(stage, class="'applied'") }} from {{ ref(table) }}
{%- endmacro %}


{% macro stage_rows(stage, class, is_read=false, rule='null') -%}
    select
        {{ sql_string(stage[0]) }} as feed,
        {{ sql_string(stage[1]) }} as source_table,
        {{ sql_string(stage[2]) }} as target_table,
        cast({{ class }} as string) as record_class,
        cast({{ rule }} as string) as rule_name,
        {{ 1 if is_read else 0 }} as is_read
{%- endmacro %}


{% macro auto_cdc_event_classes(events, flow) %}
  {#- All windows of a key share one distribution: a shuffle of narrow rows, whatever the number of steps. -#}
        with

        events as (

            select
                struct({{ flow['keys'] | join(', ') }}) as row_key,
                {{ flow.sequence }} as event_sequence,
                case
                    when coalesce(({{ flow.truncate_when or 'false' }}), false) then 'truncate'
                    when coalesce(({{ flow.delete_when or 'false' }}), false) then 'delete'
                    else 'upsert'
                end as event_kind,
                {{ content_digest('struct(' ~ flow.content | join(', ') ~ ')') }} as content_digest,
                {{ content_digest('struct(' ~ flow.tracked | join(', ') ~ ')') }} as tracked_digest
            from {{ events }}

        ),

        -- A delete is its key and its sequence, a truncate its sequence.
        keyed as (

            select
                if(event_kind = 'truncate', null, row_key) as event_key,
                event_sequence,
                event_kind,
                if(event_kind = 'upsert', content_digest, '') as event_digest,
                tracked_digest
            from events
            distribute by event_key

        ),

        copies as (

            select
                *,
                row_number() over (
                    partition by event_key, event_sequence, event_kind, event_digest order by event_sequence
                ) = 1 as is_first_copy
            from keyed

        ),

        -- Of different events with one key and one sequence one counts: a delete, else the greatest digest.
        placed as (

            select
                *,
                is_first_copy and row_number() over (
                    partition by event_key, event_sequence, is_first_copy order by event_kind, event_digest desc
                ) = 1 as is_change
            from copies

        ),

        followed as (

            select
                *,
                lead(event_kind) over (partition by event_key, is_change order by event_sequence) as next_kind,
                lead(tracked_digest) over (partition by event_key, is_change order by event_sequence) as next_digest
            from placed

        )

        select
            case
                when not is_first_copy then 'duplicate'
                when event_kind <> 'upsert' then event_kind
                when not is_change then 'superseded'
                {%- if flow.scd_type == '2' %}
                when next_kind = 'upsert' and next_digest = tracked_digest then 'superseded'
                {%- else %}
                when next_kind is not null then 'superseded'
                {%- endif %}
                {%- if flow.truncate_when %}
                when
                    event_sequence <= (select max(event_sequence) from events where event_kind = 'truncate')
                    then 'superseded'
                {%- endif %}
                else 'applied'
            end as event_class
        from followed
{%- endmacro %}


{% macro auto_cdc_rules_of(table, source_table) %}
  {%- if not execute -%}
    {{ return({'keys': ['null'], 'sequence': 'null', 'scd_type': '1', 'content': ['null'], 'tracked': ['null']}) }}
  {%- endif -%}
  {%- set options = auto_cdc_options_of(model_named(table)) -%}
  {%- if not has_countable_versions(options) -%}
    {{ exceptions.raise_compiler_error(
      "The conservation ledger cannot tell which events of '" ~ table ~ "' opened a version: it knows scd_type 1, and "
      ~ "2 without ignore_null_updates and columns_to_update. Take it out of `applied_to` in the var `staged_feeds`."
    ) }}
  {%- endif -%}
  {%- if not model_named(source_table).columns -%}
    {{ exceptions.raise_compiler_error(
      "The conservation ledger tells events of '" ~ source_table ~ "' apart by their columns, and YAML names none; list them."
    ) }}
  {%- endif -%}
  {%- set keys = listed(options['keys']) -%}
  {%- set sequence = listed(options.sequence_by) -%}
  {%- set content = chosen_columns(
    model_named(source_table).columns, listed(options['columns']), listed(options.except_columns) + keys
  ) -%}
  {%- set tracked = chosen_columns(
    content, listed(options.track_history_on), listed(options.track_history_except_on)
  ) -%}
  {{ return({
    'keys': quoted_names(keys),
    'sequence': sequence[0] if sequence | length == 1 else 'struct(' ~ sequence | join(', ') ~ ')',
    'delete_when': options.apply_as_delete_when,
    'truncate_when': options.apply_as_truncate_when,
    'scd_type': options.scd_type,
    'content': quoted_names(content) or ['true'],
    'tracked': quoted_names(tracked) or ['true'],
  }) }}
{% endmacro %}


{% macro auto_cdc_options_of(node) %}
  {%- set options = {} -%}
  {%- for name in [
    'keys', 'sequence_by', 'apply_as_delete_when', 'apply_as_truncate_when', 'scd_type', 'columns', 'except_columns',
    'track_history_on', 'track_history_except_on', 'ignore_null_updates', 'columns_to_update',
  ] -%}
    {%- set value = node.config.get('meta', {}).get(name) -%}
    {%- do options.update({name: node.config.get(name) if value is none else value}) -%}
  {%- endfor -%}
  {%- do options.update({'scd_type': (options.scd_type or 1) | string | lower}) -%}
  {{ return(options) }}
{% endmacro %}


{% macro has_countable_versions(options) %}
  {#- Which values a partial update leaves is only known from all that came before it. -#}
  {%- set is_partial = options.ignore_null_updates or options.columns_to_update -%}
  {{ return(options.scd_type == '1' or (options.scd_type == '2' and not is_partial)) }}
{% endmacro %}


{% macro ledger_gap_rows() %}
  {%- set counted = [] -%}
  {%- for feed, options in var('staged_feeds', {}).items() -%}
    {%- do counted.extend(['stg_' ~ feed, 'quarantine_' ~ feed, (options or {}).get('dropped_in')]) -%}
    {%- do counted.extend((options or {}).get('applied_to', [])) -%}
  {%- endfor -%}
  {%- set gaps = [] -%}
  {%- for node in (graph.nodes.values() if execute else [])
        if node.resource_type == 'model' and node.package_name == project_name and node.name not in counted -%}
    {%- set kind = node.config.materialized -%}
    {%- if kind == 'auto_cdc' and has_countable_versions(auto_cdc_options_of(node)) -%}
      {%- do gaps.append((node.name, 'name it in `applied_to` of its feed in the var `staged_feeds`')) -%}
    {%- elif kind == 'streaming_table' and reads_streaming_table(node) -%}
      {%- do gaps.append((
        node.name, 'name its feed in the var `staged_feeds`, or the model itself in `dropped_in` of its feed'
      )) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set rows = [] -%}
  {%- for name, gap in gaps -%}
    {%- do rows.append('select ' ~ sql_string(name) ~ ' as model, ' ~ sql_string(gap) ~ ' as gap') -%}
  {%- endfor -%}
  {{ return(rows | join(' union all ') or "select 'none' as model, 'none' as gap where false") }}
{% endmacro %}


{% macro reads_streaming_table(node) %}
  {#- What is inlined or a view is looked through. -#}
  {%- for unique_id in node.depends_on.nodes if unique_id in graph.nodes -%}
    {%- set read = graph.nodes[unique_id] -%}
    {%- if read.config.materialized == 'streaming_table' or (
      read.config.materialized in ['ephemeral', 'view'] and reads_streaming_table(read)
    ) -%}
      {{ return(true) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return(false) }}
{% endmacro %}


{% macro listed(value) %}
  {{ return([value] if value is string else (value or [])) }}
{% endmacro %}


{% macro chosen_columns(columns, included, excepted) %}
  {%- set included = included | map('lower') | list -%}
  {%- set excepted = excepted | map('lower') | list -%}
  {%- set chosen = [] -%}
  {%- for column in columns if (column | lower in included or not included) and column | lower not in excepted -%}
    {%- do chosen.append(column) -%}
  {%- endfor -%}
  {{ return(chosen) }}
{% endmacro %}


{% macro quoted_names(names) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}
    {%- do quoted.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return(quoted) }}
{% endmacro %}
