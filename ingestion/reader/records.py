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

import codecs
import re
from collections.abc import Iterator, Sequence
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
    line ended by LF; then a columnar parser may read it, apart from the lines of `records`, whose quotation
    marks mean something. Otherwise `records` lists all of them.
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
        if (overlong := _overlong_line(buffer)) is not None:
            number = line + overlong
            raise Refused("line_too_long", f"Line {number} is longer than {MAX_RECORD:,} bytes: this is no CSV.")
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


def _overlong_line(buffer: bytes) -> int | None:
    """The index of the first line over the limit, whether it has ended or not."""
    if len(buffer) <= MAX_RECORD:
        return None
    text = np.frombuffer(buffer, dtype=np.uint8)
    starts = np.append(_line_starts(buffer, text), len(buffer) + 1)
    overlong = np.flatnonzero(np.diff(starts) - 1 > MAX_RECORD)
    return int(overlong[0]) if len(overlong) else None


RECORDS_AT_ONCE = 1 << 16
"""Bytes that are read record by record after one that spans lines, before a columnar parser may go on."""


def _next_block(data: bytes, line: int, separator: bytes, width: int, *, ended: bool) -> Block:
    """A block from the start of `data`; an empty one when its first record goes on after its end."""
    cutter = Cutter(data, separator, width, ended=ended)
    end, odd = cutter.lines_that_are_records(line)
    if end:
        return Block(line, data[:end], _plain(data[:end], odd), tuple(odd.values()))
    records, end = cutter.one_by_one(line)
    return Block(line, data[:end], None, records)


def _plain(data: bytes, odd: dict[int, Record]) -> bytes:
    """Lines without quotation marks and with LF; the odd ones keep theirs, so that none of them is empty."""
    parts, position = [], 0
    for start, record in odd.items():
        parts += [_simple(data[position:start]), record.raw]
        position = start + len(record.raw)
    parts.append(_simple(data[position:]))
    if not data.endswith((b"\n", b"\r")):
        # Without a line end, a last line of two quotation marks would be gone.
        parts.append(b"\n")
    return b"".join(parts)


def _simple(data: bytes) -> bytes:
    # In this order: a line of two quotation marks may be all that keeps a CR and an LF apart.
    return (data if b"\r" not in data else data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).replace(QUOTE, b"")


def count_lines(data: bytes) -> int:
    """The number of physical lines, the last of which may lack its end."""
    # Counting with NumPy is several times as fast as bytes.count for a byte that is this frequent.
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.count_nonzero(text == ord("\n"))
    if b"\r" in data:
        ends += np.count_nonzero(text == ord("\r")) - data.count(b"\r\n")
    return int(ends) + (not data.endswith((b"\n", b"\r")))


def suspicious_lines(plain: bytes, odd: Sequence[int] = ()) -> npt.NDArray[np.bool_] | None:
    """Which lines of a text whose lines end in LF may hold something that is wrong in whatever column, or None.

    That is a NUL, bytes that are no text, a field over the limit, a stray byte order mark; and the `odd` lines.
    """
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
    found[np.array(odd, dtype=np.int64)] = True
    # A parser would pass over a byte order mark at the start of what it is given, wherever in the file that is.
    found[:1] |= plain.startswith(codecs.BOM_UTF8)
    return found if found.any() else None


def is_blank(line: bytes, separator: bytes) -> bool:
    """Whether a line holds nothing but blanks; a tab that delimits fields is no blank."""
    return not line.strip(b" \t".replace(separator, b""))


