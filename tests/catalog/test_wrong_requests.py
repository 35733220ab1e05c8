"""Requests that are wrong: each is told what is wrong and why, and not one of them reaches the orders."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.factories import make_orders
from tests.read_side import ORDERS, api

__all__ = ["api"]

pytestmark = pytest.mark.django_db

DIGITS = "9" * 5000
INJECTION = "order_date;DROP TABLE catalog_order--"

# What is asked, the status, the key of the answer that says so, and a part of what it says.
WRONG = [
    # slips
    ("?websit=VVNL", 400, "websit", "Did you mean 'website'?"),
    ("?Website=VVNL", 400, "Website", "Did you mean 'website'?"),
    ("?order_status_in=PAID", 400, "order_status_in", "Did you mean 'order_status__in'?"),
    ("?order_status__=PAID", 400, "order_status__", "Unknown"),
    ("?order_date__between=2018-01-01,2018-02-01", 400, "order_date__between", "Unknown lookup 'between'"),
    ("?order_date_gte=2018-01-01", 400, "order_date_gte", "Did you mean 'order_date__gte'?"),
    ("?orderng=-order_date", 400, "orderng", "Did you mean 'ordering'?"),
    ("?page=2", 400, "page", "Did you mean 'page_size'?"),
    ("?offset=100", 400, "offset", "Unknown parameter"),
    ("?field=order_id", 400, "field", "Did you mean 'fields'?"),
    ("?website=VVNL&website=VVBE", 400, "website", "Given 2 times"),
    # injections
    (f"?ordering={quote(INJECTION)}", 400, "ordering", "Cannot order by 'order_date;DROP TABLE"),
    ("?ordering=(SELECT%201)", 400, "ordering", "Cannot order by '(SELECT 1)'"),
    ("?ordering=change__actor", 400, "ordering", "Cannot order by 'change__actor'"),
    ("?change__run__actor=x", 400, "change__run__actor", "Unknown parameter"),
    ("?website__regex=.*", 400, "website__regex", "Unknown lookup 'regex'"),
    ("?website__startswith=%25", 400, "website__startswith", "letters, digits"),
    ("?website=VVNL'%20OR%20'1'='1", 400, "website", "letters, digits"),
    ("?order_id=1%20OR%201=1", 400, "order_id", "not a whole number"),
    ("?fields=order_id,(SELECT%20password%20FROM%20auth_user)", 400, "fields", "There is no field '(SELECT"),
    ("?or=(website=VVNL)%20OR%20(1=1)", 400, "or", "more after the closing bracket"),
    # numbers that are none, or too many
    ("?customer_id=NaN", 400, "customer_id", "'NaN' is not a whole number"),
    ("?customer_id=Infinity", 400, "customer_id", "'Infinity' is not a whole number"),
    ("?customer_id=1e5", 400, "customer_id", "'1e5' is not a whole number"),
    ("?customer_id=-7", 400, "customer_id", "'-7' is not a whole number"),
    (f"?customer_id={DIGITS}", 400, "customer_id", "is not between 1 and"),
    (f"?order_id__in={DIGITS}", 400, "order_id__in", "is not between 1 and"),
    ("?customer_id__in=" + ",".join(["1"] * 501), 400, "customer_id__in", "501 values; at most 500"),
    ("?page_size=-1", 400, "page_size", "'-1' is not a whole number from 1 to 1000"),
    ("?page_size=1000000", 400, "page_size", "from 1 to 1000"),
    ("?customer_id__range=5", 400, "customer_id__range", "a range has two values"),
    ("?customer_id__range=9,5", 400, "customer_id__range", "'9' is after '5'"),
    # bytes and times
    ("?website=VV%00NL", 400, "website", "letters, digits"),
    ("?%00=1", 400, "\x00", "Unknown parameter"),
    ("?website=%ff%fe", 400, "website", "letters, digits"),
    ("?order_date=2018-02-30", 400, "order_date", "not a date that exists"),
    ("?order_date__gte=1526000000000", 400, "order_date__gte", "not a timestamp"),
    ("?order_date__year=18", 400, "order_date__year", "not a year of four digits"),
    ("?order_date__month=13", 400, "order_date__month", "not a month's number"),
    ("?as_of=2999-01-01", 400, "as_of", "in the future"),
    # cursors
    ("?cursor=abc", 400, "cursor", "no cursor that was given out here"),
    ("?cursor=" + "A" * 5000, 400, "cursor", "no cursor that was given out here"),
    ("?cursor=WyJhIixmYWxzZSxbMV1d:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400, "cursor", "no cursor"),
    # what cannot be
    ("?order_date__gte=2019-01-01&order_date__lt=2018-01-01", 400, "order_date__lt", "No order can meet both"),
    ("?or=(and(website=VVNL,website=VVBE))", 400, "or", "No order can meet both"),
    ("?payment_id=5&payment_id__isnull=true", 400, "payment_id__isnull", "No order can meet both"),
    ("?or=(website=VVNL", 400, "or", "')' is missing at the end"),
    ("?count=all", 400, "count", "not one of exact, estimated, none"),
    ("?format=xml", 400, "format", "not one of json, api"),
    ("services/x1/", 404, "detail", "There is no order 'services' / 'x1'"),
    (f"services/{DIGITS}/", 404, "detail", "There is no order"),
]


@pytest.mark.parametrize(("asked", "status", "key", "words"), WRONG, ids=lambda value: str(value)[:50])
def test_a_wrong_request_is_told_so_and_reads_no_order(
    api: APIClient, asked: str, status: int, key: str, words: str
) -> None:
    make_orders(3)
    with CaptureQueriesContext(connection) as queries:
        response = api.get(ORDERS + asked)
    body = response.json()
    assert response.status_code == status, body
    assert body["code"] in ("invalid_query", "not_found")
    said = body[key] if isinstance(body[key], list) else [body[key]]
    assert any(words in sentence for sentence in said), body
    assert len(response.content) < 10_000
    assert not [query["sql"] for query in queries if "catalog_order" in query["sql"]]


def test_there_are_enough_of_them() -> None:
    assert len({asked for asked, *_ in WRONG}) >= 40


def test_a_cursor_of_another_query_or_ordering_is_refused(api: APIClient) -> None:
    make_orders(3)
    following = api.get(f"{ORDERS}?page_size=1&ordering=customer_id").json()["next"]
    for changed in ("ordering=-customer_id", "ordering=customer_id&website=VVNL", "ordering=order_date"):
        response = api.get(following.replace("ordering=customer_id", changed))
        assert response.status_code == 400
        assert "belongs to another query" in response.json()["cursor"][0]
