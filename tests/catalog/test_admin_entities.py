"""The admin's pages of a customer and of a product."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import entities, quality, rules, tallies
from catalog.corrections import correct
from catalog.entity_chart import MOST_BARS, spread
from catalog.models import Order, ValueRule
from catalog.standing_out import is_unusual
from tests.admin_side import client_of, get, said, text_of
from tests.factories import START, make_order, make_orders, make_user
from tests.pages import Element, read_page

pytestmark = pytest.mark.django_db

CUSTOMER = "/admin/catalog/customer/services/7/"
PRODUCT = "/admin/catalog/product/services/5/"


@pytest.fixture
def viewer() -> Client:
    return client_of("viewer")


def see(viewer: Client, path: str) -> Element:
    """A page, every element of it closed."""
    response = viewer.get(path)
    assert response.status_code == 200, response.headers.get("Location")
    return read_page(response.content)


def standing_out(page: Element) -> list[str]:
    return [item.text for found in page.all("ul", class_="remarks") for item in found.all("li")]


def totals(page: Element) -> dict[str, dict[str, int]]:
    """The tables of totals: column → value → number."""
    tables = page.one("div", class_="totals").all("table")
    return {
        table.all("th")[0].text: {
            row.one("th").text: int(row.all("td")[0].text) for row in table.one("tbody").all("tr")
        }
        for table in tables
    }


def listed(viewer: Client, address: str) -> list[str]:
    """The orders in the list to which a link leads."""
    page = get(viewer, unescape(address))
    assert "a filter or page that does not exist" not in page
    return re.findall(r'<th class="field-natural_key">.*?>([^<]+)</a>', page)


def bars(page: Element) -> dict[str, tuple[int, str]]:
    """What the picture counts: period and status → number, and where it leads."""
    [table] = page.one("figure").all("table")
    statuses = [head.text for head in table.one("thead").all("th")]
    return {
        f"{row.one('th').text} {status}": (int(cell.text), cell.one("a").get("href"))
        for row in table.one("tbody").all("tr")
        for status, cell in zip(statuses, row.all("td"), strict=True)
        if cell.text
    }


def several_orders() -> None:
    """Twelve orders of one customer over two years, one of them canceled, and one of another source's customer."""
    for number in range(1, 13):
        when = START + timedelta(days=60 * number)
        make_order(number, customer_id=7, product_id=5 + number % 2, order_date=when, payment_date=when)
    Order.objects.filter(order_id=12).update(order_status="CANCELED", payment_status="REFUNDED", website="VVBE")
    make_order(1, source="avdd", customer_id=7, product_id=5)
    tallies.rebuild()


def test_a_customer_at_a_glance(viewer: Client) -> None:
    several_orders()
    page = see(viewer, CUSTOMER)
    cards = [card.text for card in page.all("div", class_="figure-card")]
    assert cards == ["orders12", "products2", "first order2018-03-02", "last order2019-12-22"]
    assert totals(page) == {
        "website": {"VVNL": 11, "VVBE": 1},
        "order_status": {"PAID": 11, "CANCELED": 1},
        "voucher_status": {"USED": 12},
        "payment_status": {"PAID": 11, "REFUNDED": 1},
    }
    latest = [row.one("th").text for row in page.one("table", class_="latest").one("tbody").all("tr")]
    assert latest == [f"services/{number}" for number in range(12, 0, -1)]
    assert page.one("a", class_="viewsitelink").get("href") == "/api/v1/customers/services/7/"


def test_every_number_leads_to_its_orders(viewer: Client) -> None:
    several_orders()
    page = see(viewer, CUSTOMER)
    drawn = bars(page)
    assert sum(number for number, _ in drawn.values()) == 12
    assert drawn["2019-12 CANCELED"][0] == 1
    for number, address in drawn.values():
        assert len(listed(viewer, address)) == number
    links = [(row.one("a").get("href"), int(row.all("td")[0].text)) for row in total_rows(page)]
    assert len(links) == 7
    for address, number in links:
        assert len(listed(viewer, address)) == number


def total_rows(page: Element) -> list[Element]:
    return [row for table in page.one("div", class_="totals").all("table") for row in table.one("tbody").all("tr")]


def test_missing_values_lead_to_their_orders_too(viewer: Client) -> None:
    make_order(1, customer_id=7, voucher_status=None, voucher_id=None)
    make_order(2, customer_id=7)
    page = see(viewer, CUSTOMER)
    assert totals(page)["voucher_status"] == {"USED": 1, "(missing)": 1}
    [address] = [row.one("a").get("href") for row in total_rows(page) if row.one("th").text == "(missing)"]
    assert listed(viewer, address) == ["services/1"]


