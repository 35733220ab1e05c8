"""The filters of the API's orders: what they find, and that they refuse what they cannot read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from catalog.contract import COLUMNS, MAX_INTEGER
from catalog.models import Order
from tests.factories import make_order, make_orders, make_run
from tests.read_side import ORDERS, api, numbers, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(db: None) -> None:
    """Three orders of 2018 that differ in everything, and one of another source with a number of theirs."""
    first: dict[str, Any] = {"website": "VVNL", "order_status": "PAID", "customer_id": 11, "order_date": at(2018, 1, 1)}
    second: dict[str, Any] = {
        "website": "VVBE",
        "order_status": "CANCELED",
        "customer_id": 12,
        "order_date": at(2018, 1, 31, 15),
    }
    third: dict[str, Any] = {
        "website": "vvnl",
        "order_status": "PAID_LATE",
        "customer_id": 13,
        "order_date": at(2018, 2, 1),
    }
    make_order(1, payment_id=None, payment_status=None, payment_date=None, **first)
    make_order(2, **second)
    make_order(3, product_id=None, voucher_id=None, voucher_status=None, **third)
    make_order(3, source="avdd", website="AVDD-NL", customer_id=14, order_date=at(2018, 2, 2))


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]  # only dates and times are given


FINDS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 3]),
    ({"website": "VVNL"}, [1]),
    ({"website": " VVNL "}, [1]),
    ({"website__in": "VVNL,VVBE"}, [1, 2]),
    ({"website__in": "VVNL, VVBE"}, [1, 2]),
    ({"website__startswith": "VV"}, [1, 2]),
    ({"website__startswith": "AVDD-"}, [3]),
    ({"order_status__startswith": "PAID_"}, [3]),
    ({"order_status__in": "PAID,CANCELED", "source": "services"}, [1, 2]),
    ({"payment_status__isnull": "true"}, [1]),
    ({"payment_status__isnull": "False"}, [2, 3, 3]),
    ({"voucher_status__isnull": "true"}, [3]),
    ({"website": "NEW"}, []),
    ({"website__ne": "VVNL"}, [2, 3, 3]),
    ({"website__contains": "V"}, [1, 2, 3]),
    ({"website__contains": "vn"}, [3]),
    ({"order_status__contains": "_"}, [3]),
    ({"payment_status__ne": "PAID"}, [1]),
    ({"payment_id__ne": "2000002"}, [1, 3, 3]),
    ({"customer_id__range": "12,13"}, [2, 3]),
    ({"source": "avdd"}, [3]),
    ({"source": "nowhere"}, []),
    ({"customer_id": "12"}, [2]),
    ({"customer_id": "0012"}, [2]),
    ({"customer_id__in": "11,13"}, [1, 3]),
    ({"customer_id__gt": "12"}, [3, 3]),
    ({"customer_id__gte": "12", "customer_id__lt": "14"}, [2, 3]),
    ({"customer_id__lte": "11"}, [1]),
    ({"product_id__isnull": "true"}, [3]),
    ({"payment_id__isnull": "true"}, [1]),
    ({"order_id": "3"}, [3, 3]),
    ({"order_id": "3", "source": "avdd"}, [3]),
    ({"order_id__in": "1,3,99"}, [1, 3, 3]),
    ({"order_id__gt": "1"}, [2, 3, 3]),
    ({"order_id__gte": "2", "order_id__lt": "3"}, [2]),
    ({"order_id__gte": "2", "order_id__gt": "2"}, [3, 3]),
    ({"order_id__lte": "2", "order_id__lt": "2"}, [1]),
    ({"order_id__lt": "1"}, []),
    ({"order_id__gt": str(MAX_INTEGER)}, []),
    ({"order_id__range": "2,3"}, [2, 3, 3]),
    ({"order_id__ne": "3"}, [1, 2]),
    ({"order_date": "2018-01-31"}, [2]),
    ({"order_date": "2018-1-31"}, [2]),
    ({"order_date": "2018-01-31T15:00:00Z"}, [2]),
    ({"order_date": "2018-01-31 16:00:00+01:00"}, [2]),
    ({"order_date": "2018-01-31T15:00:00.000001"}, []),
    ({"order_date__in": "2018-01-01,2018-02-01"}, [1, 3]),
    ({"order_date__gte": "2018-01-01", "order_date__lte": "2018-01-31"}, [1, 2]),
    ({"order_date__gt": "2018-01-31"}, [3, 3]),
    ({"order_date__lt": "2018-01-31"}, [1]),
    ({"order_date__lte": "2018-01-31T14:59:59"}, [1]),
    ({"order_date__gt": "2018-01-31T15:00:00"}, [3, 3]),
    ({"payment_date__isnull": "true"}, [1]),
    ({"order_date__range": "2018-01-31,2018-02-01"}, [2, 3]),
    ({"order_date__ne": "2018-01-31"}, [1, 3, 3]),
    ({"order_date__date": "2018-01-31"}, [2]),
    ({"order_date__year": "2018"}, [1, 2, 3, 3]),
    ({"order_date__year": "2017"}, []),
    ({"order_date__month": "2"}, [3, 3]),
    ({"or": "(website=VVBE,customer_id=14)"}, [2, 3]),
    ({"or": "(website__in=(VVNL,VVBE),and(source=avdd,order_id=3))"}, [1, 2, 3]),
    ({"or": "(customer_id=11,and(customer_id__gt=12,or(website=vvnl,website=nowhere)))"}, [1, 3]),
    ({"or": "(search=3,run=77)", "source": "avdd"}, [3]),
    ({"search": "2"}, [2]),
    ({"search": "3"}, [3, 3]),
    ({"search": "14"}, [3]),
    ({"search": "2000002"}, [2]),
    ({"search": "3000002"}, [2]),
    ({"search": "424242"}, []),
]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(("query", "found"), FINDS, ids=str)
def test_a_filter_finds(api: APIClient, query: dict[str, Any], found: list[int]) -> None:
    assert numbers(api, **query) == found


def test_orders_of_a_run(api: APIClient) -> None:
    first, second = make_run(), make_run()
    make_order(1, change=first.change)
    make_order(2, change=second.change)
    assert numbers(api, run=first.pk) == [1]
    assert numbers(api, run=second.pk) == [2]
    assert numbers(api, run=second.pk + 1) == []


def test_an_id_is_searched_where_it_says_product(api: APIClient) -> None:
    make_order(1, product_id=77)
    make_order(2, product_id=78)
    assert numbers(api, search=77) == [1]


def test_every_column_can_be_filtered_by(api: APIClient) -> None:
    """No column of the contract is without its filters, and each finds the order that has the value."""
    make_order(1)
    shown = api.get(f"{ORDERS}services/1/").json()
    for column in COLUMNS:
        assert numbers(api, **{column.name: shown[column.name]}) == [1], column.name
        assert numbers(api, **{f"{column.name}__in": shown[column.name]}) == [1], column.name
        answer = api.get(ORDERS, {f"{column.name}__isnull": "true"})
        missing = not column.required or column.name == "customer_id"
        assert answer.status_code == (200 if missing else 400), column.name


def test_a_date_is_a_day_of_the_sources_own_zone(api: APIClient, settings: Any) -> None:
    settings.SOURCE_TIME_ZONE = ZoneInfo("Europe/Amsterdam")
    make_order(1, order_date=at(2018, 7, 1, 21, 59))
    make_order(2, order_date=at(2018, 7, 1, 22, 1))
    assert numbers(api, order_date="2018-07-01") == [1]
    assert numbers(api, order_date="2018-07-02") == [2]
    assert numbers(api, order_date__gt="2018-07-01T23:59:00") == [2]


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("websit", "VVNL", "Did you mean 'website'?"),
        ("website__icontains", "VV", "Unknown lookup 'icontains' for website"),
        ("order_date__after", "2018-01-01", "Unknown lookup 'after' for order_date"),
        ("order_dat__gte", "2018-01-01", "Did you mean 'order_date__gte'?"),
        ("key", "1000000000001", "Unknown parameter"),
        ("website__isnull", "true", "Unknown lookup"),
        ("website", "", "empty"),
        ("website", "V V", "letters, digits"),
        ("website", "a\x00b", "letters, digits"),
        ("website", "x" * 33, "longer than 32"),
        ("website__in", "VVNL,,VVBE", "empty"),
        ("website__in", ",".join(["a"] * 501), "at most 500"),
        ("website__startswith", "%", "letters, digits"),
        ("customer_id", "1e5", "not a whole number"),
        ("customer_id", "12.0", "not a whole number"),
        ("customer_id", "-1", "not a whole number"),
        ("customer_id", "٣", "not a whole number"),
        ("customer_id", "0", "not between"),
        ("customer_id", str(10**12), "not between"),
        ("customer_id__in", "1,x", "not a whole number"),
        ("order_id", str(10**30), "not between"),
        ("payment_id__isnull", "maybe", "neither true nor false"),
        ("order_date", "2018-02-30", "not a date that exists"),
        ("order_date__gte", "2018-01-01T25:00:00", "does not exist|not a date and time that exists"),
        ("order_date__gte", "2018-01-01T10:00:00 01:00", "%2B"),
        ("order_date__gte", "yesterday", "not a timestamp"),
        ("order_date__lt", "9999-12-31T23:59:59.999999Z", "out of range"),
        ("run", "first", "not a whole number"),
        ("search", "VVNL", "not a whole number"),
        ("removed", "yes", "not one of true, false, any"),
        ("ordering", "key", "Cannot order by 'key'"),
        ("ordering", "-order_dat", "Did you mean '-order_date'?"),
        ("ordering", "order_date,-order_date", "given twice"),
        ("ordering", "", "Cannot order by ''"),
        ("ordering", "--order_date", "Cannot order by"),
        ("page_size", "0", "from 1 to 1000"),
        ("page_size", "1001", "from 1 to 1000"),
        ("page_size", "ten", "from 1 to 1000"),
        ("count", "yes", "not one of exact, estimated, none"),
        ("cursor", "abc", "no cursor"),
        ("cursor", "", "no cursor"),
        ("format", "xml", "not one of json, api"),
        ("format", "", "not one of json, api"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(api: APIClient, parameter: str, value: str, words: str) -> None:
    make_order(1)
    said = refusal(api, ORDERS, **{parameter: value})
    assert set(said) - {"allowed", "code"} == {parameter}
    assert any(part in said[parameter][0] for part in words.split("|")), said[parameter]


def test_all_errors_come_at_once_each_with_what_is_allowed(api: APIClient) -> None:
    query = "websit=1&customer_id=x&ordering=y&page_size=0&count=z&website=a&website=b&order_date__on=1&removed=no"
    said = refusal(api, f"{ORDERS}?{query}")
    wrong = {"websit", "customer_id", "ordering", "page_size", "count", "website", "order_date__on", "removed"}
    assert set(said) == wrong | {"code", "allowed"}
    assert set(said["allowed"]) == wrong - {"website"}
    assert "website" in said["allowed"]["websit"]
    assert said["allowed"]["removed"] == ["true", "false", "any"]
    assert "-order_date" in said["allowed"]["ordering"]
    assert set(said["allowed"]["order_date__on"]) == {"order_date"} | {
        f"order_date__{lookup}" for lookup in ("in", "ne", "gt", "gte", "lt", "lte", "range", "date", "year", "month")
    }


def test_a_parameter_that_is_named_like_a_key_of_the_error_is_still_named(api: APIClient) -> None:
    said = refusal(api, ORDERS, code="x", detail="y")
    assert said["code"] == "invalid_query"
    assert {line.split(":")[0] for line in said["non_field_errors"]} == {"code", "detail"}


def test_the_page_of_one_order_takes_no_filters(api: APIClient) -> None:
    make_order(1)
    assert "website" in refusal(api, f"{ORDERS}services/1/", website="VVNL")


NONSENSE = [
    "?%00=%00",
    "?website=%ff%fe",
    "?website=%F0%9F%92%A9",
    "?=",
    "?&&&",
    "?order_id[]=1",
    "?order_id=1;DROP TABLE catalog_order",
    "?order_id__in=" + ",".join(["9" * 12] * 500),
    "?order_id__in=" + "1" * 20_000,
    "?order_id=99999999999999999999999999",
    "?search=9223372036854775808",
    "?run=9223372036854775808",
    "?customer_id=0x1F",
    "?customer_id=+7",
    "?customer_id=NaN",
    "?customer_id=Infinity",
    "?order_date=0000-00-00",
    "?order_date=0001-01-01",
    "?order_date__gte=0001-01-01T00:00:00%2B14:00",
    "?order_date=9999-12-31T23:59:59-14:00",
    "?order_date=2018-01-01T10:00:00%2B99:99",
    "?order_date__in=2018-01-01,",
    "?payment_date__isnull=null",
    "?website__in=,",
    "?website__startswith=_",
    "?website__regex=(",
    "?website__icontains=%25",
    "?order_status__exact=PAID",
    "?change__run__file=x",
    "?ordering=?",
    "?ordering=key",
    "?ordering=change__at",
    "?ordering=order_date,,",
    "?page_size=-1",
    "?page_size=1e3",
    "?page_size=%D9%A3",
    "?cursor=" + "A" * 5_000,
    "?cursor=WyJhIl0:bm8",
    "?count=estimated,exact",
    "?format=",
    "?format=api&format=json",
    "?" + "&".join(f"a{n}=1" for n in range(1_200)),
    "a/b/c/",
    "%2e%2e/1/",
    "services/99999999999999999999999/",
]


@pytest.mark.parametrize("query", NONSENSE, ids=lambda query: query[:40])
def test_nonsense_never_breaks_anything(api: APIClient, query: str) -> None:
    make_orders(2)
    response = api.get(ORDERS + query)
    assert response.status_code in {200, 400, 404}, response.content
    assert isinstance(response.json(), dict)
    if response.status_code != 200:
        assert response.json()["code"]


def test_no_lookup_is_named_but_unusable(api: APIClient) -> None:
    """Each filter that a refusal lists as allowed answers when it is given a good value."""
    make_order(1)
    allowed = refusal(api, ORDERS, nonsense="1")["allowed"]["nonsense"]
    assert len(allowed) > 60
    values = {
        "isnull": "true",
        "removed": "any",
        "has_correction": "true",
        "overlaid": "true",
        "quality": "unknown_status",
        "ordering": "order_date",
        "fields": "order_id",
        "count": "none",
        "format": "json",
        "year": "2018",
        "month": "1",
        "or": "(order_id=1)",
        "as_of": "2018-01-01",
    }
    for name in allowed:
        field, _, lookup = name.partition("__")
        value = values.get(lookup) or values.get(field) or ("2018-01-01" if field.endswith("_date") else "1")
        value = f"{value},{value}" if lookup == "range" else value
        if name != "cursor":
            assert api.get(ORDERS, {name: value}).status_code == 200, name


def test_filters_agree_with_the_data(api: APIClient) -> None:
    """A check of the whole against the plainest reading of the same rule."""
    make_orders(40)
    expected = sorted(Order.objects.filter(product_id__gt=503, order_id__lt=30).values_list("order_id", flat=True))
    assert numbers(api, product_id__gt=503, order_id__lt=30) == expected


def test_the_last_day_of_all_is_a_date(api: APIClient) -> None:
    make_order(1, order_date=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    make_order(2)
    assert numbers(api, order_date="9999-12-31") == [1]
    assert numbers(api, order_date__lte="9999-12-31") == [2, 1]
    assert numbers(api, order_date__lt="9999-12-31") == [2]
