-- What dbt cannot derive from YAML is written by hand: tests, filters, quarantine models, the list of what is counted.
-- A row here is an expectation for which one of them is missing.
{{ expectation_gap_rows() }}
