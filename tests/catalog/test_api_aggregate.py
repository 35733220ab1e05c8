"""Figures of orders, group by group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_change, make_order, make_version
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

AGGREGATE = f"{ORDERS}aggregate/"


@pytest.fixture
def orders(db: None) -> None:
    """Customer 7 of one source has two orders, customer 7 of another one; one order has neither payment nor voucher."""
    make_order(1, customer_id=7, product_id=5, order_date=at(1, 1))
    make_order(2, customer_id=7, product_id=6, order_date=at(1, 31, 23, 30), payment_id=2_000_001)
    make_order(3, customer_id=8, product_id=5, website="VVBE", order_date=at(2, 5), payment_date=None)
    make_order(1, source="avdd", customer_id=7, product_id=5, website="VVBE", order_date=at(2, 5))
    make_order(4, customer_id=None, product_id=None, payment_id=None, voucher_id=None, payment_date=None, website="X")
    make_order(5, removed=True)


def at(*when: int) -> datetime:
    return datetime(2018, *when, tzinfo=UTC)  # type: ignore[misc,arg-type]  # only dates and times are given


def aggregate(api: APIClient, **query: Any) -> dict[str, Any]:
    response = api.get(AGGREGATE, query)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def table(api: APIClient, **query: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in aggregate(api, **query)["results"]]


@pytest.mark.usefixtures("orders")
def test_without_groups_all_orders_are_one(api: APIClient) -> None:
    metrics = "count,distinct_customers,distinct_products,distinct_payments,distinct_vouchers"
    further = "with_payment,with_payment_date,with_voucher,with_product,first_payment_date,last_payment_date"
    assert aggregate(api, metrics=f"{metrics},{further}")["results"] == [
        {
            "count": 5,
            "distinct_customers": 3,
            "distinct_products": 3,
            "distinct_payments": 3,
            "distinct_vouchers": 4,
            "with_payment": 4,
            "with_payment_date": 3,
            "with_voucher": 4,
            "with_product": 4,
            "first_payment_date": "2018-01-01T01:09:00Z",
            "last_payment_date": "2018-01-01T02:09:00Z",
        }
    ]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"group_by": "website"}, [("VVBE", 2), ("VVNL", 2), ("X", 1)]),
        ({"group_by": "removed", "removed": "any"}, [(False, 5), (True, 1)]),
        (
            {"group_by": "website,order_date__month"},
            [("VVBE", "2018-02-01", 2), ("VVNL", "2018-01-01", 2), ("X", "2018-01-01", 1)],
        ),
        ({"group_by": "order_date__month"}, [("2018-01-01", 3), ("2018-02-01", 2)]),
        ({"group_by": "order_date__month", "tz": "Europe/Amsterdam"}, [("2018-01-01", 2), ("2018-02-01", 3)]),
        ({"group_by": "order_date__quarter"}, [("2018-01-01", 5)]),
        ({"group_by": "order_date__week"}, [("2018-01-01", 2), ("2018-01-29", 1), ("2018-02-05", 2)]),
        ({"group_by": "payment_date__year"}, [("2018-01-01", 3), (None, 2)]),
        (
            {"group_by": "customer_id"},
            [("avdd", 7, 1), ("services", 7, 2), ("services", 8, 1), ("services", None, 1)],
        ),
        ({"group_by": "customer_id,source", "source": "avdd"}, [(7, "avdd", 1)]),
        ({"group_by": "website", "ordering": "-count,-website"}, [("VVNL", 2), ("VVBE", 2), ("X", 1)]),
        ({"group_by": "website", "ordering": "-first_order_date"}, [("VVBE", 2), ("X", 1), ("VVNL", 2)]),
        ({"group_by": "website", "having": "count__gte=2"}, [("VVBE", 2), ("VVNL", 2)]),
        ({"group_by": "website", "having": "count__gte=2,distinct_customers=1"}, [("VVNL", 2)]),
        ({"group_by": "website", "having": "count__ne=2"}, [("X", 1)]),
        ({"group_by": "website", "having": "first_order_date__gte=2018-02-01"}, [("VVBE", 2)]),
        ({"group_by": "website", "having": "first_payment_date__isnull=true"}, [("X", 1)]),
        ({"having": "count__gt=5"}, []),
        ({"website": "nowhere"}, [(0,)]),
        ({"customer_id": 99, "metrics": "count,first_order_date"}, [(0, None)]),
        ({"website": "VVBE", "or": "(customer_id=8,source=avdd)", "metrics": "distinct_customers"}, [(2,)]),
    ],
    ids=str,
)
def test_groups(api: APIClient, query: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    assert table(api, **query) == expected


@pytest.mark.usefixtures("orders")
def test_a_cut_is_told(api: APIClient) -> None:
    answer = aggregate(api, group_by="website", ordering="-count", page_size=2)
    assert (answer["groups"], answer["complete"], len(answer["results"])) == (3, False, 2)
    answer = aggregate(api, group_by="website", having="count__gte=2", page_size=2)
    assert (answer["groups"], answer["complete"]) == (2, True)
    answer = aggregate(api, metrics="distinct_products")
    assert (answer["group_by"], answer["groups"], answer["complete"]) == ([], 1, True)


@pytest.mark.usefixtures("orders")
def test_an_id_brings_its_source_along(api: APIClient) -> None:
    answer = aggregate(api, group_by="website,product_id,order_date__year")
    assert answer["group_by"] == ["website", "source", "product_id", "order_date__year"]


def test_the_past_is_counted_as_it_was(api: APIClient) -> None:
    then = make_change(at=datetime.now(UTC) - timedelta(days=2))
    now = make_change()
    order = make_order(1, change=now, website="VVBE")
    make_version(order, change=then, ended_by=now, website="VVNL")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert table(api, group_by="website") == [("VVBE", 1)]
    assert table(api, group_by="website", as_of=yesterday) == [("VVNL", 1)]
    assert table(api, metrics="distinct_customers", as_of=yesterday) == [(1,)]


def test_all_that_is_wrong_is_said_at_once(api: APIClient) -> None:
    said = refusal(
        api,
        AGGREGATE,
        group_by="website,websit,order_date__mont",
        metrics="cont",
        having="cout=1,count=x,foo,count__like=3",
        ordering="-foo,website,-website",
        tz="Mars/Olympus",
        page_size="10001",
        wat="1",
        order_status__in="",
    )
    assert "Did you mean 'website'?" in said["group_by"][0]
    assert "Did you mean 'order_date__month'?" in said["group_by"][1]
    assert "Did you mean 'count'?" in said["metrics"][0]
    assert "Did you mean 'count'?" in said["having"][0]
    assert "'x' is not a whole number" in said["having"][1]
    assert "'foo' is no condition" in said["having"][2]
    assert "Unknown lookup 'like' for count" in said["having"][3]
    assert "'-foo' is not one of website" in said["ordering"][0]
    assert said["page_size"] == ["'10001' is not a whole number from 1 to 10000."]
    assert {"tz", "wat", "order_status__in"} < set(said)
    assert "'count' is given twice." in refusal(api, AGGREGATE, ordering="count,-count")["ordering"]


@pytest.mark.parametrize(
    "query",
    [
        {"having": ""},
        {"having": "," * 5000},
        {"having": "count__gte=" + "9" * 5000},
        {"having": "count=1;DROP TABLE catalog_order"},
        {"having": "first_order_date=NaN"},
        {"group_by": ""},
        {"group_by": "website;--"},
        {"group_by": ",".join(["x"] * 4000)},
        {"metrics": "count(*)"},
        {"ordering": "count) --"},
        {"ordering": "customer_id"},
        {"page_size": "-1"},
    ],
    ids=lambda query: str(query)[:40],
)
def test_nonsense_is_refused_shortly(api: APIClient, query: dict[str, str]) -> None:
    said = refusal(api, AGGREGATE, **query)
    [name] = query
    assert 1 <= len(said[name]) <= 20
