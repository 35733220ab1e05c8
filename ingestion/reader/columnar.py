"""Many records -> valid rows, column by column. Fast and cautious: what it is not sure of, it leaves.

It accepts a row only if every value is in the plainest form that the contract allows. The rest is read by
`exact`, one by one, so this module can cost time by being too strict but never change a result.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from catalog.contract import BLANKS, COLUMNS, MAX_INTEGER, Column, Kind, ValueRefused, parse_code
from ingestion.reader.header import Header
from ingestion.reader.records import count_lines

Mask = npt.NDArray[np.bool_]

DICTIONARY = pa.dictionary(pa.int32(), pa.string())
ARROW_TYPES = {Kind.INTEGER: pa.int64(), Kind.CODE: DICTIONARY, Kind.TIMESTAMP: pa.timestamp("us")}
ROW_SCHEMA = pa.schema(
    [pa.field("line", pa.int64()), *(pa.field(column.name, ARROW_TYPES[column.kind]) for column in COLUMNS)]
)
"""Valid rows: the line they start on and the contract's columns; timestamps in UTC without saying so."""

# The years keep clear of the ends of every calendar; the days of the second form exist in every month.
_TIMESTAMP = r"^[12]\d{3}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?$"
_SAFE_TIMESTAMP = r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"


def parse(plain: bytes, header: Header, zone: tzinfo, suspicious: Mask | None = None) -> tuple[pa.Table, Mask]:
    """Parse lines that hold no quotation mark and end in LF.

    Returns the columns of the contract (schema without `line`) of the rows that are certainly valid, and for
    every line whether it is among them. `suspicious` lines never are.
    """
    # Arrow shows a ragged line to Python as text, and fails if it is none.
    texts, lines = _texts(plain if suspicious is None else plain.translate(_ASCII), header)
    table, sure = _values(texts, zone)
    if sure.sum() < _TOLERABLE * len(sure):
        # Many rows fail for one cause at times: blanks around the values.
        table, sure = _values([pc.ascii_trim(text, BLANKS) for text in texts], zone)
    if suspicious is not None:
        sure &= ~suspicious[lines]
    accepted = lines.copy()
    accepted[lines] = sure
    return (table if sure.all() else table.filter(pa.array(sure))), accepted


_ASCII = bytes(range(128)) + b"?" * 128
_TOLERABLE = 0.95


def _values(texts: list[pa.Array], zone: tzinfo) -> tuple[pa.Table, Mask]:
    """The columns as values, and which rows are certainly valid."""
    sure = np.ones(len(texts[0]), dtype=bool)
    columns = []
    for column, text in zip(COLUMNS, texts, strict=True):
        values, certain = _READERS[column.kind](text, column, zone)
        columns.append(values)
        sure &= certain
    return pa.table(columns, schema=ROW_SCHEMA.remove(0)), sure


