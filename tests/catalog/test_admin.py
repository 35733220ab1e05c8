"""The admin's pages of the catalogue, as staff see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.factories import (
    make_known_value,
    make_order,
    make_orders,
    make_user,
)

pytestmark = pytest.mark.django_db

ORDERS = "/admin/catalog/order/"


@pytest.fixture
def staff(client: Client) -> Client:
    """A member of staff who may look at orders and runs, and nothing else."""
    client.force_login(make_user(staff=True, permissions=("view_order", "view_run")))
    return client


def page(client: Client, path: str, **query: Any) -> str:
    """The text of a page that must be there."""
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code, response.headers.get("Location"))
    return response.content.decode()


def listed(client: Client, **query: Any) -> list[str]:
    """The orders on a page of the list, from top to bottom."""
    return re.findall(r'field-natural_key"><a href="[^"]*">([^<]*)</a>', page(client, ORDERS, **query))


def test_the_list_links_to_orders_by_their_natural_key(staff: Client) -> None:
    order = make_order(20771583)
    text = page(staff, ORDERS)
    assert f'href="{ORDERS}services/20771583/change/' in text
    assert str(order.key) not in text


@pytest.mark.parametrize("source", ["services", "a_b", "5F_5F", "_2F", "a-b"])
def test_a_link_leads_to_its_order_whatever_the_source_is_called(staff: Client, source: str) -> None:
    make_order(7, source=source)
    link = re.search(rf'href="({ORDERS}[^"?]*/change/)', page(staff, ORDERS))
    assert link
    assert f"<h2>{source}/7</h2>" in page(staff, link[1])


def test_newest_first(staff: Client) -> None:
    make_orders(3)
    assert listed(staff) == ["services/3", "services/2", "services/1"]


@pytest.mark.parametrize("name", ["services/6", "services/x", "1000000000005", "nowhere/5", "5"])
def test_what_names_no_order_leads_back_with_a_message(staff: Client, name: str) -> None:
    make_order(5)
    response = staff.get(f"{ORDERS}{name}/change/", follow=True)
    assert response.redirect_chain == [(ORDERS, 302)]
    assert f"There is no order &#x27;{name}&#x27;." in response.content.decode()


def test_the_history_page_of_the_admin_leads_to_the_order(staff: Client) -> None:
    make_order(5)
    response = staff.get(f"{ORDERS}services/5/history/")
    assert response.headers["Location"] == f"{ORDERS}services/5/change/"


@pytest.mark.parametrize("path", ["add/", "services/5/delete/"])
def test_nothing_can_be_added_or_deleted_even_by_a_superuser(admin_client: Client, path: str) -> None:
    make_order(5)
    assert admin_client.get(f"{ORDERS}{path}").status_code == 403
    assert admin_client.post(f"{ORDERS}{path}", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["source", "change", "knownvalue"])
def test_the_other_tables_can_be_looked_at(admin_client: Client, model: str) -> None:
    make_order(5)
    make_known_value("website", "VVNL")
    text = page(admin_client, f"/admin/catalog/{model}/")
    link = re.search(rf'href="(/admin/catalog/{model}/\d+/change/)', text)
    assert link
    assert 'name="_save"' not in page(admin_client, link[1])


def test_staff_see_what_they_may(staff: Client) -> None:
    index = page(staff, "/admin/")
    assert "/admin/catalog/order/" in index
    assert "/admin/catalog/source/" not in index
    assert staff.get("/admin/catalog/source/").status_code == 403
    assert "Order catalogue" in index


def test_others_see_nothing(client: Client) -> None:
    client.force_login(make_user("ben"))
    assert client.get(ORDERS).status_code == 302
