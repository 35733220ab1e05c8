"""Questions that were asked before: read once, and still answered from what the catalogue holds now."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from rest_framework.test import APIClient

from catalog import quality
from catalog.api import order_pages
from catalog.api.keyset import Key
from catalog.api.order_pages import has_one_plan
from catalog.prepared import rows
from tests.factories import make_change, make_order, make_orders, make_run
from tests.read_side import ORDERS, api

__all__ = ["api"]

pytestmark = pytest.mark.django_db


def found(api: APIClient, **params: Any) -> list[str]:
    return sorted(order["url"].rpartition("/orders/")[2] for order in api.get(ORDERS, params).json()["results"])


@pytest.mark.parametrize("params", [{"order_id": 7}, {"order_id__gte": 7}, {"search": 7}, {"order_id__ne": 8}])
def test_a_source_that_is_new_is_found_by_a_question_that_is_old(api: APIClient, params: dict[str, Any]) -> None:
    make_order(7)
    assert found(api, **params) == ["services/7/"]
    make_order(7, source="tickets", change=make_change())
    assert found(api, **params) == ["services/7/", "tickets/7/"]


def test_a_run_that_changes_more_is_followed(api: APIClient) -> None:
    run = make_run()
    assert found(api, run=run.pk) == []
    run.change = make_change()
    run.save()
    make_order(1, change=run.change)
    assert found(api, run=run.pk) == ["services/1/"]


def test_a_check_finds_what_came_later(api: APIClient) -> None:
    assert found(api, quality="ordered_in_future") == []
    change = make_change()
    make_order(1, change=change, order_date=change.at.replace(year=2042))
    quality.count(change)
    assert found(api, quality="ordered_in_future") == ["services/1/"]


@pytest.mark.parametrize("text", ["cursor=forged", "cursor=", "cursor=a&cursor=b"])
def test_a_wrong_cursor_of_a_question_that_is_known_is_refused(api: APIClient, text: str) -> None:
    make_orders(3)
    for _ in range(2):
        assert api.get(f"{ORDERS}?website=VVNL&page_size=1").status_code == 200
        answer = api.get(f"{ORDERS}?website=VVNL&page_size=1&{text}")
        assert (answer.status_code, "cursor" in answer.json()) == (400, True)


def test_a_second_cursor_is_refused_however_it_is_written(api: APIClient) -> None:
    make_orders(3)
    cursor = api.get(f"{ORDERS}?page_size=1").json()["next"].partition("cursor=")[2].partition("&")[0]
    assert api.get(f"{ORDERS}?page_size=1&%63ursor={cursor}").status_code == 200
    answer = api.get(f"{ORDERS}?page_size=1&%63ursor={cursor}&cursor={cursor}")
    assert (answer.status_code, "cursor" in answer.json()) == (400, True)


def test_pages_of_a_question_that_is_known_are_those_asked_for(api: APIClient) -> None:
    make_orders(3)
    first = api.get(f"{ORDERS}?website=VVNL&page_size=1").json()
    second = api.get(first["next"]).json()
    assert second["results"] != first["results"]
    assert api.get(f"{ORDERS}?website=VVNL&page_size=1").json() == first
    assert api.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("params", [{"website": "VVNL"}, {"customer_id": 100, "ordering": "payment_id"}])
def test_what_arrives_while_a_page_is_read_is_on_the_next_one(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]
) -> None:
    """A page is not kept as one of a catalogue that is newer than what has been read."""

    def read_and_load(*args: Any, **options: Any) -> Any:
        read = rows(*args, **options)
        monkeypatch.undo()
        change = make_change()
        make_order(1, change=change, customer_id=100, payment_id=5)
        make_order(2, change=change, customer_id=100, payment_id=None)
        return read

    monkeypatch.setattr(order_pages, "rows", read_and_load)
    api.get(ORDERS, params)
    assert found(api, **params) == ["services/1/", "services/2/"]


BY_DATE = (Key("order_date", True), Key("key", True))
PRESENT = Q(removed=False)


@pytest.mark.parametrize(
    ("q", "keys", "expected"),
    [
        (PRESENT, BY_DATE, True),
        (PRESENT & Q(website__exact="VVNL"), BY_DATE, True),
        (PRESENT & Q(customer_id__exact=7), BY_DATE, False),
        (PRESENT & Q(website__in=["VVNL"]), BY_DATE, False),
        (PRESENT & Q(website__exact="VVNL") & Q(source__exact="services"), BY_DATE, False),
        (PRESENT & Q(order_status__exact="PAID"), BY_DATE, False),
        (PRESENT & ~Q(website__exact="VVNL"), BY_DATE, False),
        (PRESENT & (Q(website__exact="VVNL") | Q(website__exact="VVBE")), BY_DATE, False),
        (PRESENT & Q(website__exact="VVNL"), (Key("payment_date", True), Key("key", True)), False),
        (PRESENT, (Key("website", False), *BY_DATE), False),
    ],
)
def test_one_plan_is_for_what_one_index_has_in_order(q: Q, keys: tuple[Key, ...], expected: bool) -> None:
    """A rare value and a frequent one are found best in the same way, or the database looks at the value first."""
    assert has_one_plan(q, keys) is expected


@pytest.mark.postgresql_only
@pytest.mark.parametrize("paths", [("?website=VVNL", "?website=VVBE"), ("services/1/", "services/2/")])
def test_what_is_asked_again_is_not_planned_again(api: APIClient, paths: tuple[str, ...]) -> None:
    make_orders(2)
    make_order(3, website="VVBE")
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
        driver: Any = connection.connection
        driver._prepared.clear()
        for path in paths:
            assert api.get(f"{ORDERS}{path}").status_code == 200
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE '%FROM \"catalog_order\"%'"
        )
        assert cursor.fetchall() == [(2, 0)]
