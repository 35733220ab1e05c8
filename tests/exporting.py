"""What the tests of exports share: files fetched through the API, and read back."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
from pyarrow import parquet
from rest_framework.test import APIClient

EXPORT = "/api/v1/orders/export/"

Records = list[dict[str, Any]]


def download(api: APIClient, **query: Any) -> bytes:
    """The whole file of a query."""
    response: Any = api.get(EXPORT, query)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def read_csv(data: bytes) -> Records:
    """Its rows as texts; a missing value is None."""
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [{name: text or None for name, text in row.items()} for row in rows]


def read_ndjson(data: bytes) -> Records:
    return [json.loads(line) for line in data.splitlines()]


def read_parquet(data: bytes) -> Records:
    rows: Records = parquet.read_table(pa.BufferReader(data)).to_pylist()
    return rows


NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def read_xlsx(data: bytes) -> Records:
    """The rows of the first sheet, each cell where its address says; a date as a timestamp in UTC."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert book.testzip() is None
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
    formats = {f.get("numFmtId"): f.get("formatCode") for f in styles.findall(".//x:numFmt", NAMESPACE)}
    styled = [formats.get(style.get("numFmtId"), "") for style in styles.findall("./x:cellXfs/x:xf", NAMESPACE)]
    rows = []
    for number, row in enumerate(sheet.findall("./x:sheetData/x:row", NAMESPACE), 1):
        assert row.get("r") == str(number)
        cells = row.findall("./x:c", NAMESPACE)
        assert [cell.get("r") for cell in cells] == [f"{chr(65 + place)}{number}" for place in range(len(cells))]
        rows.append([cell_value(cell, "yy" in (styled[int(cell.get("s", "0"))] or "")) for cell in cells])
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def cell_value(cell: ElementTree.Element, is_date: bool) -> Any:
    """What a spreadsheet shows."""
    assert cell.find("./x:f", NAMESPACE) is None
    if cell.get("t") == "inlineStr":
        return cell.findtext("./x:is/x:t", namespaces=NAMESPACE)
    text = cell.findtext("./x:v", namespaces=NAMESPACE)
    if text is None:
        return None
    if cell.get("t") == "b":
        return text == "1"
    if is_date:
        moment = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=float(text))
        # A spreadsheet's dates are exact to a few microseconds.
        return moment + timedelta(microseconds=round(moment.microsecond, -3) - moment.microsecond)
    return int(text)


READERS = {"csv": read_csv, "ndjson": read_ndjson, "parquet": read_parquet, "xlsx": read_xlsx}
