"""Exports as answers of the API: the same queries as the list, headers, refusals, one moment, and early ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from catalog.api.filters import OrderFilterSet
from catalog.changes import changing
from catalog.corrections import correct
from catalog.export.formats import FORMATS
from catalog.export.snapshot import Snapshot
from catalog.models import Change, Order
from tests.exporting import EXPORT, READERS, download, read_csv
from tests.factories import START, make_change, make_order, make_orders
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(api: APIClient, **query: Any) -> list[int]:
    """The numbers of the orders in a file, in its order."""
    return [int(record["order_id"]) for record in read_csv(download(api, **query))]


@pytest.mark.parametrize("name", sorted(OrderFilterSet.base_filters))
def test_each_filter_finds_what_it_finds_in_a_list(api: APIClient, name: str) -> None:
    make_orders(5)
    make_order(6, website="VVBE", order_status="CANCELED", voucher_status=None, payment_status=None, removed=True)
    make_order(7, source="avdd", payment_id=None, voucher_id=None, product_id=None, payment_date=None)
    order = Order.objects.get(order_id=3)
    value = value_for(name, order)

    listed = api.get(ORDERS, {name: value, "ordering": "order_date"})

    assert listed.status_code == 200, listed.content
    assert numbers(api, **{name: value, "ordering": "order_date"}) == [o["order_id"] for o in listed.json()["results"]]


def value_for(name: str, order: Order) -> str:
    """Something to filter by, as this order has it."""
    field, _, lookup = name.partition("__")
    if lookup == "isnull" or field in ("removed", "has_correction", "overlaid"):
        return "true"
    if lookup in ("date", "year", "month"):
        return {"date": "2018-01-01", "year": "2018", "month": "1"}[lookup]
    value = {"run": 1, "search": order.order_id, "corrected_by": "ana", "quality": "unknown_status"}.get(
        field
    ) or getattr(order, field)
    text = value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)
    return f"{text},{text}" if lookup == "range" else text


@pytest.mark.parametrize(
    "ordering", ["order_date", "-order_date", "payment_date", "-payment_date", "product_id,-order_date"]
)
def test_the_ordering_is_that_of_the_list(api: APIClient, ordering: str) -> None:
    make_orders(9)
    Order.objects.filter(order_id__in=(2, 5)).update(payment_date=None)
    listed = api.get(ORDERS, {"ordering": ordering}).json()["results"]
    assert numbers(api, ordering=ordering) == [order["order_id"] for order in listed]


def test_removed_orders_are_left_out_unless_asked_for(api: APIClient) -> None:
    make_order(1)
    make_order(2, removed=True)
    assert numbers(api) == [1]
    assert numbers(api, removed="any", ordering="order_date") == [1, 2]


@pytest.mark.parametrize("format_", list(READERS))
def test_the_headers_name_the_file_and_the_catalogue_that_it_shows(api: APIClient, format_: str) -> None:
    change = make_change()
    make_order(1, change=change)
    response: Any = api.get(EXPORT, {"format": format_})
    b"".join(response.streaming_content)
    assert response.headers["Content-Type"] == FORMATS[format_].media_type
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="orders-{change.at:%Y-%m-%dT%H-%M-%SZ}.{format_}"'
    )
    assert response.headers["X-Catalogue-Version"] == str(change.pk)
    assert response.headers["X-Catalogue-As-Of"] == change.at.isoformat().replace("+00:00", "Z")
    assert "Content-Length" not in response.headers


def test_a_catalogue_that_never_changed_has_no_moment(api: APIClient) -> None:
    response: Any = api.get(EXPORT)
    assert b"".join(response.streaming_content).startswith(b"order_id,")
    assert response.headers["X-Catalogue-Version"] == "0"
    assert "X-Catalogue-As-Of" not in response.headers


def test_head_tells_all_but_the_file(api: APIClient) -> None:
    make_orders(3)
    whole, head = api.get(EXPORT, {"format": "xlsx"}), api.head(EXPORT, {"format": "xlsx"})
    whole.close()
    assert (head.status_code, b"".join(head.streaming_content)) == (200, b"")  # type: ignore[attr-defined]
    assert dict(head.headers) == dict(whole.headers)
    assert api.head(EXPORT, {"format": "doc"}).status_code == 400


def test_csv_unless_another_format_is_asked_for(api: APIClient) -> None:
    for accept, expected in (("*/*", "csv"), ("text/csv", "csv"), ("application/x-ndjson", "ndjson")):
        response = api.get(EXPORT, headers={"accept": accept})
        response.close()
        assert response.headers["Content-Type"] == FORMATS[expected].media_type
    named = api.get(EXPORT, {"format": "parquet"}, headers={"accept": "application/json"})
    named.close()
    assert named.headers["Content-Type"] == "application/vnd.apache.parquet"
    refused = api.get(EXPORT, headers={"accept": "image/png"})
    assert (refused.status_code, refused.headers["Content-Type"]) == (406, "application/json")


def test_a_format_that_does_not_exist_is_refused_with_the_nearest(api: APIClient) -> None:
    body = refusal(api, EXPORT, format="xslx")
    assert body["format"] == ["'xslx' is not one of csv, ndjson, parquet, xlsx. Did you mean 'xlsx'?"]
    assert body["allowed"]["format"] == ["csv", "ndjson", "parquet", "xlsx"]
    assert "format" in refusal(api, EXPORT, format="")


def test_everything_that_is_wrong_is_said_at_once(api: APIClient) -> None:
    query = {"page_size": 5, "cursor": "x", "count": "exact", "fields": "web,website,website", "raw": "maybe"}
    body = refusal(api, EXPORT, **query, website="!", ordering="nothing", webiste="VVNL")
    assert {*query, "website", "ordering", "webiste"} <= set(body)
    assert body["fields"] == ["There is no field 'web'. Did you mean 'website'?", "'website' is given twice."]
    assert body["webiste"] == ["Unknown parameter. Did you mean 'website'?"]
    assert "is_removed" not in body["allowed"]["fields"]


def test_a_sheet_that_would_be_too_long_is_refused_before_anything_is_sent(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(FORMATS["xlsx"], most=3)
    monkeypatch.setitem(FORMATS, "xlsx", small)
    make_orders(4)
    body = refusal(api, EXPORT, format="xlsx")
    assert body["format"] == [
        "xlsx holds at most 3 orders, and this query finds more; narrow it down, or take csv, ndjson, parquet."
    ]
    assert (
        len(READERS["xlsx"](download(api, format="xlsx", order_date__gt=START.isoformat()[:19], order_id__in="1,2,3")))
        == 3
    )
    assert len(numbers(api)) == 4


def test_who_may_not_read_gets_no_file(client: Client, settings: Any) -> None:
    make_order(1)
    assert client.get(EXPORT).status_code == 401
    assert client.get(EXPORT).json()["code"] == "not_authenticated"
    settings.API_ANONYMOUS_READ = True
    response: Any = client.get(EXPORT)
    assert b"VVNL" in b"".join(response.streaming_content)


def test_nothing_can_be_posted(api: APIClient) -> None:
    assert api.post(EXPORT).status_code == 405


def test_an_export_shows_one_moment_whatever_comes_meanwhile(api: APIClient) -> None:
    make_orders(5000)
    version = Change.objects.latest("id").pk
    response: Any = api.get(EXPORT, {"ordering": "order_date"})
    pieces = response.streaming_content
    begun = next(pieces)
    with changing(Change.Kind.LOAD, "nightly") as change:
        Order.objects.update(website="LATER", change=change)
        Order.objects.filter(order_id__gt=4000).delete()

    whole = read_csv(begun + b"".join(pieces))

    assert [int(record["order_id"]) for record in whole] == list(range(1, 5001))
    assert {record["website"] for record in whole} == {"VVNL"}
    assert response.headers["X-Catalogue-Version"] == str(version)


@pytest.mark.parametrize("format_", list(READERS))
def test_a_client_that_leaves_early_leaves_nothing_behind(
    api: APIClient, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Snapshot] = []
    monkeypatch.setattr(Snapshot, "__init__", remembering(opened))
    make_orders(5000)
    response: Any = api.get(EXPORT, {"format": format_})
    next(response.streaming_content)
    [snapshot] = opened
    assert snapshot.connection.connection is not None

    response.close()

    assert snapshot.connection.connection is None
    assert Order.objects.count() == 5000


def remembering(opened: list[Snapshot]) -> Any:
    """Snapshots as they are, and which there were."""
    original = Snapshot.__init__

    def init(self: Snapshot) -> None:
        original(self)
        opened.append(self)

    return init


def test_an_export_of_the_past_names_the_change_that_it_shows(api: APIClient) -> None:
    order = make_order(1)
    then = correct(order, "website", "VVBE", actor="ana", reason="seen on the invoice").made_by
    correct(Order.objects.get(), "website", "SJSNL", actor="ana", reason="seen again")
    response: Any = api.get(EXPORT, {"as_of": then.at.isoformat().replace("+00:00", "Z")})
    assert [record["website"] for record in read_csv(b"".join(response.streaming_content))] == ["VVBE"]
    assert response.headers["X-Catalogue-Version"] == str(then.pk)
    assert response.headers["X-Catalogue-As-Of"] == then.at.isoformat().replace("+00:00", "Z")


def test_a_file_that_the_client_has_is_not_sent_again(api: APIClient) -> None:
    make_order(1)
    first: Any = api.get(EXPORT)
    first.close()
    again = api.get(EXPORT, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_change()
    changed: Any = api.get(EXPORT, headers={"if-none-match": first.headers["ETag"]})
    assert b"VVNL" in b"".join(changed.streaming_content)
