"""What the reader makes of a file depends on its bytes alone: not on the size of blocks, nor on the fast path."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import NAMES
from ingestion.errors import Refused
from ingestion.reader import columnar
from ingestion.reader.batches import OrderReader, ReadOptions
from ingestion.reader.exact import Reject, read_record
from ingestion.reader.header import read_header
from ingestion.reader.inputs import Input
from ingestion.reader.records import Cutter, Record, blocks, count_lines, is_blank, suspicious_lines
from tests.csv_cases import FILES, Case
from tests.csv_values import VALUES
from tests.loading import HEADER, line

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WIDE = f"{HEADER},remark"

MUTATIONS = {
    "order_id": ("", "0", "007", " 7 ", "x", "1e5", "9" * 12, "9" * 13, "\u0661"),
    "customer_id": ("", "-1", "+7", "12.0", "0x1F", "\t5"),
    "voucher_id": ("", " ", "NULL", "0", '"5"', '""'),
    "website": ("", "a" * 33, "VV NL", "é", '"VVNL"', '"VV"NL', 'V"L', '"VVNL', '"a\nb"', '"a,b"', ' "x"', '"'),
    "voucher_status": ("", " USED", '"USED"', "\xa0", "\0"),
    "order_date": (
        "",
        "2016-2-3 10:53:48",
        "2018-02-30 10:00:00",
        "2018-07-12",
        "2018-07-12T17:33:04Z",
        "2018-07-12 17:33:04+00",
        "2018-07-12 17:33:04+00Z",
        "2018-07-12 17:33:04 +00:00",
        "2018-07-12 24:00:00",
        "2018-07-12 17:33:60",
        "2018-03-25 02:30:00",
        "2018-10-28 02:30:00",
        "2018-07-12 17:33:04.1234567",
        "1000-01-01 00:00:00",
        "2999-12-31 23:59:59.999999",
        '"2018-07-12 17:33:04"',
    ),
    "payment_date": ("", " ", "0000-00-00 00:00:00", "2018-07-12 17:33:04.5+02:00", "soon"),
}
REMARKS = ("", "x", '"a,b"', '"a\nb"', '"a\r\nb"', '"', 'a"b', '"say ""hi"""', "é", "\u2028", "\x1c", '"\n\n"', '"\r')
JUNK = (b"", b" \t", b",", b'"', b"\xff", b"total", b"\xef\xbb\xbf", b'""', b'","', b"\x00", b"," * 12, b"\xc3(")
LINE_ENDS = (b"\n", b"\r\n", b"\r")


