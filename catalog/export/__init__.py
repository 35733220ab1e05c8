"""Orders as files: CSV, NDJSON, Parquet and XLSX, streamed from one query."""
