"""Files into rows: `read_files`, `STREAM read_files` and COPY INTO, with Auto Loader's semantics.

What holds, and where open Spark differs from Databricks:

- Formats: json, csv, parquet, orc, text, binaryFile; avro and xml are refused by name.
- Each file once: by path, remembered in the stream's checkpoint for good. A file rewritten in place is not read again,
  and `allowOverwrites => true` is refused.
- A file still being written is read as it is when it is found, and never again: write it elsewhere and rename it, or
  begin its name with `_` or `.` until it is complete.
- Memory: a CSV file with a header, and any file with `multiLine` or `wholeText`, is held in memory whole (about four
  times its size): split extracts beyond a few hundred MB. JSON lines, text and header-less CSV are read in pieces.
- The schema is inferred from every file that is there, not from a sample of 1,000.
- New columns, mode `addNewColumns`: the run that meets them fails once, the next has them. A file that arrives between
  the listing and the read of one run may cost a second failure; its rows are not lost.
- Rescued data, JSON and CSV: unknown fields (nested ones too), type and case mismatches. Parquet and ORC: unknown
  columns of the files that are there when the statement starts; a type that does not fit fails the run.
- A JSON record beyond 16 MB of which anything has to be rescued is rescued whole.
- Bytes that are not UTF-8: where a corrupt-record column exists the record is malformed and kept there without loss
  (`encode(c, 'ISO-8859-1')` gives the bytes back); elsewhere they become U+FFFD.
- Paths are local or mounted: `/dir`, `file:/dir`, globs; a remote scheme is refused.
"""