def test_a_product_of_one_source_is_not_that_of_another(viewer: Client) -> None:
    several_orders()
    page = see(viewer, PRODUCT)
    assert [card.text for card in page.all("div", class_="figure-card")][:2] == ["orders6", "customers1"]
    other = see(viewer, "/admin/catalog/product/avdd/5/")
    assert [card.text for card in other.all("div", class_="figure-card")][:2] == ["orders1", "customers1"]
    customers = {
        link.get("href") for link in page.one("table", class_="latest").all("a") if "customer" in link.get("href")
    }
    assert customers == {CUSTOMER}


def test_what_stands_out_is_said_with_numbers(viewer: Client) -> None:
    make_orders(100)
    Order.objects.filter(order_id__lte=12).update(customer_id=7)
    Order.objects.filter(order_id__lte=5).update(order_status="CANCELED", payment_status="REFUNDED")
    Order.objects.filter(order_id__in=(11, 12)).update(order_date=datetime(2942, 1, 1, tzinfo=UTC), payment_date=None)
    Order.objects.filter(order_id=10).update(removed=True)
    tallies.rebuild()
    correct(Order.objects.get(order_id=9), "website", "VVBE", actor="ana", reason="so")

    said = standing_out(see(viewer, CUSTOMER))

    assert said[0].startswith(
        "2 orders are suspect: The order is dated later than the moment at which its values came into the catalogue."
    )
    assert "List of these orders" in said[0]
    assert "services/12 of 2942-01-01, services/11 of 2942-01-01" in said[0]
    assert "5 of 11 orders (45.5%) have order_status CANCELED; of all orders it is 5.1%." in said[1]
    assert "5 of 11 orders (45.5%) have payment_status REFUNDED; of all orders it is 5.1%." in said[2]
    assert said[3].startswith("On 2 days there are several orders: 9 on 2018-01-01, 2 on 2942-01-01.")
    assert said[4].startswith("1 order shows something else than the source says, by hand: website 1.")
    assert said[5].startswith("1 order is removed, as a full snapshot no longer had it; not counted here.")
    assert len(said) == 6


def test_the_lists_of_what_stands_out(viewer: Client) -> None:
    make_order(1, customer_id=7, order_date=datetime(2942, 1, 1, tzinfo=UTC), payment_date=None)
    make_order(2, customer_id=7, order_date=datetime(2942, 1, 1, tzinfo=UTC), payment_date=None, removed=True)
    make_order(3, customer_id=7, overlaid=1, source_customer_id=8)
    quality.rebuild()
    tallies.rebuild()
    page = see(viewer, CUSTOMER)
    links = [link.get("href") for link in page.one("ul", class_="remarks").all("a") if link.text.startswith("List")]
    assert [listed(viewer, link) for link in links] == [["services/1"], ["services/3"], ["services/2"]]


def test_the_list_of_orders_leads_to_customers_and_products(viewer: Client) -> None:
    make_order(1, customer_id=7, product_id=5)
    page = get(viewer, "/admin/catalog/order/?columns=customer_id,product_id")
    assert f'<a href="{CUSTOMER}">7</a>' in page
    assert f'<a href="{PRODUCT}">5</a>' in page


def test_what_rules_and_what_people_have_set_right(viewer: Client) -> None:
    for number in (1, 2):
        make_order(number, customer_id=7, voucher_status="EXPRIED")
    rules.switch_on(ValueRule.objects.get(), actor="ana")
    assert "than the source says, by a rule: voucher_status 2." in standing_out(see(viewer, CUSTOMER))[-1]
    correct(Order.objects.get(order_id=1), "website", "VVBE", actor="ana", reason="so")
    assert "says, 1 of them by hand: voucher_status 2, website 1." in standing_out(see(viewer, CUSTOMER))[-1]


def test_nothing_stands_out(viewer: Client) -> None:
    make_order(1, customer_id=7)
    page = see(viewer, CUSTOMER)
    assert standing_out(page) == []
    assert "Nothing: no suspect order" in page.text


@pytest.mark.parametrize(
    ("number", "total", "share", "unusual"),
    [(1, 1, 0.01, False), (2, 2, 0.05, True), (3, 20, 0.05, False), (15, 100, 0.05, True), (9, 10, 0.9, False)],
)
def test_what_is_unusual(number: int, total: int, share: float, unusual: bool) -> None:
    assert is_unusual(number, total, share) is unusual


@pytest.mark.parametrize(
    ("days", "unit", "bars"),
    [
        ([date(2018, 1, 9)], "month", 8),
        ([date(2018, 1, 9), date(2019, 4, 1)], "month", 16),
        ([date(2017, 1, 9), date(2017, 2, 1), date(2042, 12, 1)], "month", 8),
        ([date(year, month, 1) for year in range(2010, 2020) for month in range(1, 13)], "year", 10),
        ([date(1, 3, 1), date(9999, 12, 31)], "month", 5),
        ([date(year, 1, 1) for year in range(1, 9999, 7)], "year", 9997),
        ([], "month", 0),
    ],
)
def test_bars_are_few_and_leave_no_order_out(days: list[date], unit: str, bars: int) -> None:
    found, drawn = spread(days)
    assert (found, len(drawn)) == (unit, bars)
    assert {day.replace(day=1) if unit == "month" else date(day.year, 1, 1) for day in days} <= {*drawn}


