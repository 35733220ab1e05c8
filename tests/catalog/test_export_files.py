"""What is in an exported file, in each format; and that a catalogue loaded from one is the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyarrow import types
from rest_framework.test import APIClient

from catalog.contract import NAMES
from catalog.corrections import correct
from catalog.export import tables
from catalog.export.columns import COLUMNS
from catalog.models import Order
from tests.exporting import READERS, download, read_csv, read_ndjson, read_parquet, read_xlsx
from tests.factories import make_order, make_orders, make_run
from tests.loading import export as file_of
from tests.loading import ingest, line, rows
from tests.processes import MODELS
from tests.read_side import ORDERS, api

__all__ = ["api"]

# An export reads through a connection of its own, so what it shall find is committed.
pytestmark = pytest.mark.django_db(transaction=True)

FORMATS = tuple(READERS)


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def make_various() -> list[Order]:
    """Orders with all that values can be."""
    return [
        make_order(1, order_date=moment(2018, 7, 12, 17, 33, 4), payment_date=moment(2018, 7, 12, 17, 40, 0, 120000)),
        make_order(2, payment_id=None, voucher_id=None, product_id=None, customer_id=None, payment_date=None),
        make_order(3, voucher_status=None, payment_status=None, order_date=moment(1, 1, 1)),
        make_order(
            4, source="avdd", website="-NL", customer_id=10**12 - 1, order_date=moment(9999, 12, 31, 23, 59, 59)
        ),
    ]


def values_of(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in NAMES}


def test_csv_is_the_same_bytes_on_every_database(api: APIClient) -> None:
    make_various()
    assert download(api, ordering="customer_id", raw="true").decode() == (
        "order_id,source,customer_id,payment_id,voucher_id,product_id,website,order_status,voucher_status,"
        "payment_status,order_date,payment_date\n"
        "1,services,1001,2000001,3000001,501,VVNL,PAID,USED,PAID,2018-07-12 17:33:04+00,2018-07-12 17:40:00.12+00\n"
        "3,services,1003,2000003,3000003,503,VVNL,PAID,,,0001-01-01 00:00:00+00,2018-01-01 03:09:00+00\n"
        "4,avdd,999999999999,2000004,3000004,504,-NL,PAID,USED,PAID,9999-12-31 23:59:59+00,2018-01-01 04:09:00+00\n"
        "2,services,,,,,VVNL,PAID,USED,PAID,2018-01-01 02:00:00+00,\n"
    )


@pytest.mark.parametrize("format_", FORMATS)
def test_every_value_comes_back(api: APIClient, format_: str) -> None:
    orders = sorted(make_various(), key=lambda order: order.order_id)
    records = READERS[format_](download(api, format=format_, raw="true"))
    records.sort(key=lambda record: int(record["order_id"]))
    assert [tuple(record) for record in records] == [NAMES] * 4
    for record, order in zip(records, orders, strict=True):
        assert {name: typed(name, value) for name, value in record.items()} == values_of(order)


def typed(name: str, value: Any) -> Any:
    """A value of a record as the catalogue has it."""
    if not isinstance(value, str):
        return value
    if types.is_timestamp(COLUMNS[name].type):
        return datetime.fromisoformat(value)
    return int(value) if types.is_integer(COLUMNS[name].type) else value


def test_ndjson_has_the_values_of_the_list_for_every_field(api: APIClient) -> None:
    make_various()
    make_order(7, removed=True, line=None)
    names = ",".join(COLUMNS)
    exported = read_ndjson(download(api, format="ndjson", fields=names, removed="any", ordering="customer_id"))
    listed = api.get(ORDERS, {"removed": "any", "ordering": "customer_id"}).json()["results"]
    assert exported == [{name: order[name] for name in COLUMNS} for order in listed]


def test_parquet_has_proper_types(api: APIClient) -> None:
    make_order(1)
    [record] = read_parquet(
        download(api, format="parquet", fields="order_id,order_date,website,removed,run,line,since")
    )
    assert [type(value) for value in record.values()] == [int, datetime, str, bool, int, int, datetime]
    assert record["order_date"].tzinfo is not None


@pytest.mark.parametrize("format_", FORMATS)
def test_a_query_that_finds_nothing_is_a_file_without_orders(api: APIClient, format_: str) -> None:
    make_order(1)
    # The second cannot find anything, which Django knows without asking the database.
    for query in ({"website": "NOWHERE"}, {"order_id": "5", "source": "none"}, {"run": "99"}):
        data = download(api, format=format_, **query)
        assert READERS[format_](data) == []
        assert bool(data) == (format_ != "ndjson")


@pytest.mark.parametrize("format_", FORMATS)
def test_an_order_of_missing_values_only_is_still_there(api: APIClient, format_: str) -> None:
    make_orders(3, payment_date=None)
    records = READERS[format_](download(api, format=format_, fields="payment_date"))
    assert records == [{"payment_date": None}] * 3


@pytest.mark.parametrize("format_", FORMATS)
def test_fields_are_in_the_order_in_which_they_are_asked_for(api: APIClient, format_: str) -> None:
    make_order(1)
    [record] = READERS[format_](download(api, format=format_, fields="website, order_id,removed"))
    assert next(iter(record.items())) == ("website", "VVNL")
    assert tuple(record) == ("website", "order_id", "removed")
    assert record["removed"] in (False, "false")


@pytest.mark.parametrize("format_", FORMATS)
def test_many_tables_make_one_file(api: APIClient, format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.tables, "__defaults__", (100_000,))
    make_orders(5000)
    records = READERS[format_](download(api, format=format_, ordering="order_date"))
    assert [int(record["order_id"]) for record in records] == list(range(1, 5001))


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_what_a_spreadsheet_would_calculate_is_made_harmless(api: APIClient, format_: str) -> None:
    dangerous = ("-NL", "=1+1", "+1", "@SUM", "\tx", "\rx")
    for number, code in enumerate((*dangerous, "A-", "9=", "_x"), 1):
        make_order(number, website=code)
    fields: dict[str, Any] = {"format": format_, "fields": "website", "ordering": "order_date"}
    shown = [record["website"] for record in READERS[format_](download(api, **fields))]
    raw = [record["website"] for record in READERS[format_](download(api, **fields, raw="true"))]
    # XML reads a bare carriage return as a line end.
    assert [text.replace("\n", "\r") for text in shown] == [*(f"'{code}" for code in dangerous), "A-", "9=", "_x"]
    assert [text.replace("\n", "\r") for text in raw] == [*dangerous, "A-", "9=", "_x"]


@pytest.mark.parametrize("format_", ["ndjson", "parquet"])
def test_formats_for_programs_have_plain_values(api: APIClient, format_: str) -> None:
    make_order(1, website="-NL")
    assert [record["website"] for record in READERS[format_](download(api, format=format_))] == ["-NL"]


def test_a_sheet_has_dates_and_numbers_and_shows_its_header(api: APIClient) -> None:
    make_various()
    records = {record["order_id"]: record for record in read_xlsx(download(api, format="xlsx"))}
    assert records[1]["payment_date"] == moment(2018, 7, 12, 17, 40, 0, 120000)
    # Before spreadsheets' time.
    assert records[3]["order_date"] == "0001-01-01T00:00:00Z"


def test_the_values_in_force_are_exported(api: APIClient) -> None:
    correct(make_order(1), "website", "VVBE", actor="ana", reason="seen on the invoice")
    assert read_csv(download(api))[0]["website"] == "VVBE"


def test_codes_are_quoted_where_csv_needs_it(api: APIClient) -> None:
    """The contract has no such codes, but a file must never be shifted by one."""
    make_order(1, website='a,"b"')
    assert [record["website"] for record in read_csv(download(api))] == ['a,"b"']
    [record] = read_ndjson(download(api, format="ndjson"))
    assert record["website"] == 'a,"b"'


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/St_Johns"])
def test_a_catalogue_loaded_from_its_export_is_the_same(
    api: APIClient, zone: str, settings: Any, tmp_path: Path
) -> None:
    settings.SOURCE_TIME_ZONE = ZoneInfo(zone)
    path = tmp_path / "orders.csv"
    path.write_bytes(
        file_of(
            line(1),
            line(2, payment_id="", voucher_id="", product_id="", voucher_status="", payment_status="", payment_date=""),
            line(3, source="avdd", website="-NL", order_date="2018-10-28 02:30:00"),
            line(4, order_date="2018-03-25T01:59:59.9+02:00", order_status="_x"),
            line(5, order_id="999999999999", order_date="1600-02-29 00:00:00.000001"),
        )
    )
    assert ingest(path).figures() == {"read": 5, "inserted": 5}
    before = rows()
    copy = tmp_path / "copy.csv"
    copy.write_bytes(download(api, raw="true"))
    for model in MODELS:
        model._default_manager.all().delete()

    assert ingest(copy).figures() == {"read": 5, "inserted": 5}

    assert rows() == before


def test_a_line_is_told_only_of_the_file_that_it_is_in(api: APIClient) -> None:
    order = make_order(1, change=make_run().change)
    correct(order, "website", "VVBE", actor="ana", reason="seen on the invoice")
    [record] = read_ndjson(download(api, format="ndjson", fields="run,line"))
    assert record == {"run": None, "line": None}
    assert json.loads(download(api, format="ndjson", fields="order_id")) == {"order_id": 1}
