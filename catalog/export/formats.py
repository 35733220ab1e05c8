"""The formats of an export: each makes the pieces of a file from lines of CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from catalog.export.columns import CODE, MOMENT, Column
from catalog.export.sinks import Sink
from catalog.export.tables import codes, lines, moments, tables, wrapped
from catalog.export.xlsx import MAX_ORDERS, as_xlsx

Columns = Sequence[Column]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    name: str
    media_type: str
    pieces: Callable[[Iterator[bytes], Columns], Iterator[bytes]]
    for_spreadsheets: bool = False
    """Whether formulas in it have to be made harmless."""
    most: int | None = None
    """Most orders that such a file can hold."""


def as_csv(rows: Iterator[bytes], columns: Columns) -> Iterator[bytes]:
    """The lines as they are, under a header."""
    header = ",".join(column.name for column in columns).encode() + b"\n"
    yield header + next(rows, b"")
    yield from rows


def as_ndjson(rows: Iterator[bytes], columns: Columns) -> Iterator[bytes]:
    """One JSON object a line, with the values that a list has."""
    for table in tables(rows, columns):
        parts: list[Any] = []
        for column in columns:
            name = f"{',' if parts else '{'}{json.dumps(column.name)}:"
            parts += [name, pc.coalesce(json_values(table[column.name]), "null")]
        yield lines(*parts, "}\n")


def json_values(column: pa.ChunkedArray) -> pa.Array:
    """Each value as JSON; missing ones stay missing."""
    if column.type == CODE:
        return codes(column, json.dumps)
    if column.type == MOMENT:
        return wrapped('"', moments(column), '"')
    return column.chunk(0).cast(pa.string())


ROW_GROUP = 8_000_000
"""CSV that becomes one row group of Parquet: some 65,000 orders."""


def as_parquet(rows: Iterator[bytes], columns: Columns) -> Iterator[bytes]:
    """A row group for each table."""
    sink = Sink()
    schema = pa.schema([(column.name, column.type) for column in columns])
    with parquet.ParquetWriter(pa.PythonFile(sink, "w"), schema) as writer:
        for table in tables(rows, columns, ROW_GROUP):
            writer.write_table(table, row_group_size=len(table))
            yield sink.taken()
    yield sink.taken()


FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        Format("csv", "text/csv", as_csv, for_spreadsheets=True),
        Format("ndjson", "application/x-ndjson", as_ndjson),
        Format("parquet", "application/vnd.apache.parquet", as_parquet),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            as_xlsx,
            for_spreadsheets=True,
            most=MAX_ORDERS,
        ),
    )
}
"""By name; the first is what one gets unless another is asked for."""
