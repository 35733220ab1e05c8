"""The admin's list of orders as tests look at it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from catalog.admin_counts import _cells
from tests.admin_side import client_of
from tests.factories import make_order, make_orders
from tests.pages import Element, read_page

ORDERS = "/admin/catalog/order/"


@pytest.fixture
def viewer(db: None) -> Client:
    """The browser of somebody who may look at everything; nothing of other tests is remembered."""
    _cells.clear()
    return client_of("viewer")


def listed(client: Client, **asked: Any) -> list[str]:
    """The orders on a page of the list, from top to bottom."""
    return names_on(see(client, **asked))


def names_on(page: str) -> list[str]:
    return re.findall(r'field-natural_key"><a href="[^"]*">([^<]*)</a>', page)


def see(client: Client, address: str = "", **asked: Any) -> str:
    """The page at an address of the list, redirections followed."""
    response = client.get(f"{ORDERS}{address}", asked or None, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def side_bar(page: str) -> dict[str, dict[str, tuple[str, str]]]:
    """The choices beside the list: by title and text, the number and the address."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for section in read_page(page).one("nav", id="changelist-filter").all("details"):
        if title := section.get("data-filter-title"):
            found[title] = {choice.one("a").text: facts(choice) for choice in section.all("li", class_="choice")}
    return found


def facts(choice: Element) -> tuple[str, str]:
    """The number beside a choice, and where it leads."""
    numbers = choice.all("span", class_="count")
    return numbers[0].text if numbers else "", choice.one("a").get("href")


def found(page: str) -> str:
    """How many orders the list says that it finds."""
    return read_page(page).one("p", class_="found").text


def make_shop() -> None:
    """Orders of two sources, three websites, three years, with missing and removed ones among them."""
    make_orders(3)
    make_order(11, website="VVBE", order_status="CANCELED", payment_status="REFUNDED", voucher_status="EXPIRED")
    make_order(12, website="VVBE", payment_status=None, order_date=datetime(2019, 5, 1, 12, tzinfo=UTC))
    make_order(13, source="avdd", website="SJSNL", order_date=datetime(2020, 5, 1, 12, tzinfo=UTC), voucher_status=None)
    make_order(14, website="VVNL", removed=True)
    make_order(15, customer_id=7, order_status="CANCELED", payment_id=None)


def heads(page: str) -> list[str]:
    """The columns of the list."""
    table = read_page(page).one("table", id="result_list")
    return [head.text for head in table.all("th", scope="col") if "action-checkbox-column" not in head.get("class")]


def files(page: str) -> Iterator[tuple[str, str]]:
    """The files on offer: what each is called, and its address."""
    for table in read_page(page).all("table", class_="files"):
        yield from ((link.text, link.get("href")) for link in table.all("a"))


def exported(client: Client, url: str) -> list[dict[str, str]]:
    """The rows of a file of CSV."""
    response = client.get(url)
    assert response.status_code == 200, response.content
    return list(csv.DictReader(StringIO(b"".join(response).decode())))
