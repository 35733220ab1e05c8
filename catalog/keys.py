"""The order key: one 64-bit number that follows from `(source, order_id)` alone.

`key = source number * 10^12 + order_id`. It sorts by source and order number, a person can read it, and it
leaves room for nine million sources of 10^12 - 1 orders each. It never leaves the database: URLs, files and
pages show `services/20771583`.
"""

from __future__ import annotations

ORDERS_PER_SOURCE = 10**12
MAX_SOURCE_NUMBER = (2**63 - 1) // ORDERS_PER_SOURCE - 1


def order_key(source_number: int, order_id: int) -> int:
    """The key of an order; `source_number` is 1 or more, `order_id` from 1 to 10^12 - 1."""
    return source_number * ORDERS_PER_SOURCE + order_id
