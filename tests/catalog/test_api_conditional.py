"""Answers that need not be sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.api import conditional
from catalog.corrections import correct
from catalog.models import Order
from tests.factories import make_orders, make_user
from tests.read_side import ORDERS, api

__all__ = ["api"]

pytestmark = pytest.mark.django_db

ONE = f"{ORDERS}services/1/"


@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}?website=VVNL&fields=order_id", ONE])
def test_an_answer_holds_until_the_catalogue_changes(api: APIClient, path: str) -> None:
    make_orders(3)
    first = api.get(path)
    known = {"If-None-Match": first.headers["ETag"]}

    with CaptureQueriesContext(connection) as queries:
        again = api.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert not [query["sql"] for query in queries if "catalog_order" in query["sql"]]

    correct(Order.objects.get(order_id=1), "website", "VVBE", actor="ana", reason="invoice")
    changed = api.get(path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_one_tag_among_others_and_strong_or_weak(api: APIClient) -> None:
    make_orders(1)
    tag = api.get(ORDERS).headers["ETag"]
    assert tag.startswith('W/"')
    for known in (f'"other", {tag}', tag.removeprefix("W/"), f'W/"x",{tag},"y"'):
        assert api.get(ORDERS, headers={"If-None-Match": known}).status_code == 304
    for unknown in ("*other*", '"other"', "nonsense", ""):
        assert api.get(ORDERS, headers={"If-None-Match": unknown}).status_code == 200


def test_the_tag_of_one_answer_is_no_other_ones(api: APIClient) -> None:
    make_orders(2)
    tags = {api.get(path).headers["ETag"] for path in (ORDERS, f"{ORDERS}?page_size=1", ONE, f"{ONE}?fields=order_id")}
    assert len(tags) == 4
    assert api.get(ONE, headers={"If-None-Match": api.get(ORDERS).headers["ETag"]}).status_code == 200


def test_what_is_wrong_stays_wrong(api: APIClient) -> None:
    make_orders(1)
    tag = api.get(ORDERS).headers["ETag"]
    for path, status in ((f"{ORDERS}?websit=1", 400), (f"{ORDERS}services/9/", 404)):
        response = api.get(path, headers={"If-None-Match": tag})
        assert response.status_code == status
        assert "ETag" not in response.headers


def test_a_tag_opens_nothing(client: Client, settings: Any) -> None:
    make_orders(1)
    settings.API_ANONYMOUS_READ = True
    tag = client.get(ORDERS).headers["ETag"]
    settings.API_ANONYMOUS_READ = False
    assert client.get(ORDERS, headers={"If-None-Match": tag}).status_code == 401


def test_caches_are_told_what_they_may_keep(client: Client, settings: Any) -> None:
    make_orders(1)
    settings.API_ANONYMOUS_READ = True
    public = client.get(ORDERS)
    assert public.headers["Cache-Control"] == "public, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= {name.strip() for name in public.headers["Vary"].split(",")}
    client.force_login(make_user())
    assert client.get(ORDERS).headers["Cache-Control"] == "private, no-cache"


def test_pages_for_people_are_always_new(client: Client) -> None:
    make_orders(1)
    client.force_login(make_user())
    page = client.get(ORDERS, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "ETag" not in page.headers


def test_an_empty_catalogue_has_a_version_too(api: APIClient) -> None:
    first = api.get(ORDERS)
    assert api.get(ORDERS, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    make_orders(1)
    assert api.get(ORDERS, headers={"If-None-Match": first.headers["ETag"]}).json()["count"] == 1


@pytest.mark.parametrize(
    "path",
    [ORDERS, f"{ORDERS}?website=VVNL&count=exact", f"{ORDERS}?as_of=2020-01-01", ONE, f"{ORDERS}facets/?facet=website"],
)
def test_what_was_asked_before_is_answered_from_memory_until_the_catalogue_changes(api: APIClient, path: str) -> None:
    make_orders(3)
    first = api.get(path)
    with CaptureQueriesContext(connection) as queries:
        again = api.get(path)
    assert again.content == first.content
    assert dict(again.headers) == dict(first.headers)
    assert not [query["sql"] for query in queries if "catalog_order" in query["sql"]]
    assert api.head(path).headers["Content-Length"] == str(len(first.content))

    correct(Order.objects.get(order_id=1), "website", "VVBE", actor="ana", reason="invoice")
    changed = api.get(path)
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert ("VVBE" in changed.content.decode()) == ("as_of" not in path and "website=" not in path)


def test_an_answer_from_memory_is_the_one_that_was_asked_for(api: APIClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    make_orders(2)
    asked = (ORDERS, f"{ORDERS}?page_size=1", ONE, f"{ONE}?fields=order_id", f"{ORDERS}services/2/")
    first = {path: api.get(path).content for path in asked}
    assert len(set(first.values())) == len(asked)
    assert {path: api.get(path).content for path in asked} == first

    wide = api.get(ONE, headers={"Accept": "application/json; indent=4"}).content
    assert b"\n" in wide
    assert b"\n" not in api.get(ONE).content
    assert api.get(ONE, headers={"Accept": "application/json; indent=4"}).content == wide
    assert api.get(ONE, headers={"Host": "orders.example.org"}).json()["url"].startswith("http://orders.example.org/")
    assert "<html" in api.get(ONE, headers={"Accept": "text/html"}).content.decode()


def test_options_are_no_answer(api: APIClient) -> None:
    make_orders(1)
    assert "ETag" not in api.options(ORDERS).headers
    assert "results" in api.get(ORDERS).json()
    assert "renders" in api.options(ORDERS).json()


def test_memory_opens_nothing(client: Client, settings: Any) -> None:
    make_orders(1)
    settings.API_ANONYMOUS_READ = True
    assert client.get(ORDERS).headers["Cache-Control"] == "public, no-cache"
    client.force_login(make_user("ana"))
    assert client.get(ORDERS).headers["Cache-Control"] == "private, no-cache"
    client.logout()
    settings.API_ANONYMOUS_READ = False
    assert client.get(ORDERS).status_code == 401


def test_nothing_of_an_earlier_catalogue_stays_in_memory(api: APIClient) -> None:
    make_orders(3)
    for number in (1, 2, 3):
        api.get(f"{ORDERS}services/{number}/")
    assert len(conditional.answers) == 3
    correct(Order.objects.get(order_id=1), "website", "VVBE", actor="ana", reason="invoice")
    api.get(ONE)
    assert len(conditional.answers) == 1


def test_without_memory_every_answer_is_made(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional, "answers", conditional.Answers(0))
    make_orders(1)
    first = api.get(ORDERS).content
    with CaptureQueriesContext(connection) as queries:
        assert api.get(ORDERS).content == first
    assert [query["sql"] for query in queries if "catalog_order" in query["sql"]]


def test_a_question_mark_in_an_address_is_no_other_question(api: APIClient) -> None:
    make_orders(1)
    assert api.get(ORDERS, QUERY_STRING="corrected_by=x/y/?").status_code == 200
    # The same characters, of which these are the name of an order that does not exist.
    assert api.get(f"{ORDERS}%3Fcorrected_by=x/y/").status_code == 404
