-- A stage that nobody counts can lose rows unseen. A row here is a streaming model that reads another one and is not in
-- the conservation ledger.
{{ ledger_gap_rows() }}
