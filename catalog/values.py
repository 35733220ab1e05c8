"""Single values of the contract, from text and to text."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.contract import Value, check_value
from catalog.models import COLUMN


def read(field: str, text: str) -> Value:
    """A value that a person wrote, as in an export; but a time without an offset is in UTC. Raises `ValueRefused`."""
    return check_value(COLUMN[field], text, UTC)


def written(value: Value) -> str:
    """A value as an export may have it, to the last digit; empty when it is missing."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ").replace("+00:00", "Z")
    return "" if value is None else str(value)
