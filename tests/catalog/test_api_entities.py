"""A customer, a product, and the websites."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from tests.factories import make_order
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(db: None) -> None:
    """Twelve orders of one customer, and one of another source's customer with the same number."""
    for number in range(1, 13):
        make_order(number, customer_id=7, product_id=5 + number % 2, website="VVBE" if number > 9 else "VVNL")
    make_order(1, source="avdd", customer_id=7, product_id=5, website="AVDD-NL", order_status="CANCELED")
    make_order(20, customer_id=20, removed=True)


def get(api: APIClient, path: str, **query: Any) -> dict[str, Any]:
    response = api.get(f"/api/v1/{path}/", query)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def counts(values: list[dict[str, Any]]) -> list[tuple[Any, int]]:
    return [(value["value"], value["count"]) for value in values]


@pytest.mark.usefixtures("orders")
def test_a_customer(api: APIClient) -> None:
    answer = get(api, "customers/services/7")
    assert (answer["source"], answer["customer_id"], answer["orders"], answer["products"]) == ("services", 7, 12, 2)
    assert answer["first_order_date"] == "2018-01-01T01:00:00Z"
    assert answer["last_order_date"] == "2018-01-01T12:00:00Z"
    assert counts(answer["by"]["website"]) == [("VVNL", 9), ("VVBE", 3)]
    assert [order["order_id"] for order in answer["latest"]] == list(range(12, 2, -1))
    assert answer["latest"] == api.get(f"{ORDERS}?source=services&page_size=10").json()["results"]
    for url, number in [(answer["list"], 12), *((v["url"], v["count"]) for v in answer["by"]["website"])]:
        assert api.get(urlsplit(url)._replace(scheme="", netloc="").geturl()).json()["count"] == number


@pytest.mark.usefixtures("orders")
def test_a_product_of_one_source_is_not_that_of_another(api: APIClient) -> None:
    services, avdd = get(api, "products/services/5"), get(api, "products/avdd/5")
    assert (services["orders"], services["customers"]) == (6, 1)
    assert (avdd["orders"], counts(avdd["by"]["order_status"])) == (1, [("CANCELED", 1)])


@pytest.mark.usefixtures("orders")
def test_the_filters_hold(api: APIClient) -> None:
    answer = get(api, "customers/services/7", website="VVBE", order_id__gt=10)
    assert (answer["orders"], len(answer["latest"])) == (2, 2)
    nothing = get(api, "customers/services/7", website="SJSNL")
    assert (nothing["orders"], nothing["first_order_date"], nothing["latest"]) == (0, None, [])
    assert get(api, "customers/services/20")["orders"] == 0, "all of its orders are removed"
    assert get(api, "customers/services/20", removed="any")["orders"] == 1


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    "path",
    ["customers/services/99", "customers/nowhere/7", "customers/services/x", "products/a%00b/5", "products/services/0"],
)
def test_what_has_no_order_is_not_found(api: APIClient, path: str) -> None:
    response = api.get(f"/api/v1/{path}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert api.get("/api/v1/customers/services/7/", {"as_of": "2017-01-01"}).status_code == 404


@pytest.mark.usefixtures("orders")
def test_wrong_parameters_are_refused(api: APIClient) -> None:
    assert "websit" in refusal(api, "/api/v1/customers/services/7/", websit=1)
    said = refusal(api, "/api/v1/customers/services/7/", source="avdd", customer_id=8)
    assert set(said) == {"code", "source", "customer_id"}
    assert get(api, "customers/services/7", source="services", customer_id=" 07 ")["orders"] == 12
    assert "websit" in refusal(api, "/api/v1/websites/", websit=1)


@pytest.mark.usefixtures("orders")
def test_websites(api: APIClient) -> None:
    make_order(30, website="VVBE", order_date=datetime(2018, 2, 3, 23, 30, tzinfo=UTC), voucher_status=None)
    answer = get(api, "websites")
    assert answer["total"] == 14
    assert [(site["website"], site["orders"]) for site in answer["results"]] == [
        ("VVNL", 9),
        ("VVBE", 4),
        ("AVDD-NL", 1),
    ]
    belgium = answer["results"][1]
    assert (belgium["first_order_day"], belgium["last_order_day"]) == ("2018-01-01", "2018-02-03")
    assert counts(belgium["by"]["voucher_status"]) == [("USED", 3), (None, 1)]
    assert api.get(urlsplit(belgium["list"])._replace(scheme="", netloc="").geturl()).json()["count"] == 4
    by_rows = get(api, "websites", order_date__lt="2018-01-01T03:00:00")
    assert [(site["website"], site["orders"]) for site in by_rows["results"]] == [("VVNL", 2), ("AVDD-NL", 1)]
    assert get(api, "websites", website="nowhere") == {"total": 0, "results": []}
