"""Every code that a load can answer with; what each means and how it is cured stands in `docs/data-contract.md`.

A test holds them against what the code raises.
"""

from __future__ import annotations

REASONS = (
    *("missing_value", "not_an_integer", "integer_out_of_range", "not_a_code", "code_too_long"),
    *("not_a_timestamp", "no_such_date", "too_few_fields", "too_many_fields", "unclosed_quote", "bad_quote"),
    *("field_too_long", "nul_character", "not_text", "conflicting_duplicate"),
)
"""Why a row is rejected."""

REFUSALS = (
    *("file_not_found", "not_a_file", "not_readable", "empty_file", "no_header", "missing_column"),
    *("duplicate_column", "unknown_column", "corrupt_archive", "archive_of_many", "too_much_memory", "too_large"),
    *("discarded", "unknown_encoding", "line_too_long", "changed_while_reading", "too_many_rejects"),
    *("too_many_removals", "too_many_sources", "no_such_run", "not_loaded", "unknown_reject", "settled_already"),
    *("locked", "interrupted", "crashed", "unaccounted", "error"),
)
"""Why a file is not loaded."""
