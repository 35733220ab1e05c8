"""The API's orders: what is shown, to whom, and what errors look like."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.contract import NAMES
from catalog.models import Order
from tests.factories import make_change, make_order, make_orders, make_run, make_user
from tests.read_side import ORDERS, api, numbers

__all__ = ["api"]

pytestmark = pytest.mark.django_db


def test_an_order_has_the_contracts_fields_in_order_then_where_it_comes_from(api: APIClient) -> None:
    run = make_run()
    order = make_order(20771583, change=run.change, payment_id=None, payment_date=None)
    shown = api.get(f"{ORDERS}services/20771583/").json()
    assert tuple(shown) == (*NAMES, "source_values", "url", "removed", "run", "line", "since")
    assert shown["url"] == "http://testserver/api/v1/orders/services/20771583/"
    assert shown["order_date"] == order.order_date.isoformat().replace("+00:00", "Z")
    assert (shown["payment_id"], shown["payment_date"], shown["removed"]) == (None, None, False)
    assert (shown["run"], shown["line"]) == (run.pk, order.line)
    assert str(order.key) not in api.get(ORDERS).content.decode()


def test_list_and_detail_show_an_order_alike(api: APIClient) -> None:
    make_order(5)
    assert api.get(ORDERS).json()["results"] == [api.get(f"{ORDERS}services/5/").json()]


def test_sources_may_use_the_same_number(api: APIClient) -> None:
    make_order(5, source="services", website="VVNL")
    make_order(5, source="avdd", website="AVDD-NL")
    assert api.get(f"{ORDERS}avdd/5/").json()["website"] == "AVDD-NL"
    assert api.get(f"{ORDERS}services/5/").json()["website"] == "VVNL"


def test_a_change_without_a_run_is_shown(api: APIClient) -> None:
    make_order(5, change=make_change())
    assert api.get(f"{ORDERS}services/5/").json()["run"] is None
    assert api.get(ORDERS).json()["results"][0]["run"] is None


def test_removed_orders_are_listed_on_request_only(api: APIClient) -> None:
    make_order(1)
    make_order(2, removed=True)
    assert numbers(api) == [1]
    assert numbers(api, removed="true") == [2]
    assert numbers(api, removed="any") == [1, 2]
    assert api.get(f"{ORDERS}services/2/").json()["removed"] is True


@pytest.mark.parametrize("place", ["services/2", "nowhere/1", "services/x", "services/1e5", "ser vices/1", "a%00b/1"])
def test_an_order_that_does_not_exist_is_404_in_json(api: APIClient, place: str) -> None:
    make_order(1)
    response = api.get(f"{ORDERS}{place}/")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert response.json()["detail"]


def test_an_address_without_meaning_is_404_in_json(api: APIClient) -> None:
    response = api.get("/api/v1/ordesr/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_root_lists_what_there_is(api: APIClient) -> None:
    starts = {name: f"{ORDERS}{name}/" for name in ("facets", "aggregate", "histogram", "export")}
    starts |= {
        name: f"/api/v1/{name}/" for name in ("orders", "websites", "quality", "conflicts", "rules", "runs", "schema")
    }
    assert api.get("/api/v1/").json() == {name: f"http://testserver{path}" for name, path in starts.items()}


@pytest.mark.parametrize("path", ["/api/v1/", ORDERS, f"{ORDERS}services/1/", "/api/v1/runs/"])
def test_reading_needs_a_user(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"
    assert response.json()["code"] == "not_authenticated"


def test_anyone_may_read_where_the_setting_says_so(client: Client, settings: Any) -> None:
    settings.API_ANONYMOUS_READ = True
    assert client.get(ORDERS).status_code == 200
    assert client.post(ORDERS, {}).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(api: APIClient, method: str) -> None:
    make_order(1)
    response = getattr(api, method)(f"{ORDERS}services/1/", {})
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert Order.objects.count() == 1


def test_an_outage_of_the_database_is_503(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("catalog.api.pagination.fetch", fail)
    response = api.get(ORDERS)
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert "gone" not in response.content.decode()


def test_an_outage_that_the_session_notices_is_503_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make_user())
    client.raise_request_exception = False

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    response = client.get(ORDERS)
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")


def test_a_fault_of_our_own_is_500_in_json(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("catalog.api.pagination.fetch", fail)
    response = api.get(ORDERS)
    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert "secret" not in response.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_page(api: APIClient) -> None:
    for number in range(1, 31):
        make_order(number, change=make_run().change)
    taken = []
    for size in (2, 25):
        with CaptureQueriesContext(connection) as queries:
            assert len(api.get(ORDERS, {"page_size": size}).json()["results"]) == size
        taken.append(len(queries))
    assert taken == [3, 1], "which summary can count, the count, and the page with the version of the catalogue"


@pytest.mark.parametrize(
    "path", [ORDERS, f"{ORDERS}services/1/", f"{ORDERS}?websit=1", "/api/v1/", f"{ORDERS}services/9/"]
)
def test_the_browsable_api_stands_on_every_page(client: Client, path: str) -> None:
    make_orders(60)
    client.force_login(make_user())
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"Order catalogue" in response.content
