"""The admin's list of orders: the columns to choose, and what it finds as files."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import rules
from catalog.admin_columns import COLUMNS, USUAL
from catalog.corrections import correct
from catalog.export.formats import FORMATS
from catalog.models import Order, ValueRule
from tests.admin_side import said, text_of
from tests.factories import make_order, make_orders, make_run
from tests.order_list import exported, files, heads, listed, make_shop, names_on, see, viewer

__all__ = ["viewer"]

# Files are read through a connection of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shipped_groups")]


def test_the_usual_columns_stand_in_the_order_of_the_contract(viewer: Client) -> None:
    make_orders(1)
    assert heads(see(viewer)) == [
        *("Order", "Customer id", "Website", "Order status", "Voucher status", "Payment status"),
        *("Order date", "Payment date"),
    ]


def test_columns_named_in_the_address_are_shown_and_no_others_read(viewer: Client) -> None:
    make_orders(1)
    with CaptureQueriesContext(connection) as queries:
        page = see(viewer, "?columns=order_date,product_id")
    assert heads(page) == ["Order", "Product id", "Order date"]
    [sql] = [q["sql"] for q in queries if 'FROM "catalog_order"' in q["sql"]]
    assert '"catalog_order"."website"' not in sql


def test_every_column_can_be_shown(viewer: Client) -> None:
    run = make_run()
    make_order(5, change=run.change, voucher_status="EXPRIED")
    rule = ValueRule.objects.create(field="voucher_status", old="EXPRIED", new="EXPIRED", reason="a slip")
    rules.switch_on(rule, actor="ana")
    make_order(6, change=run.change, removed=True)
    page = see(viewer, removed="any", columns=",".join(COLUMNS))
    assert len(heads(page)) == len(COLUMNS) + 1
    cells = dict(re.findall(r'<td class="field-(\w+)">(.*?)</td>', page.split(">services/5<")[1].split("</tr>")[0]))
    assert cells["set_right"] == "voucher_status"
    assert (cells["last_run"], cells["last_line"]) == ("-", "-"), "a rule made it as it is"
    cells = dict(re.findall(r'<td class="field-(\w+)">(.*?)</td>', page.split(">services/6<")[1].split("</tr>")[0]))
    assert (text_of(cells["last_run"]), cells["last_line"], cells["is_removed"]) == (f"run {run.pk}", "7", "yes")


def test_a_page_with_every_column_takes_as_many_queries_for_many_orders(viewer: Client) -> None:
    taken = []
    for count in (1, 30):
        make_run()
        Order.objects.all().delete()
        make_orders(count)
        with CaptureQueriesContext(connection) as queries:
            see(viewer, columns=",".join(COLUMNS))
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_a_column_that_does_not_exist_is_named(viewer: Client) -> None:
    make_orders(1)
    page = see(viewer, columns="webiste,website")
    assert "columns: There is no column 'webiste'. Did you mean 'website'?" in said(page)
    assert len(heads(page)) == len(USUAL) + 1


@pytest.mark.parametrize(("sort", "expected"), [("6", [1, 2]), ("-6", [2, 1]), ("1", [2, 1]), ("2", [2, 1])])
def test_columns_without_an_index_cannot_be_sorted_by(viewer: Client, sort: str, expected: list[int]) -> None:
    """By order date and by customer one can; by website it is as without."""
    make_order(1, website="VVNL", customer_id=9)
    make_order(2, website="AAA", customer_id=8)
    assert listed(viewer, o=sort) == [f"services/{number}" for number in expected]


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "?website=VVNL&order_status=PAID",
        "?website__in=VVNL,VVBE",
        "?payment_status__isnull=true",
        "?voucher_status=(missing)",
        "?order_date__year=2019",
        "?year=2018",
        "?removed=true",
        "?removed=any",
        "?order_date__gte=2018-01-01&order_date__lte=2019-05-01",
        "?q=11",
        "?q=services/12",
        "?q=services/12&source=services",
        "?q=3&q=",
        "?customer_id=7",
        "?quality=paid_without_payment",
        "?quality=canceled_but_paid",
        "?overlaid=true",
        "?has_correction=true",
        "?corrected_by=ben",
        "?or=(website=SJSNL,order_status=CANCELED)&source=services",
        "?o=1&columns=website",
    ],
)
def test_a_file_has_the_orders_of_the_list(viewer: Client, asked: str) -> None:
    make_shop()
    correct(Order.objects.get(order_id=2), "website", "VVBE", actor="ben", reason="so")
    page = see(viewer, asked)
    for _, url in [one for one in files(page) if one[0].startswith("CSV")]:
        rows = exported(viewer, url)
        assert sorted(f"{row['source']}/{row['order_id']}" for row in rows) == sorted(names_on(page))


def test_files_come_in_every_format_with_all_columns_or_those_shown(viewer: Client) -> None:
    make_shop()
    page = see(viewer, "?website=VVNL&columns=product_id,set_right,since")
    links = dict(files(page))
    assert [name for name in links if "all" in name] == [
        f"{name}, all columns" for name in ("CSV", "NDJSON", "PARQUET", "XLSX")
    ]
    assert list(exported(viewer, links["CSV, columns shown"])[0]) == ["order_id", "source", "product_id", "since"]
    assert "Files have no column set right." in text_of(page)
    for name, url in links.items():
        response = viewer.get(url)
        assert response.status_code == 200, name
        assert b"".join(response), "a file comes in pieces"
        assert urlsplit(url).path == "/api/v1/orders/export/"


def test_a_format_that_cannot_hold_so_many_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_orders(3)
    monkeypatch.setitem(FORMATS, "xlsx", replace(FORMATS["xlsx"], most=2))
    page = see(viewer)
    assert "holds 2 orders at most" in text_of(page)
    assert not [name for name, _ in files(page) if "XLSX" in name]