@st.composite
def rows(draw: st.DrawFn) -> bytes:
    """A row that is valid, or has some values changed, or has some bytes put into it."""
    names = draw(st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=2, unique=True))
    texts = {name: draw(st.sampled_from(MUTATIONS[name])) for name in names}
    text = line(draw(st.integers(1, 30)), extra=draw(st.sampled_from(REMARKS)), **texts).encode()
    if draw(st.integers(0, 3)) == 0:
        position = draw(st.integers(0, len(text)))
        text = text[:position] + draw(st.sampled_from((*JUNK, *LINE_ENDS))) + text[position:]
    return text


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A header and rows, in any mix of line ends."""
    lines = draw(st.lists(st.one_of(rows(), rows(), st.sampled_from(JUNK)), max_size=8))
    ends = [draw(st.sampled_from(LINE_ENDS)) for _ in lines]
    last = draw(st.booleans())
    body = b"".join(text + end for text, end in zip(lines, ends, strict=True))
    return WIDE.encode() + b"\n" + (body if last or not ends else body[: -len(ends[-1])])


Result = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], int]


def read(content: bytes, size: int, zone: tzinfo = UTC, **options: Any) -> Result:
    """The rows and the rejects of a file in the order of their lines, and the number of records read."""
    source = _Content("orders.csv", io.BytesIO(content), len(content), "")
    reader = OrderReader(source, ReadOptions(block_size=size, allow_extra_columns=True, **options), zone)
    accepted: list[tuple[Any, ...]] = []
    rejects: list[tuple[Any, ...]] = []
    records = 0
    for batch in reader.batches():
        accepted += [tuple(values.values()) for values in batch.rows.to_pylist()]
        rejects += [(r.line, r.raw, [reason.code for reason in r.reasons], r.key) for r in batch.rejects]
        records += batch.read
    return sorted(accepted, key=lambda values: int(values[0])), sorted(rejects), records


class _Content(Input):
    """An input that is no file; it comes byte by byte in chunks of a few."""

    def chunks(self) -> Iterator[bytes]:
        content = self.raw.getvalue()  # type: ignore[attr-defined]
        for start in range(0, len(content), 61):
            yield content[start : start + 61]

    def stamp(self) -> tuple[int, int]:
        return 0, 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(content=files(), size=st.integers(1, 700))
def test_block_size_has_no_influence(content: bytes, size: int) -> None:
    whole = read(content, 1 << 20)

    assert read(content, size) == whole
    assert len(whole[0]) + len(whole[1]) == whole[2]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(content=files())
def test_cutting_by_columns_agrees_with_reading_record_by_record(content: bytes) -> None:
    _, body = content.split(b"\n", 1)
    width = len(WIDE.split(","))
    expected: list[Record] = []
    line, position = 2, 0
    while position < len(body):
        record, end = Cutter(body, b",", width, ended=True).record(position, line)
        assert record is not None
        expected.append(record)
        line += count_lines(body[position:end])
        position = end

    found: list[Record] = []
    for block in blocks(iter([body]), delimiter=",", width=width, first_line=2):
        listed = {record.line: record for record in block.records}
        if block.plain is not None:
            plain = [Record(number, text) for number, text in enumerate(block.line_texts(), block.first_line)]
            listed = {record.line: listed.get(record.line, record) for record in plain}
            assert block.plain.count(b"\n") == len(plain)
        found += listed.values()

    assert [r for r in found if not is_blank(r.raw, b",")] == [r for r in expected if not is_blank(r.raw, b",")]


SMALL = [
    case
    for case in (*FILES, *VALUES)
    if len(case.content) < 5000 and not case.refused and case.content[:2] != b"\x1f\x8b"
]


@pytest.mark.parametrize("size", [1, 7, 64, 300])
def test_block_size_has_no_influence_on_the_broken_files(size: int) -> None:
    for case in SMALL:
        assert _outcome(case, size) == _outcome(case, 1 << 20), case.name


def _outcome(case: Case, size: int) -> Result | str:
    try:
        return read(case.content, size)
    except Refused as error:
        return error.code


@settings(max_examples=120, deadline=None, derandomize=True)
@given(texts=st.lists(rows(), min_size=1, max_size=12), zone=st.sampled_from([UTC, AMSTERDAM]))
def test_columnar_parser_agrees_with_the_exact_one(texts: list[bytes], zone: tzinfo) -> None:
    lines = [text for row in texts for text in row.replace(b'"', b"").splitlines()]
    header = read_header(WIDE.encode(), delimiter=None, allow_extra_columns=True)
    plain = b"".join(text + b"\n" for text in lines)

    table, accepted = columnar.parse(plain, header, zone, suspicious_lines(plain))

    assert len(accepted) == len(lines)
    found = iter(table.select(NAMES).to_pylist())
    for text, sure in zip(lines, accepted, strict=True):
        if not sure:
            continue
        exact = read_record(Record(2, text), header, zone)
        assert not isinstance(exact, Reject), text
        naive = [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in exact]
        assert list(next(found).values()) == naive
    assert next(found, None) is None


def test_columnar_parser_reads_plain_rows_itself() -> None:
    header = read_header(HEADER.encode(), delimiter=None, allow_extra_columns=False)
    plain = b"".join(line(number).encode() + b"\n" for number in range(1, 50))

    _, accepted = columnar.parse(plain, header, AMSTERDAM)

    assert accepted.all()