def _texts(plain: bytes, header: Header) -> tuple[list[pa.Array], Mask]:
    """The contract's columns as text, and which lines have the right number of fields."""
    lines = np.ones(count_lines(plain), dtype=bool)
    names = [str(i) for i in range(header.width)]
    wanted = [names[position] for position in header.positions]

    def ragged(row: csv.InvalidRow) -> str:
        lines[row.number - 1] = False
        return "skip"

    table = csv.read_csv(
        io.BytesIO(plain),
        csv.ReadOptions(column_names=names, use_threads=False, block_size=len(plain) + 1),
        csv.ParseOptions(
            delimiter=header.delimiter, quote_char=False, ignore_empty_lines=False, invalid_row_handler=ragged
        ),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return [table[name].combine_chunks() for name in wanted], lines


def _integers(texts: pa.Array, column: Column, zone: tzinfo) -> tuple[pa.Array, Mask]:
    empty = _mask(pc.equal(texts, ""))
    digits = _mask(pc.ascii_is_decimal(texts)) & _mask(pc.less_equal(pc.binary_length(texts), len(str(MAX_INTEGER))))
    numbers = pc.cast(pc.if_else(pa.array(digits), texts, None), pa.int64())
    positive = _mask(pc.fill_null(pc.greater(numbers, 0), False))
    return numbers, positive | (empty & (not column.required))


def _codes(texts: pa.Array, column: Column, zone: tzinfo) -> tuple[pa.Array, Mask]:
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary.cast(pa.binary()).to_pylist()
    codes = [text.decode() if _is_code(text) else "" for text in distinct]
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    empty = np.array([text == b"" for text in distinct], dtype=bool)[indices]
    good = np.array([code != "" for code in codes], dtype=bool)[indices]
    values = pa.DictionaryArray.from_arrays(pa.array(indices, mask=~good), pa.array(codes, pa.string()))
    return values, good | (empty & (not column.required))


def _is_code(text: bytes) -> bool:
    try:
        parse_code(text.decode("ascii"))
    except (ValueRefused, UnicodeDecodeError):
        return False
    return True


def _timestamps(texts: pa.Array, column: Column, zone: tzinfo) -> tuple[pa.Array, Mask]:
    empty = _mask(pc.equal(texts, ""))
    texts, in_utc = _without_utc(texts)
    likely = pc.match_substring_regex(texts, _TIMESTAMP)
    try:
        moments = pc.cast(pc.if_else(likely, texts, None), pa.timestamp("us"))
    except pa.ArrowInvalid:
        likely = pc.match_substring_regex(texts, _SAFE_TIMESTAMP)
        moments = pc.cast(pc.if_else(likely, texts, None), pa.timestamp("us"))
    certain = _mask(likely)
    if zone is not UTC and str(zone) != "UTC":
        shifted, steady = _to_utc(moments, certain, zone)
        moments, certain = pc.if_else(pa.array(in_utc), moments, shifted), certain & (steady | in_utc)
    return moments, certain | (empty & (not column.required))


def _without_utc(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """The texts without the offset of UTC, and which had one; other offsets are left to `exact`."""
    in_utc = np.zeros(len(texts), dtype=bool)
    for ending in _UTC:
        marked = _mask(pc.ends_with(texts, ending)) & ~in_utc
        if marked.any():
            texts = pc.if_else(pa.array(marked), pc.utf8_slice_codeunits(texts, 0, -len(ending)), texts)
            in_utc |= marked
    return texts, in_utc


_UTC = ("Z", "+00:00", "+00")


_READERS = {Kind.INTEGER: _integers, Kind.CODE: _codes, Kind.TIMESTAMP: _timestamps}


def _to_utc(local: pa.Array, certain: Mask, zone: tzinfo) -> tuple[pa.Array, Mask]:
    """Shift local times to UTC on days without a change of clocks; on the others leave them to `exact`."""
    microseconds = pc.fill_null(pc.cast(local, pa.int64()), 0).to_numpy(zero_copy_only=False)
    days, positions = np.unique(microseconds // _DAY, return_inverse=True)
    offsets = [_steady_offset(int(day), zone) for day in days]
    shift = np.array([offset or 0 for offset in offsets], dtype=np.int64)[positions]
    steady = np.array([offset is not None for offset in offsets], dtype=bool)[positions]
    missing = _mask(pc.is_null(local))
    return pa.array(microseconds - shift, mask=missing).cast(pa.timestamp("us")), certain & steady


_DAY = 86_400_000_000


def _steady_offset(day: int, zone: tzinfo) -> int | None:
    """The zone's offset in microseconds on a day (counted from 1970), or None if it changes on or next to it."""
    noon = datetime(1970, 1, 1, 12, tzinfo=zone) + timedelta(days=day)
    offsets = {(noon + timedelta(days=step)).utcoffset() for step in (-1, 0, 1)}
    offset = offsets.pop()
    return None if offsets or offset is None else offset // timedelta(microseconds=1)


def _mask(array: pa.Array) -> Mask:
    result: Mask = array.to_numpy(zero_copy_only=False)
    return result
