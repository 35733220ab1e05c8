"""Facets beside the list of orders: what they count, where they lead, and when there are none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.tallies import add
from tests.factories import make_order, make_orders, make_run
from tests.pages import Element, chips, query, reader, see
from tests.read_side import ORDERS

__all__ = ["reader"]

pytestmark = pytest.mark.django_db

AWAY = " \u00d7"


def facets(page: Element) -> dict[str, dict[str, tuple[str, str]]]:
    """The facets beside a list: for each value the number of orders and the address."""
    found = {}
    for section in page.one("aside", class_="facets").all("section"):
        items = section.all("li")
        found[section.one("h2").text] = {
            item.one("a").text: (item.one("span").text, item.one("a").get("href")) for item in items
        }
    return found


@pytest.fixture
def shops(reader: Client) -> Client:
    """Orders of two websites, counted."""
    run = make_run()
    make_orders(3)
    for number, status in ((11, "PAID"), (12, "CANCELED")):
        make_order(number, website="VVBE", order_status=status, payment_status=None)
    assert run.change
    add(run.change)
    return reader


def test_facets_lead_to_what_they_count(shops: Client) -> None:
    page = see(shops, f"{ORDERS}?page_size=1&order_date__gte=2018-01-01")
    found = facets(page)
    assert {value: count for value, (count, _) in found["website"].items()} == {"VVNL": "3", "VVBE": "2"}
    assert found["payment status"]["missing"][0] == "2"
    for values in found.values():
        for count, url in values.values():
            there = see(shops, url)
            assert there.one("p", class_="count").text in (f"{count} orders", f"{count} order")
            assert len(chips(there)) == 3


def test_a_value_in_force_can_be_taken_away_or_have_another_beside_it(shops: Client) -> None:
    page = see(shops, f"{ORDERS}?website=VVBE&order_status=CANCELED")
    found = facets(page)
    assert {value: count for value, (count, _) in found["website"].items()} == {f"VVBE{AWAY}": "1"}
    assert {value: count for value, (count, _) in found["order status"].items()} == {
        f"CANCELED{AWAY}": "1",
        "PAID": "1",
    }
    assert query(found["order status"]["PAID"][1]) == {"website": ["VVBE"], "order_status__in": ["CANCELED,PAID"]}
    both = see(shops, found["order status"]["PAID"][1])
    assert both.one("p", class_="count").text == "2 orders"
    assert query(facets(both)["order status"][f"CANCELED{AWAY}"][1]) == {"website": ["VVBE"], "order_status": ["PAID"]}
    assert query(found["website"][f"VVBE{AWAY}"][1]) == {"order_status": ["CANCELED"]}
    missing = see(shops, facets(see(shops, ORDERS))["payment status"]["missing"][1])
    assert query(facets(missing)["payment status"][f"missing{AWAY}"][1]) == {}
    assert query(facets(missing)["payment status"]["PAID"][1]) == {"payment_status": ["PAID"]}


@pytest.mark.parametrize("asked", ["customer_id=1001", "as_of=2100-01-01", "has_correction=false", "search=1"])
def test_what_the_summary_cannot_tell_is_not_counted_beside_a_list(shops: Client, asked: str) -> None:
    asked = asked.replace("2100-01-01", datetime.now(UTC).isoformat()[:19])
    with CaptureQueriesContext(connection) as queries:
        page = see(shops, f"{ORDERS}?{asked}&count=none&ordering=order_id&fields=website")
    assert not page.one("aside", class_="facets").all("section")
    assert "GROUP BY" not in " ".join(q["sql"] for q in queries)
    url = page.one("aside", class_="facets").one("a").get("href")
    assert see(shops, url).one("h1").text == "Facets of orders"
    assert query(url).keys() == {asked.partition("=")[0]}


def test_facets_are_counted_once(shops: Client) -> None:
    see(shops, f"{ORDERS}?website=VVBE")
    with CaptureQueriesContext(connection) as queries:
        see(shops, f"{ORDERS}?website=VVBE&ordering=order_id&page_size=2")
    assert "tally" not in " ".join(q["sql"] for q in queries if "GROUP BY" in q["sql"])
    assert [q for q in queries if '"catalog_order"' in q["sql"]]


def test_a_summary_that_is_large_is_not_added_up_beside_a_list(shops: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.api.browsable.facets.MOST_CELLS", 1)
    assert not facets(see(shops, f"{ORDERS}?order_date__lte=2018-01-02"))
