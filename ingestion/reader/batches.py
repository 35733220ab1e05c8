"""The reader's front door: an open file -> batches of valid rows and rejects, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import islice

import numpy as np
import pyarrow as pa

from catalog.contract import COLUMNS, Kind, Reason, Value
from ingestion.errors import Refused
from ingestion.reader import columnar
from ingestion.reader.columnar import ROW_SCHEMA
from ingestion.reader.exact import Reject, read_record, split_record
from ingestion.reader.header import Header, read_header
from ingestion.reader.inputs import Input
from ingestion.reader.limits import BLOCK, MAX_RECORD
from ingestion.reader.records import LINE_END, Block, Record, blocks, count_lines, is_blank, suspicious_lines
from ingestion.reader.text import as_utf8

MOST_RECORDS = 50_000
"""Records of one batch that are read one by one; each that is rejected takes half a kilobyte of memory."""


@dataclass(frozen=True)
class ReadOptions:
    """What a user may say about a file; None where the file itself tells."""

    encoding: str | None = None
    delimiter: str | None = None
    allow_extra_columns: bool = False
    extra_columns: tuple[str, ...] = ()
    block_size: int = BLOCK


@dataclass
class Batch:
    """A stretch of the file: `rows` (schema `ROW_SCHEMA`), `rejects`, the number of records `read`, and the
    number of `bytes` of text it took."""

    rows: pa.Table
    rejects: list[Reject] = field(default_factory=list)
    read: int = 0
    bytes: int = 0


class OrderReader:
    """Reads one order export, as often as asked; the header is read at once.

    Raises `Refused` when the file as a whole cannot be read.
    """

    def __init__(self, source: Input, options: ReadOptions, zone: tzinfo) -> None:
        self._source = source
        self._options = options
        self._zone = zone
        self.encoding, header_line, _ = self._open()
        self.header: Header = read_header(
            header_line,
            delimiter=options.delimiter,
            allow_extra_columns=options.allow_extra_columns,
            extra_columns=options.extra_columns,
        )

    def _open(self) -> tuple[str, bytes, Iterator[bytes]]:
        """The encoding, the header line without its end, and the text after it."""
        encoding, chunks = as_utf8(self._source.chunks(), self._options.encoding)
        start = b""
        for chunk in chunks:
            start += chunk
            end = LINE_END.search(start)
            # A CR that ends the chunk may be half of a CRLF.
            if end and end.end() < len(start):
                return encoding, start[: end.start()], _chain(start[end.end() :], chunks)
            if len(start) > MAX_RECORD:
                raise Refused("no_header", f"Line 1 is longer than {MAX_RECORD:,} bytes: this is no CSV file.")
        if not start:
            raise Refused("empty_file", f"{self._source.name} is empty; not even a header is there.")
        return encoding, LINE_END.split(start, maxsplit=1)[0], iter(())

    def _blocks(self) -> Iterator[Block]:
        *_, text = self._open()
        return blocks(
            text,
            delimiter=self.header.delimiter,
            width=self.header.width,
            first_line=2,
            size=self._options.block_size,
        )

    def batches(self) -> Iterator[Batch]:
        """All of the file, from the start. Raises `Refused` when it was written to since it was opened."""
        for block in self._blocks():
            yield from self._batches_of(block)
        self._source.check_unchanged()

    def raw_records(self, rejects: Iterator[Reject]) -> Iterator[tuple[Reject, bytes]]:
        """Rejects (in the order of their lines) with the raw text of their records, read anew from the file."""
        wanted = next(rejects, None)
        for block in self._blocks():
            after = block.first_line + count_lines(block.data)
            here = []
            while wanted is not None and wanted.line < after:
                here.append(wanted)
                wanted = next(rejects, None)
            found = self._records(block, [reject.line - block.first_line for reject in here])
            yield from zip(here, (record.raw for record in found), strict=True)
            if wanted is None:
                break
        self._source.check_unchanged()

    def texts(self, name: str) -> Iterator[tuple[int, str | Reason]]:
        """The text of a column in every record, by the line on which that starts; or why the record has no fields."""
        position = self.header.names.index(name)
        separator = self.header.delimiter.encode()
        for block in self._blocks():
            lines = range(count_lines(block.data))
            for record in block.records if block.plain is None else self._records(block, list(lines)):
                if not is_blank(record.raw, separator):
                    fields, reasons = split_record(record, self.header)
                    yield record.line, reasons[0] if reasons else fields[position]
        self._source.check_unchanged()

    def _records(self, block: Block, wanted: list[int]) -> Iterator[Record]:
        """Some records of a block, by the index (from 0) of the line on which they start."""
        listed = {record.line - block.first_line: record for record in block.records}
        texts = block.line_texts() if wanted else []
        for index in wanted:
            yield listed.get(index) or Record(block.first_line + index, texts[index])

    def _batches_of(self, block: Block) -> Iterator[Batch]:
        first = Batch(ROW_SCHEMA.empty_table(), bytes=len(block.data))
        rest = iter(block.records) if block.plain is None else self._by_columns(block, first)
        # A block of lines of one byte has millions of them, and each would be kept as a reject.
        self._one_by_one(first, islice(rest, MOST_RECORDS))
        yield first
        while some := list(islice(rest, MOST_RECORDS)):
            yield self._one_by_one(Batch(ROW_SCHEMA.empty_table()), some)

    def _by_columns(self, block: Block, batch: Batch) -> Iterator[Record]:
        """Read what a columnar parser can read into the batch; the records that are left."""
        assert block.plain is not None  # noqa: S101  for the type checker; the caller has looked
        suspicious = suspicious_lines(block.plain, [record.line - block.first_line for record in block.records])
        table, accepted = columnar.parse(block.plain, self.header, self._zone, suspicious)
        lines = np.arange(block.first_line, block.first_line + len(accepted))
        batch.rows = table.add_column(0, ROW_SCHEMA.field("line"), pa.array(lines[accepted]))
        batch.read = int(accepted.sum())
        rest = self._records(block, np.flatnonzero(~accepted).tolist())
        separator = self.header.delimiter.encode()
        return (record for record in rest if not is_blank(record.raw, separator))

    def _one_by_one(self, batch: Batch, records: Iterable[Record]) -> Batch:
        good: list[tuple[int, list[Value]]] = []
        for record in records:
            batch.read += 1
            result = read_record(record, self.header, self._zone)
            if isinstance(result, Reject):
                batch.rejects.append(result)
            else:
                good.append((record.line, result))
        if good:
            batch.rows = pa.concat_tables([batch.rows, _table(good)])
        return batch


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _table(good: list[tuple[int, list[Value]]]) -> pa.Table:
    columns = [pa.array([line for line, _ in good], pa.int64())]
    for position, column in enumerate(COLUMNS):
        values = [row[position] for _, row in good]
        if column.kind is Kind.TIMESTAMP:
            values = [value.replace(tzinfo=None) if isinstance(value, datetime) else None for value in values]
        plain = pa.string() if column.kind is Kind.CODE else columnar.ARROW_TYPES[column.kind]
        columns.append(pa.array(values, plain).cast(columnar.ARROW_TYPES[column.kind]))
    return pa.table(columns, schema=ROW_SCHEMA)
