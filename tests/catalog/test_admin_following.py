"""From an order back to the list it was opened from, and on to the next order of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.test import Client

from catalog.models import Order
from tests.admin_side import client_of, fields_of, get
from tests.factories import make_order
from tests.pages import read_page

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/order/?website=VVBE&or=(order_id=1,order_id=2)&or=(order_id=1,order_id=3,order_id=2)"


def address(number: int, filters: str) -> str:
    return f"/admin/catalog/order/services/{number}/change/?_changelist_filters={quote(filters, safe='')}"


def following(page: str) -> str:
    """The order to which the page leads on."""
    links = [link.get("href") for link in read_page(page).all("a") if link.text == "Next of this list"]
    return re.findall(r"services/\d+", links[0])[0] if links else ""


def back(page: str) -> str:
    return read_page(page).one("div", class_="breadcrumbs").all("a")[-1].get("href")


@pytest.fixture
def steward() -> Client:
    for number in (1, 2, 3):
        make_order(number, website="VVBE", order_date=datetime(2018, 1, number, tzinfo=UTC))
    make_order(4, website="VVNL", order_date=datetime(2018, 1, 2, 12, tzinfo=UTC))
    return client_of("steward")


def test_the_way_back_keeps_every_filter_also_after_saving(steward: Client) -> None:
    filters = LIST.partition("?")[2]
    page = get(steward, address(2, filters))
    assert back(page) == LIST

    fields = fields_of(page, "seen") | {"order_status": "SHIPPED", "reason": "by phone"}
    saved = steward.post(address(2, filters), fields, follow=True)

    assert Order.objects.get(order_id=2).order_status == "SHIPPED"
    assert back(saved.content.decode()) == LIST


def test_on_to_the_next_of_the_list(steward: Client) -> None:
    assert following(get(steward, address(3, "website=VVBE"))) == "services/2", "the newest first"
    assert following(get(steward, address(2, "website=VVBE"))) == "services/1"
    assert following(get(steward, address(1, "website=VVBE"))) == "", "the last"
    assert following(get(steward, address(4, "website=VVBE"))) == "services/3", "no longer in it: its first"
    assert following(get(steward, address(2, "q=3"))) == "services/3"


@pytest.mark.parametrize(
    "filters", ["", "website=NONE", "webiste=VVBE", "q=nonsense", "website=VVBE&o=6", "corrected_by=\0"]
)
def test_no_next_where_there_is_none_to_tell(steward: Client, filters: str) -> None:
    assert following(get(steward, address(2, filters))) == ""