def odd_lines(data: bytes, separator: bytes) -> list[tuple[int, int]]:
    """The lines whose quotation marks mean something: index (from 0) and position, in order.

    In any other line each pair of quotation marks encloses a whole field that holds neither quotation mark nor
    delimiter, so that the line means the same without them.
    """
    if QUOTE not in data:
        return []
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == QUOTE[0])
    # Behind the end is a border, and before the start, which is position -1.
    border = np.append((text == separator[0]) | (text == ord("\n")) | (text == ord("\r")), True)
    closing = np.append(quotes[1:], len(text))
    encloses_field = border[quotes - 1] & border[np.minimum(closing + 1, len(text))]
    borders = np.flatnonzero(border)
    encloses_field &= np.searchsorted(borders, quotes) == np.searchsorted(borders, closing)
    # The last quotation mark opens nothing that would be closed.
    encloses_field[-1] = False
    if len(quotes) % 2 == 0 and encloses_field[::2].all():
        return []
    starts = _line_starts(data, text)
    line_of = np.searchsorted(starts, quotes, side="right") - 1
    nth_of_line = np.arange(len(quotes)) - np.searchsorted(line_of, line_of)
    odd = np.unique(line_of[(nth_of_line % 2 == 0) & ~encloses_field])
    return list(zip(odd.tolist(), starts[odd].tolist(), strict=True))


def _line_starts(data: bytes, text: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    ends = text == ord("\n")
    if b"\r" in data:
        # The CR of a CRLF ends no line of its own.
        ends |= (text == ord("\r")) & (np.append(text[1:], 0) != ord("\n"))
    return np.concatenate(([0], np.flatnonzero(ends) + 1))


class Cutter:
    """Cuts one stretch of text, which starts where a record starts, into records."""

    def __init__(self, data: bytes, separator: bytes, width: int, *, ended: bool) -> None:
        self.data = data
        self.separator = separator
        self.width = width
        self.ended = ended

    def lines_that_are_records(self, line: int) -> tuple[int, dict[int, Record]]:
        """Where the first record starts that spans lines, or all is over; and the odd lines before, by position."""
        odd: dict[int, Record] = {}
        for index, position in odd_lines(self.data, self.separator):
            record, end = self.record(position, line + index)
            if record is None or end != _after_line_end(self.data, _line_end(self.data, position)):
                return position, odd
            odd[position] = record
        return len(self.data), odd

    def one_by_one(self, line: int) -> tuple[tuple[Record, ...], int]:
        """All records, and how much of the text they take; less than all when the last one goes on."""
        records = []
        position = 0
        while position < min(len(self.data), RECORDS_AT_ONCE):
            record, end = self.record(position, line)
            if record is None:
                break
            if not is_blank(record.raw, self.separator):
                records.append(record)
            line += count_lines(self.data[position:end])
            position = end
        return tuple(records), position

    def record(self, position: int, line: int) -> tuple[Record | None, int]:
        """The record that starts at a position, and where the next one starts; None when it needs more text."""
        data = self.data
        scan = scan_record(data, position, self.separator)
        if scan.unfinished and not self.ended and len(data) - position <= MAX_RECORD:
            return None, position
        first_end = _line_end(data, position)
        flaw, end = scan.flaw, scan.end
        if not flaw and end > first_end and (len(scan.fields) != self.width or end - position > MAX_RECORD):
            flaw = "unclosed_quote"
        if flaw:
            end = first_end
        return Record(line, data[position:end], flaw), _after_line_end(data, end)


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
                within_limit = _quoted_length(data, position, len(data)) <= MAX_FIELD
                return Scan(fields, position, "unclosed_quote", unfinished=within_limit)
            if _quoted_length(data, position, closing) > MAX_FIELD and LINE_END.search(data, position, closing):
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


def _quoted_length(data: bytes, opening: int, end: int) -> int:
    length = end - opening - 1
    return length - data.count(b'""', opening + 1, end) if length > MAX_FIELD else length


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


def field_span(data: bytes, index: int, separator: bytes) -> tuple[int, int]:
    """Where a field of a record without flaws stands, its quotation marks included."""
    start = end = 0
    for _ in range(index + 1):
        start = end
        if data[start : start + 1] == QUOTE:
            end = _closing_quote(data, start) + 1
        else:
            match = _UNQUOTED[separator].match(data, start)
            assert match is not None  # noqa: S101  the pattern matches the empty text too
            end = match.end()
        end += 1
    return start, end - 1
