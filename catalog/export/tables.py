"""CSV read back into typed columns, and columns written as text: a format's lines are made without a loop over rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from catalog.export.columns import Column

BYTES = 2_000_000
"""CSV that becomes one table: some 16,000 orders. With more, texts made of it would only take more memory."""


def tables(rows: Iterator[bytes], columns: Sequence[Column], enough: int = BYTES) -> Iterator[pa.Table]:
    """The same rows with their types, many at a time."""
    some: list[bytes] = []
    size = 0
    for piece in rows:
        some.append(piece)
        size += len(piece)
        if size >= enough:
            yield table(b"".join(some), columns)
            some, size = [], 0
    if some:
        yield table(b"".join(some), columns)


def table(rows: bytes, columns: Sequence[Column]) -> pa.Table:
    """Lines of CSV as one table, each column in one piece."""
    return csv.read_csv(
        pa.BufferReader(rows),
        csv.ReadOptions(use_threads=False, block_size=len(rows) + 1, column_names=[column.name for column in columns]),
        csv.ParseOptions(ignore_empty_lines=False, newlines_in_values=True),
        csv.ConvertOptions(
            column_types={column.name: column.type for column in columns}, null_values=[""], strings_can_be_null=True
        ),
    ).combine_chunks()


def codes(column: pa.ChunkedArray, shown: Callable[[str], str]) -> pa.Array:
    """Codes as `shown` has them. There may be millions of them, but few different ones."""
    values = column.chunk(0)
    return pa.array(map(shown, values.dictionary.to_pylist()), pa.string()).take(values.indices)


def moments(column: pa.ChunkedArray) -> pa.Array:
    """Timestamps as Python's `isoformat` and the API have them: with six decimals or none."""
    text = pc.utf8_replace_slice(column.chunk(0).cast(pa.string()), 10, 11, "T")
    whole = wrapped("", pc.utf8_slice_codeunits(text, 0, 19), "Z")
    return pc.if_else(pc.ends_with(text, ".000000Z"), whole, text)


def wrapped(before: Any, texts: pa.Array, after: str) -> pa.Array:
    """Texts with something before and after each; missing ones stay missing."""
    return pc.binary_join_element_wise(before, texts, after, "")


def lines(*parts: Any) -> bytes:
    """Arrays of texts and what stands between them, joined row by row, and all rows after one another."""
    # The texts of a new array lie one after the other in memory, and nothing else there.
    *_, content = pc.binary_join_element_wise(*parts, "").buffers()
    return bytes(content)
