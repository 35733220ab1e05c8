"""One record -> a valid row or every reason against it. Slow and exact; the columnar parser must agree."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

from catalog.contract import COLUMNS, NAMES, Reason, Value, ValueRefused, check_row, check_value
from ingestion.reader.header import Header
from ingestion.reader.limits import MAX_FIELD
from ingestion.reader.records import Record, scan_record

FLAWS = {
    "unclosed_quote": "a quotation mark is opened and not closed",
    "bad_quote": "a closing quotation mark is not followed by a delimiter or the end of the line",
}


class Reject(NamedTuple):
    """A record that cannot be loaded. `key` is its `(source, order_id)` where at least that could be read."""

    line: int
    raw: bytes
    reasons: list[Reason]
    key: tuple[str, int] | None = None


def read_record(record: Record, header: Header, zone: tzinfo) -> list[Value] | Reject:
    """Read one record: its twelve values in contract order, or a reject."""
    fields, reasons = split_record(record, header)
    if reasons:
        return Reject(record.line, record.raw, reasons)
    texts = [fields[position] for position in header.positions]
    values, reasons = check_row(texts, zone)
    if reasons:
        return Reject(record.line, record.raw, reasons, _key(texts, zone))
    return values


def split_record(record: Record, header: Header) -> tuple[list[str], list[Reason]]:
    """The texts of a record's fields, or why it is no row of this header."""
    flaw = _flaw(record)
    if flaw:
        return [], [flaw]
    scan = scan_record(record.raw, 0, header.delimiter.encode())
    if scan.flaw or scan.end < len(record.raw):
        # Whoever takes a record from where rejects are kept does not know its flaw.
        code = scan.flaw or "unclosed_quote"
        return [], [Reason(code, "", "", FLAWS[code])]
    fields = scan.fields
    reasons = []
    if len(fields) != header.width:
        code = "too_few_fields" if len(fields) < header.width else "too_many_fields"
        reasons.append(Reason(code, "", "", f"the row has {len(fields)} fields, the header {header.width}"))
    longest = max(map(len, fields))
    if longest > MAX_FIELD:
        reasons.append(Reason("field_too_long", "", "", f"a field has {longest:,} bytes; {MAX_FIELD:,} are allowed"))
    return [field.decode() for field in fields], reasons


def _flaw(record: Record) -> Reason | None:
    """What makes the record no text, or no record, at all."""
    if record.flaw:
        return Reason(record.flaw, "", "", FLAWS[record.flaw])
    if b"\0" in record.raw:
        return Reason("nul_character", "", "", "the row holds a NUL character")
    try:
        record.raw.decode()
    except UnicodeDecodeError as error:
        return Reason("not_text", "", "", f"byte {error.start + 1} of the row is not text in the file's encoding")
    return None


def _key(texts: list[str], zone: tzinfo) -> tuple[str, int] | None:
    by_name = dict(zip(NAMES, texts, strict=True))
    columns = {column.name: column for column in COLUMNS}
    try:
        source, order_id = (check_value(columns[name], by_name[name], zone) for name in ("source", "order_id"))
    except ValueRefused:
        return None
    return str(source), int(str(order_id))
