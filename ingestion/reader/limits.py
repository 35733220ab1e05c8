"""How long a field, a line and a record may be; what is read in one go."""

MAX_FIELD = 1_000_000
"""Bytes of one field; a longer one rejects its row."""

MAX_RECORD = 16_000_000
"""Bytes of one line or record; a longer line means that this is no CSV, and refuses the file."""

CHUNK = 1 << 20
"""Bytes asked of the operating system at a time."""

BLOCK = 4 << 20
"""Bytes that are parsed at a time. It bounds memory and has no influence on the result."""
