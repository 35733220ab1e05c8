"""Answers that need not be sent again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

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
