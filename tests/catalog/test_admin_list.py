"""The admin's list of orders: its filters and their numbers, what it counts, its columns, and its files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import rules
from catalog.admin_counts import _cells
from catalog.checks import CHECKS
from catalog.corrections import correct
from catalog.models import Order, ValueRule
from catalog.read_only import BoundedPaginator
from catalog.tally_models import DayTally, StateTally, TallyZone
from tests.admin_side import client_of, get, said, text_of
from tests.factories import make_change, make_known_value, make_order, make_orders
from tests.order_list import ORDERS, found, listed, make_shop, names_on, see, side_bar, viewer
from tests.pages import query, read_page

__all__ = ["viewer"]

pytestmark = pytest.mark.django_db

AWAY = " \u00d7"


SHOWN = ("source", "website", "order status", "voucher status", "payment status", "order year", "removed")


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "?website=VVNL",
        "?website__in=VVNL,VVBE&order_status=PAID",
        "?payment_status__isnull=true",
        "?order_date__year=2018&order_status=CANCELED",
        "?removed=any&website=VVNL",
        "?order_date__gte=2018-01-01&order_date__lte=2019-12-31&source=services",
        "?website__ne=VVBE",
        "?website__contains=V&order_status__in=PAID,CANCELED",
    ],
)
def test_each_choice_tells_how_many_orders_it_leaves(viewer: Client, asked: str) -> None:
    make_shop()
    bar = side_bar(see(viewer, asked))
    for title in SHOWN:
        for text, (number, url) in bar[title].items():
            page = see(viewer, url)
            there = side_bar(page)[title]
            chosen = [one for one, (_, to) in there.items() if one.startswith("✓")]
            if text.startswith("✓") or len(chosen) > 1:
                continue  # leads away from the value, or adds it to others
            expected = "1 order" if number == "1" else f"{number} orders"
            assert (found(page), len(names_on(page))) == (expected, int(number)), (title, text, url)


def test_the_numbers_are_counted_from_the_summary_only(viewer: Client) -> None:
    make_shop()
    with CaptureQueriesContext(connection) as queries:
        bar = side_bar(see(viewer, "?website=VVNL&order_date__gte=2018-01-01"))
    assert bar["website"]["✓ VVNL"][0] == "4"
    assert bar["website"]["VVBE"][0] == "2"
    of_orders = [q["sql"] for q in queries if 'FROM "catalog_order"' in q["sql"]]
    assert len(of_orders) == 1, "the page itself"
    assert "LIMIT 50" in of_orders[0]
    with CaptureQueriesContext(connection) as again:
        see(viewer, "?website=VVBE&order_status=PAID&order_date__gte=2018-01-01")
    assert not [q for q in again if "tally" in q["sql"].replace("tallyzone", "")], "known until the catalogue changes"


def test_people_read_large_numbers(viewer: Client) -> None:
    make_orders(1)
    DayTally.objects.update(orders=4973)
    page = see(viewer)
    assert side_bar(page)["website"]["VVNL"][0] == "4,973"
    assert found(page) == "4,973 orders"


@pytest.mark.parametrize(
    "asked",
    ["q=1", "quality=unknown_status", "overlaid=true", "customer_id=1001", "order_date__gte=2018-01-01T10:00:00"],
)
def test_there_are_no_numbers_where_the_summary_cannot_tell(viewer: Client, asked: str) -> None:
    make_orders(3)
    make_order(4, payment_status=None)
    make_known_value("voucher_status", "EXPRIED")
    with CaptureQueriesContext(connection) as queries:
        bar = side_bar(see(viewer, f"?{asked}"))
    assert bar["website"] == {"VVNL": ("", bar["website"]["VVNL"][1])}
    assert list(bar["payment status"]) == ["PAID", "missing"]
    assert list(bar["voucher status"]) == ["USED"], "what no order has any more is not on offer"
    assert bar["order year"]["2018"][0] == ""
    assert not [q for q in queries if "GROUP BY" in q["sql"] and '"catalog_order"' in q["sql"]]


def test_no_numbers_are_better_than_those_of_another_zone(viewer: Client) -> None:
    make_orders(1)
    make_known_value("website", "VVNL")
    TallyZone.objects.update(name="Europe/Amsterdam")
    bar = side_bar(see(viewer))
    assert bar["website"]["VVNL"][0] == "1", "states have no days"
    assert bar["order year"]["2018"][0] == ""
    assert found(see(viewer, "?order_date__year=2018")) == "1 order"


def test_a_summary_of_very_many_days_is_not_added_up_for_a_side_bar(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop()
    make_order(40, order_date=datetime(2019, 5, 2, tzinfo=UTC))
    make_known_value("website", "VVNL")
    states = StateTally.objects.count()
    assert states < DayTally.objects.count()
    monkeypatch.setattr("catalog.admin_counts.MOST_CELLS", states - 1)
    bar = side_bar(see(viewer))
    assert bar["website"]["VVNL"][0] == ""
    monkeypatch.setattr("catalog.admin_counts.MOST_CELLS", states)
    _cells.clear()
    bar = side_bar(see(viewer))
    assert (bar["website"]["VVNL"][0], bar["order year"]["2018"][0]) == ("5", "")


def test_the_year_is_that_of_the_sources(viewer: Client, settings: Any) -> None:
    settings.SOURCE_TIME_ZONE = ZoneInfo("Europe/Amsterdam")
    make_order(1, order_date=datetime(2018, 12, 31, 23, 30, tzinfo=UTC))
    page = see(viewer)
    assert list(side_bar(page)["order year"]) == ["2019"]
    assert "Days of Europe/Amsterdam" in text_of(page)
    assert list(side_bar(see(viewer, "?q=1"))["order year"]) == ["2019"]
    assert listed(viewer, order_date__year="2019") == ["services/1"]
    assert listed(viewer, order_date__lte="2018-12-31") == []


def test_years_on_offer_are_those_that_occur(viewer: Client) -> None:
    for number, year in enumerate((1, 2018, 2019, 9999), 1):
        make_order(number, order_date=datetime(year, 5, 5, tzinfo=UTC))
    assert list(side_bar(see(viewer))["order year"]) == ["9999", "2019", "2018", "0001"]
    assert list(side_bar(see(viewer, "?q=7"))["order year"]) == ["9999", "2019", "2018", "0001"]
    assert listed(viewer, order_date__year="0001") == ["services/1"]


def test_a_click_adds_a_value_or_takes_it_away(viewer: Client) -> None:
    make_shop()
    bar = side_bar(see(viewer, "?website=VVBE&o=1&p=1"))
    assert query(bar["website"]["VVNL"][1]) == {"website__in": ["VVBE,VVNL"], "o": ["1"]}
    assert query(bar["website"]["✓ VVBE"][1]) == {"o": ["1"]}
    assert query(bar["payment status"]["missing"][1]) == {
        "website": ["VVBE"],
        "payment_status__isnull": ["true"],
        "o": ["1"],
    }


def test_short_forms_are_written_out(viewer: Client) -> None:
    make_shop()
    response = viewer.get(
        f"{ORDERS}?year=2018&payment_status=(missing)&order_date__gte=&website=VVBE&from=2018-01-02&to=2018-02-03"
    )
    assert query(response.headers["Location"]) == {
        "order_date__year": ["2018"],
        "payment_status__isnull": ["true"],
        "website": ["VVBE"],
        "order_date__gte": ["2018-01-02"],
        "order_date__lte": ["2018-02-03"],
    }
    assert "Given 2 times" in said(see(viewer, "?from=2018-01-01&order_date__gte=2018-01-02"))


@pytest.mark.parametrize("term", ["4", "1004", "2000004", "3000004", " 4 ", "services/4"])
def test_the_search_finds_an_order_by_any_of_its_ids(viewer: Client, term: str) -> None:
    make_orders(3)
    make_order(4, product_id=99)
    assert listed(viewer, q=term) == ["services/4"]
    assert listed(viewer, q=term, website="VVNL") == ["services/4"]
    assert listed(viewer, q=term, website="VVBE") == []


def test_the_search_says_what_it_cannot_read(viewer: Client) -> None:
    make_orders(2)
    for term in ("VVNL", "a b/1", "services/x", "1e5"):
        page = see(viewer, q=term)
        assert "The search: '" in said(page)
        assert "is neither a number nor an order like services/20771583" in said(page)
        assert names_on(page) == []
        assert "nothing to export" in text_of(page)
    assert listed(viewer, q="nowhere/1") == []
    assert "No order can meet both" in said(see(viewer, q="services/1", source="avdd"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"webiste": "VVNL"}, "webiste: Unknown parameter. Did you mean 'website'?"),
        ({"order_date__year": "x"}, "order_date__year: 'x' is not a year"),
        ({"order_status": "?"}, "order_status: "),
        ({"as_of": "2018-01-01"}, "as_of: Unknown parameter."),
        ({"website": "A", "website__ne": "A"}, "No order can meet both"),
        ({"quality": "bad"}, "quality: 'bad' is not one of"),
        ({"key": "1000000000001"}, "key: Unknown parameter."),
        ({"change__actor": "nightly"}, "change__actor: Unknown"),
    ],
)
def test_a_filter_that_cannot_be_read_finds_nothing_and_says_why(
    viewer: Client, asked: dict[str, str], told: str
) -> None:
    make_orders(2)
    page = see(viewer, **asked)
    assert told in said(page)
    assert names_on(page) == []


def test_filters_in_force_stand_above_the_list_each_with_its_way_out(viewer: Client) -> None:
    make_orders(3)
    page = read_page(
        see(viewer, "?customer_id=1002&website=VVNL&q=2&or=(order_id=2)&or=(order_id__lt=9)&order_date__gte=2018-01-01")
    )
    chips = page.one("ul", class_="chips").all("a")
    assert [chip.text.removesuffix(AWAY) for chip in chips] == [
        "customer id 1002",
        "website VVNL",
        "search 2",
        "or (order_id=2)",
        "or (order_id__lt=9)",
        "order date from 2018-01-01",
        "Take away all filters",
    ]
    assert query(chips[0].get("href"))["website"] == ["VVNL"]
    assert query(chips[3].get("href"))["or"] == ["(order_id__lt=9)"]
    assert chips[-1].get("href") == "?"
    kept = [(one.get("name"), one.get("value")) for one in page.one("form", id="changelist-search").all("input")]
    assert kept.count(("or", "(order_id=2)")) == 1, "the search keeps every filter"
    assert ("or", "(order_id__lt=9)") in kept


def test_values_from_the_address_are_shown_as_what_they_are(viewer: Client) -> None:
    page = see(viewer, corrected_by="<b>\u202eana", website="<script>")
    assert "<b>" not in page
    assert "\u202e" not in text_of(page)
    assert "\\u202eana" in page


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_checks_of_quality_are_filters(viewer: Client, check: Any) -> None:
    make_orders(2)
    assert check.name.replace("_", " ") in side_bar(see(viewer))["quality check"]
    assert listed(viewer, quality=check.name) == []


def test_orders_put_right_are_found_by_how_and_by_whom(viewer: Client) -> None:
    make_orders(4)
    make_order(5, voucher_status="EXPRIED")
    correct(Order.objects.get(order_id=2), "website", "VVBE", actor="viewer", reason="so")
    correct(Order.objects.get(order_id=3), "website", "VVBE", actor="ben", reason="so")
    rules.switch_on(ValueRule.objects.get(), actor="ana")
    choices = side_bar(see(viewer))["values set right"]
    there = {text: names_on(see(viewer, url)) for text, (_, url) in choices.items()}
    assert there == {
        "by a rule or by hand": ["services/5", "services/3", "services/2"],
        "corrected by hand": ["services/3", "services/2"],
        "corrected by me": ["services/2"],
    }
    others = side_bar(see(viewer, corrected_by="ben"))["values set right"]
    assert query(others["corrected by hand"][1]) == {"has_correction": ["true"]}
    assert query(others["✓ corrected by ben"][1]) == {}


def test_days_are_whole(viewer: Client) -> None:
    make_orders(50)
    assert len(listed(viewer, order_date__gte="2018-01-02", order_date__lte="2018-01-02")) == 24
    page = read_page(see(viewer, "?order_date__gte=2018-01-02&website=VVNL"))
    form = page.one("form", class_="dates")
    given = {one.get("name"): one.get("value") for one in form.all("input")}
    assert given == {"website": "VVNL", "order_date__gte": "2018-01-02", "order_date__lte": ""}


def test_removed_orders_can_be_chosen(viewer: Client) -> None:
    make_order(1)
    make_order(9_000, removed=True)
    assert listed(viewer) == ["services/1"]
    assert listed(viewer, removed="true") == ["services/9000"]
    assert listed(viewer, removed="any", order_date__year="2019") == ["services/9000"]


def test_the_list_never_counts_without_a_bound(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 60)
    make_orders(70)
    for asked in ({}, {"website": "VVNL"}, {"q": "1"}, {"customer_id__gt": "1"}, {"p": "2"}, {"all": "1"}):
        with CaptureQueriesContext(connection) as queries:
            page = see(viewer, **asked)
        counts = [q["sql"] for q in queries if "COUNT(" in q["sql"] and 'FROM "catalog_order"' in q["sql"]]
        by_hand = bool(asked.keys() & {"q", "customer_id__gt"})
        assert bool(counts) == by_hand, asked
        assert all("LIMIT 61" in sql for sql in counts), counts
        assert len(names_on(page)) <= 50
    assert "The first 60 of 70 orders" in text_of(see(viewer))
    assert "The first 60 orders of many more" in text_of(see(viewer, customer_id__gt="1"))
    assert found(see(viewer, customer_id__gt="1")) == "more than 60 orders"


def test_orders_that_came_since_they_were_counted_do_not_make_the_page_endless(viewer: Client) -> None:
    make_orders(2)
    see(viewer)
    source, change = Order.objects.values_list("source", "change_id")[0]
    Order.objects.all().delete()
    make_orders(60)
    assert Order.objects.values_list("source", "change_id")[0] == (source, change)
    assert len(listed(viewer)) == 50


@pytest.mark.parametrize("asked", ["", "?website=VVNL&order_status=PAID&order_date__gte=2018-01-01", "?q=1"])
def test_a_page_takes_a_bounded_number_of_queries(viewer: Client, asked: str) -> None:
    make_shop()
    see(viewer, asked)
    with CaptureQueriesContext(connection) as few:
        see(viewer, asked)
    make_orders_more()
    with CaptureQueriesContext(connection) as many:
        see(viewer, asked)
    assert len(many) <= len(few) + 5, "the summary is read again"
    assert len(many) <= 20


def make_orders_more() -> None:
    """Many more orders, by another change."""
    change = make_change()
    for number in range(100, 130):
        make_order(number, change=change, website=f"W{number}")


def test_nothing_is_looked_for_where_the_summary_has_nothing(viewer: Client) -> None:
    make_shop()
    with CaptureQueriesContext(connection) as queries:
        assert listed(viewer, website="SJSNL", order_status="CANCELED") == []
    assert not [q for q in queries if 'FROM "catalog_order"' in q["sql"]]


def test_the_pages_are_for_whoever_may_look_at_orders() -> None:
    nobody = client_of("nobody")
    for path in ("", "saved/"):
        assert nobody.get(f"{ORDERS}{path}").status_code == 403
    for path in ("saved/save/", "saved/1/rename/", "saved/1/delete/", "columns/"):
        assert nobody.post(f"{ORDERS}{path}", {"name": "x"}).status_code == 403
    assert nobody.get("/admin/quality/").status_code == 403
    assert get(client_of("viewer", "ana"), "/admin/quality/")
