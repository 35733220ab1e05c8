"""What is shown of an order: a choice of fields, and the same whether Django or a plain row says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request
from rest_framework.test import APIClient

from catalog.api.columns import FIELDS, PATHS
from catalog.api.renderers import FastJSONRenderer
from catalog.api.serializers import OrderSerializer
from catalog.contract import CORRECTABLE
from catalog.corrections import correct
from catalog.models import Change, Order
from tests.factories import make_change, make_order, make_run
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

ODD: list[dict[str, Any]] = [
    {},
    {"payment_id": None, "voucher_id": None, "product_id": None, "customer_id": None},
    {"voucher_status": None, "payment_status": None, "payment_date": None},
    {"order_date": datetime(2018, 6, 26, 10, 15, 0, 123000, tzinfo=UTC)},
    {"payment_date": datetime(2018, 6, 26, 10, 15, 0, 1, tzinfo=UTC)},
    {"order_date": datetime(1, 1, 1, tzinfo=UTC)},
    {"order_date": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)},
    {"removed": True, "line": None},
    {"customer_id": 10**12 - 1, "payment_id": 1},
    {"website": "-x_9"},
]


def as_serialised(order: Order) -> Any:
    """The order as REST framework's own serializer says it."""
    request = Request(RequestFactory().get("/"))
    return OrderSerializer(order, context={"request": request}).data


def test_the_fast_way_says_what_the_serializer_says(api: APIClient) -> None:
    """Every field, of orders that differ in everything that the two could take differently."""
    for number, values in enumerate(ODD, 1):
        make_order(number, change=make_run().change, **values)
    make_order(50, source="avdd", change=make_change(kind=Change.Kind.CORRECTION))
    for position, column in enumerate(CORRECTABLE):
        make_order(100 + position, change=make_run().change)
        value: Any = {"number": 7, "code": "NEW"}.get(
            "number" if column.name.endswith("_id") else "moment" if column.name.endswith("_date") else "code",
            datetime(2019, 1, 1, tzinfo=UTC) + timedelta(microseconds=5),
        )
        correct(Order.objects.get(order_id=100 + position), column.name, value, actor="ana", reason="x")

    shown = {order["url"]: order for order in api.get(f"{ORDERS}?page_size=1000&removed=any").json()["results"]}

    assert tuple(OrderSerializer.Meta.fields) == FIELDS
    assert len(shown) == len(ODD) + 1 + len(CORRECTABLE)
    for order in Order.objects.select_related("change"):
        said = as_serialised(order)
        assert shown[said["url"]] == said
        assert list(shown[said["url"]]) == list(said)
        assert api.get(said["url"]).json() == said


def test_each_field_can_be_chosen(api: APIClient) -> None:
    make_order(1)
    whole = api.get(ORDERS).json()["results"][0]
    for name in FIELDS:
        assert api.get(ORDERS, {"fields": name}).json()["results"] == [{name: whole[name]}]
        assert api.get(f"{ORDERS}services/1/", {"fields": name}).json() == {name: whole[name]}
    some = api.get(ORDERS, {"fields": "since, order_id,website"}).json()["results"][0]
    assert list(some) == ["order_id", "website", "since"]


def test_only_the_columns_that_are_shown_are_read(api: APIClient) -> None:
    make_order(1)
    with CaptureQueriesContext(connection) as queries:
        api.get(ORDERS, {"fields": "customer_id,website", "count": "none", "ordering": "-order_date"})
    [sql] = [query["sql"] for query in queries if "catalog_order" in query["sql"]]
    columns = sql.split(" FROM ")[0]
    assert {name for name in (*PATHS, "overlaid", "source_website") if f'."{name}"' in columns} == {
        *("customer_id", "website", "order_date"),
    }
    assert "JOIN" not in sql


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("", "There is no field ''"),
        ("order_id,", "There is no field ''"),
        ("websit", "Did you mean 'website'?"),
        ("key", "There is no field 'key'"),
        ("order_id,order_id", "'order_id' is given twice."),
        ("*", "There is no field '*'"),
        ("change__at", "There is no field 'change__at'"),
    ],
)
def test_a_field_that_does_not_exist_is_named(api: APIClient, fields: str, words: str) -> None:
    make_order(1)
    for path in (ORDERS, f"{ORDERS}services/1/"):
        said = refusal(api, path, fields=fields)
        assert words in said["fields"][0]
        assert said["allowed"]["fields"] == list(FIELDS)


def test_fields_may_change_from_page_to_page(api: APIClient) -> None:
    make_order(1)
    make_order(2)
    following = api.get(f"{ORDERS}?page_size=1&fields=order_id").json()["next"]
    page = api.get(following.replace("fields=order_id", "fields=website")).json()
    assert page["results"] == [{"website": "VVNL"}]


def test_json_is_what_rest_framework_would_write() -> None:
    """The renderer is another; what it writes is not."""
    data = {"text": "é\u2028", "none": None, "moment": datetime(2018, 1, 1, tzinfo=UTC), "list": [1, True], 5: "five"}
    assert FastJSONRenderer().render(data) == (
        '{"text":"é\u2028","none":null,"moment":"2018-01-01T00:00:00Z","list":[1,true],"5":"five"}'.encode()
    )
    assert FastJSONRenderer().render(None) == b""
    assert b"\n" in FastJSONRenderer().render({"a": 1}, "application/json; indent=4")
