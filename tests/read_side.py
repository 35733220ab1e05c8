"""What the tests of the read side share: clients, and questions asked through the front door."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_user

ORDERS = "/api/v1/orders/"


@pytest.fixture
def api(db: None) -> APIClient:
    """A client of a user without any permission, which is enough to read."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_user())
    return client


def numbers(api: APIClient, **query: Any) -> list[int]:
    """The numbers of the orders that a query gives, the oldest first."""
    response = api.get(ORDERS, {"ordering": "order_date", "page_size": 1000, **query})
    assert response.status_code == 200, response.content
    return [order["order_id"] for order in response.json()["results"]]


def refusal(api: APIClient, path: str, **query: Any) -> dict[str, Any]:
    """What the API says to a query that it refuses."""
    response = api.get(path, query)
    assert response.status_code == 400, response.content
    body: dict[str, Any] = response.json()
    assert body["code"] == "invalid_query"
    return body
