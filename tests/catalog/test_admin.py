"""The admin's pages of the catalogue, as staff see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import DjangoAssertNumQueries

from catalog.read_only import BoundedPaginator
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


@pytest.mark.parametrize("term", ["4", "1004", "2000004", "3000004", " 4 ", "services/4"])
def test_the_search_finds_an_order_by_any_of_its_ids(staff: Client, term: str) -> None:
    make_orders(3)
    make_order(4, product_id=99)
    assert listed(staff, q=term) == ["services/4"]


def test_the_search_says_what_it_cannot_read(staff: Client) -> None:
    make_orders(2)
    assert "is neither a number nor an order like services/20771583" in page(staff, ORDERS, q="VVNL")
    assert listed(staff, q="VVNL") == []
    assert listed(staff, q="nowhere/1") == []


def test_filters_offer_the_known_values_and_never_read_the_orders_for_them(staff: Client) -> None:
    make_order(1, website="VVNL")
    make_order(2, website="VVBE", payment_status=None)
    make_known_value("website", "VVBE")
    make_known_value("payment_status", "PAID")
    with CaptureQueriesContext(connection) as queries:
        text = page(staff, ORDERS)
    assert "?website=VVBE" in text
    assert "?website=VVNL" not in text, "not among the known values"
    assert not [q for q in queries if "DISTINCT" in q["sql"]]
    assert listed(staff, website="VVBE") == ["services/2"]
    assert listed(staff, payment_status="(missing)") == ["services/2"]


def test_a_filter_is_never_ignored(staff: Client) -> None:
    """Not even one with a value that it does not offer."""
    make_order(1, website="VVNL")
    for query in ({"website": "VVBE"}, {"year": "1999"}, {"year": "x"}, {"order_status": "?"}):
        assert listed(staff, **query) == [], query
    assert listed(staff, website="VVNL") == ["services/1"]


def test_years_and_removed_orders_can_be_chosen(staff: Client) -> None:
    make_order(1)
    make_order(9_000, removed=True)
    text = page(staff, ORDERS)
    assert "?year=2018" in text
    assert "?year=2019" in text
    assert listed(staff) == ["services/1"]
    assert listed(staff, removed="true") == ["services/9000"]
    assert listed(staff, removed="any", year="2019") == ["services/9000"]
    assert listed(staff, year="2018") == ["services/1"]


def test_the_list_never_counts_without_a_bound(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 60)
    make_orders(70)
    for query in ({}, {"website": "VVNL"}, {"q": "1"}, {"p": "2"}, {"all": "1"}):
        with CaptureQueriesContext(connection) as queries:
            text = page(staff, ORDERS, **query)
        counts = [q["sql"] for q in queries if "COUNT(" in q["sql"] and "catalog_order" in q["sql"]]
        assert counts
        assert all("LIMIT 61" in sql for sql in counts), counts
    assert "The first 60 orders of many more" in text


def test_the_list_takes_as_many_queries_for_one_order_as_for_many(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_order(100)
    with CaptureQueriesContext(connection) as few:
        page(staff, ORDERS)
    make_orders(40)
    with django_assert_num_queries(len(few)):
        page(staff, ORDERS)


def test_columns_without_an_index_cannot_be_sorted_by(staff: Client) -> None:
    make_order(1, website="VVNL")
    make_order(2, website="AAA")
    assert listed(staff, o="-2") == ["services/2", "services/1"], "by website: as without"
    assert listed(staff, o="2") == ["services/2", "services/1"], "by website: as without"
    assert listed(staff, o="1") == ["services/1", "services/2"], "by order date"


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


def test_years_on_offer_are_those_that_occur_and_not_too_many(staff: Client) -> None:
    for number, year in enumerate((1, 2018, 2019, 9999), 1):
        make_order(number, order_date=datetime(year, 5, 5, tzinfo=UTC))
    text = staff.get(ORDERS).content.decode()
    assert re.findall(r"\?year=(\d+)", text) == ["9999", "2019", "2018", "1"]


def test_a_filter_that_does_not_exist_is_not_passed_over_in_silence(staff: Client) -> None:
    make_order(1)
    text = staff.get(ORDERS, {"webiste": "VVNL"}, follow=True).content.decode()
    assert "asked for a filter or page that does not exist" in text
