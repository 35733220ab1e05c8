"""A workbook of one sheet, written as it is sent: the parts of Office Open XML that it needs, and no more.

Libraries for it keep the sheet in memory or in a file until it is whole, and make each cell by itself.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc

from catalog.export.columns import CODE, FLAG, MOMENT, NUMBER, Column
from catalog.export.sinks import Sink
from catalog.export.tables import codes, lines, moments, tables, wrapped

MAX_ORDERS = 1_048_575
"""Rows of a sheet, but for the header."""

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

SHEET = "xl/worksheets/sheet1.xml"
PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/{SHEET}" ContentType="{TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="orders" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{MAIN}">'
        '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
        '<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}
BOLD, WHOLE, DATE = 1, 2, 3
"""The styles of cells, by their place in `cellXfs`. Whole numbers have one: plain ones are rounded at 12 digits."""

FROZEN = (
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)
WIDTHS = {NUMBER: 14, CODE: 18, MOMENT: 20, FLAG: 10}

DAY = 86_400_000_000
"""Microseconds."""
DAY_ZERO = 25_569 * DAY
"""From the day that a spreadsheet counts from to 1970."""
FIRST_DAY = 61
"""1 March 1900. Spreadsheets believe in a 29 February before it, so earlier days are shown as text."""


def as_xlsx(rows: Iterator[bytes], columns: Sequence[Column]) -> Iterator[bytes]:
    """The pieces of the workbook."""
    sink = Sink()
    # The quickest compression halves nothing but the time: sheets shrink to an eighth anyway.
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in PARTS.items():
            book.writestr(name, XML + text)
        with book.open(SHEET, "w") as sheet:
            sheet.write(head(columns).encode())
            first = 2
            for table in tables(rows, columns):
                sheet.write(sheet_rows(table, columns, first))
                first += len(table)
                yield sink.taken()
            sheet.write(b"</sheetData></worksheet>")
    yield sink.taken()


def head(columns: Sequence[Column]) -> str:
    """The sheet up to its header row, which stays in sight."""
    widths = "".join(
        f'<col min="{place}" max="{place}" width="{WIDTHS[column.type]}" customWidth="1"/>'
        for place, column in enumerate(columns, 1)
    )
    names = "".join(
        f'<c r="{letter}1" s="{BOLD}" t="inlineStr"><is><t>{escape(column.name)}</t></is></c>'
        for letter, column in zip(LETTERS, columns, strict=False)
    )
    return f'{XML}<worksheet xmlns="{MAIN}">{FROZEN}<cols>{widths}</cols><sheetData><row r="1">{names}</row>'


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def sheet_rows(table: pa.Table, columns: Sequence[Column], first: int) -> bytes:
    """The rows of a table as those of the sheet, from the row `first` on."""
    numbers = pa.array(range(first, first + len(table))).cast(pa.string())
    parts: list[Any] = ['<row r="', numbers, '">']
    for letter, column in zip(LETTERS, columns, strict=False):
        parts += [f'<c r="{letter}', numbers, pc.coalesce(cells(table[column.name]), '"/>')]
    return lines(*parts, "</row>")


def cells(column: pa.ChunkedArray) -> pa.Array:
    """The rest of each cell after its address; missing values stay missing."""
    if column.type == CODE:
        return codes(column, text_cell)
    if column.type == MOMENT:
        return date_cells(column)
    if column.type == FLAG:
        flags = column.chunk(0).cast(pa.int8()).cast(pa.string())
        return wrapped('" t="b"><v>', flags, "</v></c>")
    return wrapped(f'" s="{WHOLE}"><v>', column.chunk(0).cast(pa.string()), "</v></c>")


def text_cell(text: str) -> str:
    """Written as text, it is never calculated."""
    return f'" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def date_cells(column: pa.ChunkedArray) -> pa.Array:
    """Dates as the numbers of days that they are in a spreadsheet."""
    days = pc.divide(pc.add(column.chunk(0).cast(pa.int64()), DAY_ZERO).cast(pa.float64(), safe=False), float(DAY))
    numbers = wrapped(f'" s="{DATE}"><v>', days.cast(pa.string()), "</v></c>")
    too_early = pc.less(days, FIRST_DAY)
    if not pc.any(too_early).as_py():
        return numbers
    return pc.if_else(too_early, wrapped('" t="inlineStr"><is><t>', moments(column), "</t></is></c>"), numbers)