def test_a_picture_of_many_years_leaves_out_the_oldest_and_says_so(viewer: Client) -> None:
    for number in range(1, MOST_BARS + 4):
        make_order(number, customer_id=7, order_date=datetime(1900 + number, 5, 5, tzinfo=UTC))
    page = see(viewer, CUSTOMER)
    assert len(bars(page)) == MOST_BARS
    assert "3 orders from before the first bar are not drawn." in page.text


def test_of_many_statuses_the_rarest_are_put_together(viewer: Client) -> None:
    for number in range(1, 12):
        make_order(number, customer_id=7, order_status=f"S{number:02}")
    page = see(viewer, CUSTOMER)
    [table] = page.one("figure").all("table")
    assert [head.text for head in table.one("thead").all("th")] == [*(f"S{n:02}" for n in range(1, 8)), "others"]
    assert [cell.text for cell in table.one("tbody").all("td")][-8:] == [*("1" * 7), "4"]


def test_of_very_many_orders_the_newest_are_shown_and_the_page_says_so(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    several_orders()
    monkeypatch.setattr(entities, "MOST", 5)
    monkeypatch.setattr("catalog.admin_entities.MOST", 5)
    # The questions are compiled once, limit included.
    monkeypatch.setattr("catalog.prepared._shapes", {})
    page = see(viewer, CUSTOMER)
    assert "The newest 5 orders are counted and shown here; there are older ones" in page.text
    cards = [card.text for card in page.all("div", class_="figure-card")]
    assert cards == ["orders5 or more", "products2 or more", "first order2018-03-02", "last order2019-12-22"]
    assert sum(number for number, _ in bars(page).values()) == 5


def test_of_very_many_orders_the_newest_may_all_be_removed(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    several_orders()
    monkeypatch.setattr(entities, "MOST", 2)
    monkeypatch.setattr("catalog.prepared._shapes", {})
    newest = Order.objects.filter(customer_id=7).order_by("-order_date", "-key").values_list("pk", flat=True)
    Order.objects.filter(pk__in=list(newest[:2])).update(removed=True)
    cards = [card.text for card in see(viewer, CUSTOMER).all("div", class_="figure-card")]
    assert cards == ["orders1 or more", "products0 or more", "first order2018-03-02", "last order2019-10-23 or before"]

    Order.objects.filter(customer_id=7).update(removed=True)
    cards = [card.text for card in see(viewer, CUSTOMER).all("div", class_="figure-card")]
    assert cards == ["orders0", "products0", "first order-", "last order-"]


def test_the_page_takes_few_queries_however_many_the_orders(viewer: Client) -> None:
    taken = []
    for number in (3, 30):
        Order.objects.all().delete()
        for one in range(1, number + 1):
            make_order(one, customer_id=7, overlaid=1)
        with CaptureQueriesContext(connection) as queries:
            see(viewer, CUSTOMER)
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 10


def test_a_customer_whose_orders_are_all_removed(viewer: Client) -> None:
    make_order(1, customer_id=7, removed=True)
    page = see(viewer, CUSTOMER)
    assert [card.text for card in page.all("div", class_="figure-card")][:3] == ["orders0", "products0", "first order-"]
    assert standing_out(page)[0].startswith("1 order is removed")
    assert "Nothing to show yet." in page.text


@pytest.mark.parametrize(
    "path",
    ["customer/services/99", "customer/nowhere/7", "customer/services/x", "product/services/0", "product/a%00b/5"],
)
def test_what_has_no_order_is_told(viewer: Client, path: str) -> None:
    several_orders()
    page = viewer.get(f"/admin/catalog/{path}/", follow=True).content.decode()
    kind, _, name = path.partition("/")
    assert f"There is no order of {kind} '{name.replace('%00', chr(92) + 'x00')}'." in said(page)
    assert "<h1>Orders</h1>" in page


def test_values_are_no_markup(viewer: Client) -> None:
    make_order(1, customer_id=7, website="<b>x</b>", order_status='"><i>')
    page = get(viewer, CUSTOMER)
    assert "<b>x" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;x" in page
    assert "style=" not in page[page.index('id="content-main"') :]


@pytest.mark.parametrize("path", [CUSTOMER, PRODUCT])
def test_only_who_may_look_at_orders_sees_the_pages(client: Client, path: str) -> None:
    several_orders()
    assert "/admin/login/" in client.get(path).headers["Location"]
    client.force_login(make_user(staff=True, permissions=("view_run",)))
    assert client.get(path).status_code == 403
    permitted = make_user("ben", staff=True, permissions=("view_order",))
    client.force_login(permitted)
    assert text_of(get(client, path))
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200
