"""Cutting UTF-8 text into records. What is a record depends on the text alone, never on how it was cut into
blocks.

The rules, which are RFC 4180's made exact for broken files:

* A line ends in LF, CRLF or CR. A blank line is no record.
* A field that starts with a quotation mark ends at the next one that is not doubled, and then a delimiter or
  the end of the line must follow. A quotation mark anywhere else is a plain character.
* A record may span lines inside a quoted field, but only when it then has exactly as many fields as the
  header. Otherwise the quotation mark is taken for a stray one: the line on which it stands is broken, and
  reading goes on with the very next line, so that a forgotten quotation mark costs one row and shifts none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingestion.errors import Refused
from ingestion.reader.limits import BLOCK, MAX_FIELD, MAX_RECORD

LINE_END = re.compile(rb"\r\n|\n|\r")
QUOTE = b'"'


class Record(NamedTuple):
    """One record as it stood in the file, without its line end. `flaw` is the code of a broken quotation."""

    line: int
    raw: bytes
    flaw: str = ""


@dataclass(frozen=True)
class Block:
    """Some whole records.

    Most often every line is a record and `plain` holds the same lines with quotation marks gone and every
    line ended by LF; then a columnar parser may read it. Otherwise `records` lists them one by one.
    """

    first_line: int
    data: bytes
    plain: bytes | None
    records: tuple[Record, ...] = ()

    def line_texts(self) -> list[bytes]:
        """The physical lines as they stood in the file."""
        return self.data.splitlines()


def blocks(
    chunks: Iterator[bytes], *, delimiter: str, width: int, first_line: int, size: int = BLOCK
) -> Iterator[Block]:
    """Cut the text after the header into blocks of about `size` bytes.

    Raises `Refused` for a line over `MAX_RECORD`.
    """
    separator = delimiter.encode()
    line, buffer, ended, wanted = first_line, b"", False, size
    while not ended:
        buffer, ended = _filled(buffer, chunks, wanted)
        end = len(buffer) if ended else _end_of_last_line(buffer)
        start = 0
        while start < end:
            block = _next_block(buffer[start:end], line, separator, width, ended=ended)
            if not block.data:
                break
            yield block
            line += count_lines(block.data)
            start += len(block.data)
        buffer = buffer[start:]
        if _line_too_long(buffer):
            raise Refused("line_too_long", f"Line {line} is longer than {MAX_RECORD:,} bytes: this is no CSV.")
        # What is left over is part of a record: ask for enough to end it.
        wanted = len(buffer) + size


def _filled(buffer: bytes, chunks: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    parts, length = [buffer], len(buffer)
    while length < size:
        chunk = next(chunks, None)
        if chunk is None:
            return b"".join(parts), True
        parts.append(chunk)
        length += len(chunk)
    return b"".join(parts), False


def _end_of_last_line(buffer: bytes) -> int:
    # A CR at the very end may be half of a CRLF: it waits for what follows.
    limit = len(buffer) - 1 if buffer.endswith(b"\r") else len(buffer)
    return max(buffer.rfind(b"\n", 0, limit), buffer.rfind(b"\r", 0, limit)) + 1


def _line_too_long(rest: bytes) -> bool:
    return len(rest) > MAX_RECORD and LINE_END.search(rest, 0, MAX_RECORD) is None


RECORDS_AT_ONCE = 1 << 16
"""Bytes that are read record by record after an odd quotation mark, before a columnar parser may go on."""


def _next_block(data: bytes, line: int, separator: bytes, width: int, *, ended: bool) -> Block:
    """A block from the start of `data`; an empty one when its first record goes on after its end."""
    length = length_of_simple_lines(data, separator)
    if length:
        return Block(line, data[:length], _line_feeds(data[:length]).replace(QUOTE, b""))
    records, used = _one_by_one(data, line, separator, width, ended=ended)
    return Block(line, data[:used], None, tuple(records))


def _line_feeds(data: bytes) -> bytes:
    return data if b"\r" not in data else data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def count_lines(data: bytes) -> int:
    """The number of physical lines, the last of which may lack its end."""
    # Counting with NumPy is several times as fast as bytes.count for a byte that is this frequent.
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.count_nonzero(text == ord("\n"))
    if b"\r" in data:
        ends += np.count_nonzero(text == ord("\r")) - data.count(b"\r\n")
    return int(ends) + (not data.endswith((b"\n", b"\r")))


def suspicious_lines(plain: bytes) -> npt.NDArray[np.bool_] | None:
    """Which lines of a text whose lines end in LF may hold something that is wrong in whatever column: a NUL,
    bytes that are no text, a field over the limit. None when no line does."""
    text = np.frombuffer(plain, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    if not plain.endswith(b"\n"):
        ends = np.append(ends, len(plain))
    found = np.diff(ends, prepend=-1) - 1 > MAX_FIELD
    if b"\0" in plain:
        found[np.searchsorted(ends, np.flatnonzero(text == 0))] = True
    try:
        plain.decode()
    except UnicodeDecodeError:
        found[np.searchsorted(ends, np.flatnonzero(text > 127))] = True
    return found if found.any() else None


def is_blank(line: bytes, separator: bytes) -> bool:
    """Whether a line holds nothing but blanks; a tab that delimits fields is no blank."""
    return not line.strip(b" \t".replace(separator, b""))


def length_of_simple_lines(data: bytes, separator: bytes) -> int:
    """The bytes of the lines before the first with an odd quotation mark.

    In a simple line each pair of quotation marks encloses a whole field that holds neither quotation mark nor
    delimiter nor line end, so that the line means the same without them.
    """
    if QUOTE not in data:
        return len(data)
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == QUOTE[0])
    border = (text == separator[0]) | (text == ord("\n")) | (text == ord("\r"))
    opening, closing = quotes[: len(quotes) // 2 * 2].reshape(-1, 2).T
    starts_field = (opening == 0) | border[opening - 1]
    ends_field = (closing == len(text) - 1) | border[np.minimum(closing + 1, len(text) - 1)]
    borders = np.flatnonzero(border)
    encloses_no_border = np.searchsorted(borders, opening) == np.searchsorted(borders, closing)
    odd = np.flatnonzero(~(starts_field & ends_field & encloses_no_border))
    if len(odd):
        first = int(opening[odd[0]])
    elif len(quotes) % 2:
        first = int(quotes[-1])
    else:
        return len(data)
    return max(data.rfind(b"\n", 0, first), data.rfind(b"\r", 0, first)) + 1


def _one_by_one(data: bytes, line: int, separator: bytes, width: int, *, ended: bool) -> tuple[list[Record], int]:
    """The records of `data`, and how much of it they take; less than all when the last one goes on."""
    records: list[Record] = []
    position = 0
    while position < min(len(data), RECORDS_AT_ONCE):
        first_end = _line_end(data, position)
        scan = scan_record(data, position, separator)
        if scan.unfinished and not ended and len(data) - position <= MAX_RECORD:
            break
        lines = count_lines(data[position : scan.end]) if scan.end > first_end else 1
        flaw = scan.flaw
        if not flaw and lines > 1 and (len(scan.fields) != width or scan.end - position > MAX_RECORD):
            flaw = "unclosed_quote"
        end, lines = (first_end, 1) if flaw else (scan.end, lines)
        raw = data[position:end]
        if not is_blank(raw, separator):
            records.append(Record(line, raw, flaw))
        line += lines
        position = _after_line_end(data, end)
    return records, position


def _line_end(data: bytes, position: int) -> int:
    match = LINE_END.search(data, position)
    return match.start() if match else len(data)


def _after_line_end(data: bytes, position: int) -> int:
    match = LINE_END.match(data, position)
    return match.end() if match else position


class Scan(NamedTuple):
    """One record read from a position: its fields and where it ends, or the code of its flaw.

    `unfinished`: the flaw is a quotation that is still open at the end of the data, so more data could mend it.
    """

    fields: list[bytes]
    end: int
    flaw: str = ""
    unfinished: bool = False


def scan_record(data: bytes, position: int, separator: bytes) -> Scan:
    """Read the record that starts at `position`."""
    fields: list[bytes] = []
    unquoted = _UNQUOTED[separator]
    while True:
        if data[position : position + 1] == QUOTE:
            closing = _closing_quote(data, position)
            if closing < 0:
                within_limit = len(data) - position <= MAX_FIELD
                return Scan(fields, position, "unclosed_quote", unfinished=within_limit)
            if closing - position > MAX_FIELD and LINE_END.search(data, position, closing):
                return Scan(fields, position, "unclosed_quote")
            fields.append(data[position + 1 : closing].replace(b'""', QUOTE))
            position = closing + 1
        else:
            match = unquoted.match(data, position)
            assert match is not None  # noqa: S101  the pattern matches the empty text too
            fields.append(match.group())
            position = match.end()
        following = data[position : position + 1]
        if following == separator:
            position += 1
        elif following in (b"", b"\n", b"\r"):
            return Scan(fields, position)
        else:
            return Scan(fields, position, "bad_quote")


_UNQUOTED = {mark: re.compile(b"[^%s\r\n]*" % re.escape(mark)) for mark in (b",", b";", b"\t", b"|")}


def _closing_quote(data: bytes, opening: int) -> int:
    position = opening + 1
    while (quote := data.find(QUOTE, position)) >= 0:
        if data[quote + 1 : quote + 2] != QUOTE:
            return quote
        position = quote + 2
    return -1


def split_line(line: bytes, separator: bytes) -> list[bytes] | None:
    """The fields of a record, or None if its quotation marks are broken."""
    if QUOTE not in line:
        return line.split(separator)
    scan = scan_record(line, 0, separator)
    return None if scan.flaw else scan.fields
