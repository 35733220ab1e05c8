"""What a file of rejected rows has beside the contract's columns."""

LINE_COLUMN = "reject_line"
"""The line of the rejected row, in the file of its run."""

REPAIR_COLUMNS = (LINE_COLUMN, "reject_codes", "reject_reasons", "reject_raw")
"""All of them; those but the first are for people."""
