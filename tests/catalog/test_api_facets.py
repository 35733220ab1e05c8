"""Facets of orders: what they count, where they link to, and what they leave out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.api.dimensions import DIMENSIONS
from tests.factories import make_order, make_run
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

FACETS = f"{ORDERS}facets/"


@pytest.fixture
def orders(db: None) -> None:
    """Four orders of two websites and two sources, and a removed one."""
    make_order(1, order_date=datetime(2018, 1, 31, 23, 30, tzinfo=UTC))
    make_order(2, website="VVBE", voucher_status=None, product_id=None, customer_id=1001)
    make_order(3, order_status="CANCELED", payment_id=None, payment_status=None, payment_date=None)
    make_order(3, source="avdd", website="VVBE", customer_id=1001)
    make_order(4, removed=True)


def facets(api: APIClient, **query: Any) -> dict[str, Any]:
    response = api.get(FACETS, query)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def values(facet: dict[str, Any]) -> list[tuple[Any, int]]:
    return [(value["value"], value["count"]) for value in facet["values"]]


@pytest.mark.usefixtures("orders")
def test_the_usual_facets_come_from_the_summary_the_most_frequent_first_and_add_up(api: APIClient) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = facets(api)
    assert {name: values(facet) for name, facet in answer["facets"].items()} == {
        "source": [("services", 3), ("avdd", 1)],
        "website": [("VVBE", 2), ("VVNL", 2)],
        "order_status": [("PAID", 3), ("CANCELED", 1)],
        "voucher_status": [("USED", 3), (None, 1)],
        "payment_status": [("PAID", 3), (None, 1)],
    }
    assert answer["total"] == 4
    assert not [query for query in queries if '"catalog_order"' in query["sql"]], "no order is looked at"
    assert len(queries) == 3, "the version, which summary can count, and one for all facets"


@pytest.mark.usefixtures("orders")
def test_what_was_counted_is_known_until_the_catalogue_changes(api: APIClient) -> None:
    facets(api)
    with CaptureQueriesContext(connection) as queries:
        facets(api)
    assert len(queries) == 1, "the version"
    make_order(9, change=make_run().change)
    assert facets(api)["total"] == 5


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("query", [{}, {"removed": "any"}, {"website": "VVBE"}, {"customer_id__lte": 1002}], ids=str)
def test_every_column_can_be_a_facet_and_each_value_leads_to_its_orders(api: APIClient, query: dict[str, Any]) -> None:
    """Whatever the facet, its numbers add up, and behind each link there are as many orders as it says."""
    for tz in ("UTC", "Europe/Amsterdam"):
        answer = facets(api, facet=",".join(DIMENSIONS), tz=tz, **query)
        assert tuple(answer["facets"]) == DIMENSIONS
        for name, facet in answer["facets"].items():
            assert sum(count for _, count in values(facet)) == answer["total"], name
            assert facet["complete"], name
            for value in facet["values"]:
                followed = api.get(urlsplit(value["url"])._replace(scheme="", netloc="").geturl())
                assert followed.status_code == 200, followed.content
                assert followed.json()["count"] == value["count"], value["url"]


@pytest.mark.usefixtures("orders")
def test_a_link_narrows_a_range_that_is_there_already(api: APIClient) -> None:
    query = {"facet": "order_date__month", "order_date__range": "2018-01-01T02:00:00,2018-01-31"}
    for value in facets(api, **query)["facets"]["order_date__month"]["values"]:
        followed = api.get(urlsplit(value["url"])._replace(scheme="", netloc="").geturl())
        assert followed.json()["count"] == value["count"] == 4


@pytest.mark.usefixtures("orders")
def test_a_number_of_two_sources_is_two_things(api: APIClient) -> None:
    facet = facets(api, facet="customer_id")["facets"]["customer_id"]
    assert [(value["source"], value["value"], value["count"]) for value in facet["values"]] == [
        ("services", 1001, 2),
        ("avdd", 1001, 1),
        ("services", 1003, 1),
    ]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("name", ["website", "customer_id"])
def test_nothing_is_left_out_silently(api: APIClient, name: str) -> None:
    make_order(7, website="SJSNL", customer_id=7)
    whole = facets(api, facet=name)["facets"][name]
    cut = facets(api, facet=name, facet_size=1)["facets"][name]
    assert (whole["complete"], whole["other"]) == (True, {"values": 0, "count": 0})
    assert cut["values"] == whole["values"][:1]
    others = {"values": len(whole["values"]) - 1, "count": 5 - whole["values"][0]["count"]}
    assert (cut["complete"], cut["other"]) == (False, others)


@pytest.mark.usefixtures("orders")
def test_the_day_of_an_order_depends_on_the_zone(api: APIClient) -> None:
    for tz, expected in (("UTC", {"2018-01-01": 4}), ("Europe/Amsterdam", {"2018-01-01": 3, "2018-02-01": 1})):
        facet = facets(api, facet="order_date__month", tz=tz)["facets"]["order_date__month"]
        assert dict(values(facet)) == expected


def test_facets_of_no_orders(api: APIClient) -> None:
    answer = facets(api, facet="website,customer_id", order_id=7)
    empty = {"complete": True, "values": [], "other": {"values": 0, "count": 0}}
    assert answer == {"total": 0, "facets": {"website": empty, "customer_id": empty}}


def test_all_that_is_wrong_is_said_at_once(api: APIClient) -> None:
    said = refusal(api, FACETS, facet="websit,source,source", facet_size="0", tz="Amsterdam", websit="x", page_size=5)
    assert "Did you mean 'website'?" in said["facet"][0]
    assert said["facet"][1] == "'source' is given twice."
    assert said["facet_size"] == ["'0' is not a whole number from 1 to 500."]
    assert said["tz"] == ["'Amsterdam' is no time zone. Did you mean 'Europe/Amsterdam'?"]
    assert "Did you mean 'website'?" in said["websit"][0]
    assert "Unknown parameter" in said["page_size"][0]
    assert set(said["allowed"]) == {"facet", "facet_size", "tz", "websit", "page_size"}


@pytest.mark.parametrize("size", ["-1", "501", "1e2", "²", "", "9" * 5000, "NaN"])
def test_a_size_is_a_number_within_bounds(api: APIClient, size: str) -> None:
    assert "facet_size" in refusal(api, FACETS, facet_size=size)


@pytest.mark.parametrize("zone", ["", "x" * 5000, "../etc/passwd", "localtime", "Europe", "UTC'--", "\0"])
def test_a_zone_is_one_that_exists(api: APIClient, zone: str) -> None:
    assert "tz" in refusal(api, FACETS, tz=zone)


def test_facets_are_not_sent_again_while_nothing_changes(api: APIClient) -> None:
    make_order(1)
    etag = api.get(FACETS)["ETag"]
    assert api.get(FACETS, headers={"If-None-Match": etag}).status_code == 304
    make_order(2, change=make_run().change)
    assert api.get(FACETS, headers={"If-None-Match": etag}).status_code == 200
