"""The menu of the admin: what each of the staff finds there, and where it says they are."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.admin_side import client_of, get
from tests.factories import make_order, make_user
from tests.pages import Element, read_page

pytestmark = pytest.mark.django_db

WORK = ["Today", "Orders", "Conflicts", "Rejects", "Quality", "Runs", "Rules", "Corrections", "Changes"]


def entries(client: Client, address: str = "/admin/") -> list[Element]:
    """What the menu of a page leads to."""
    page = read_page(get(client, address))
    return page.one("nav", id="work").all("a")


def here(client: Client, address: str) -> list[str]:
    """Where the menu says this page is."""
    return [entry.text for entry in entries(client, address) if entry.get("aria-current") == "page"]


@pytest.mark.parametrize("group", ["viewer", "steward", "loader"])
def test_the_staff_find_their_work_and_their_tokens(group: str) -> None:
    client = client_of(group)
    found = entries(client)

    assert [entry.text for entry in found] == [*WORK, "Tokens"]
    for entry in found:
        assert client.get(entry.get("href")).status_code == 200, entry.text


def test_who_may_see_nothing_finds_only_what_is_everybodys() -> None:
    client = Client()
    client.force_login(make_user("ana", staff=True))

    assert [entry.text for entry in entries(client)] == ["Today", "Tokens"]


def test_an_administrator_finds_who_may_do_what() -> None:
    client = Client()
    client.force_login(make_user("ana", staff=True, permissions=("view_user", "view_group")))

    assert [entry.text for entry in entries(client)][-3:] == ["Tokens", "Users", "Groups"]


def test_every_page_says_where_it_is() -> None:
    client = client_of("steward")
    make_order(7, customer_id=3, product_id=5)

    for entry in entries(client):
        assert here(client, entry.get("href")) == [entry.text]
    for address in ("order/services/7/change/", "customer/services/3/", "product/services/5/"):
        assert here(client, f"/admin/catalog/{address}") == ["Orders"], address
    assert here(client, "/admin/ingestion/upload/") == ["Runs"]
