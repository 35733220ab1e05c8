"""Orders over time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_order
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

HISTOGRAM = f"{ORDERS}histogram/"
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def histogram(api: APIClient, **query: Any) -> dict[str, Any]:
    response = api.get(HISTOGRAM, query)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def buckets(api: APIClient, **query: Any) -> list[tuple[str, str, int]]:
    return [tuple(bucket.values()) for bucket in histogram(api, **query)["buckets"]]


def test_gaps_are_filled(api: APIClient) -> None:
    make_order(1, order_date=datetime(2018, 1, 15, tzinfo=UTC))
    make_order(2, order_date=datetime(2018, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC), website="VVBE")
    assert buckets(api) == [
        ("2018-01-01T00:00:00Z", "2018-02-01T00:00:00Z", 1),
        ("2018-02-01T00:00:00Z", "2018-03-01T00:00:00Z", 0),
        ("2018-03-01T00:00:00Z", "2018-04-01T00:00:00Z", 1),
    ]
    assert buckets(api, website="VVBE") == [("2018-03-01T00:00:00Z", "2018-04-01T00:00:00Z", 1)]
    assert len(buckets(api, interval="day")) == 76
    assert [count for _, _, count in buckets(api, interval="quarter")] == [2]


def test_orders_without_a_value_are_counted_beside(api: APIClient) -> None:
    make_order(1)
    make_order(2, payment_date=None)
    answer = histogram(api, field="payment_date", interval="year")
    assert (answer["total"], answer["missing"], len(answer["buckets"])) == (2, 1, 1)
    answer = histogram(api, field="payment_date", payment_date__isnull="true")
    assert (answer["total"], answer["missing"], answer["buckets"]) == (1, 1, [])


def test_days_of_23_and_25_hours(api: APIClient) -> None:
    make_order(1, order_date=datetime(2018, 3, 24, 23, tzinfo=UTC))
    make_order(2, order_date=datetime(2018, 3, 25, 22, tzinfo=UTC))
    make_order(3, order_date=datetime(2018, 10, 27, 22, tzinfo=UTC))
    make_order(4, order_date=datetime(2018, 10, 28, 22, 59, tzinfo=UTC))
    found = {start: (end, count) for start, end, count in buckets(api, interval="day", tz="Europe/Amsterdam")}
    assert found["2018-03-25T00:00:00+01:00"] == ("2018-03-26T00:00:00+02:00", 1)
    assert found["2018-03-26T00:00:00+02:00"] == ("2018-03-27T00:00:00+02:00", 1)
    assert found["2018-10-28T00:00:00+02:00"] == ("2018-10-29T00:00:00+01:00", 2)
    assert len(found) == 218


def test_an_hour_that_the_clocks_show_twice_is_two(api: APIClient) -> None:
    make_order(1, order_date=datetime(2018, 10, 28, 0, 30, tzinfo=UTC))
    make_order(2, order_date=datetime(2018, 10, 28, 1, 30, tzinfo=UTC))
    assert buckets(api, interval="hour", tz="Europe/Amsterdam") == [
        ("2018-10-28T02:00:00+02:00", "2018-10-28T02:00:00+01:00", 1),
        ("2018-10-28T02:00:00+01:00", "2018-10-28T03:00:00+01:00", 1),
    ]


def test_a_week_begins_on_monday(api: APIClient) -> None:
    make_order(1, order_date=datetime(2018, 7, 15, 21, 59, tzinfo=UTC))
    make_order(2, order_date=datetime(2018, 7, 15, 22, tzinfo=UTC))
    assert buckets(api, interval="week", tz="Europe/Amsterdam") == [
        ("2018-07-09T00:00:00+02:00", "2018-07-16T00:00:00+02:00", 1),
        ("2018-07-16T00:00:00+02:00", "2018-07-23T00:00:00+02:00", 1),
    ]


@pytest.mark.parametrize("tz", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_ends_of_the_calendar(api: APIClient, tz: str) -> None:
    make_order(1, order_date=FIRST)
    make_order(2, order_date=LAST, website="VVBE")
    assert len(buckets(api, interval="year", tz=tz)) == 9999
    for website in ("VVNL", "VVBE"):
        for interval in ("hour", "day", "week", "month", "quarter", "year"):
            assert [count for _, _, count in buckets(api, interval=interval, tz=tz, website=website)] == [1]


def test_too_many_buckets_are_refused_with_advice(api: APIClient) -> None:
    make_order(1, order_date=datetime(2008, 1, 1, tzinfo=UTC))
    make_order(2, order_date=datetime(2018, 1, 1, tzinfo=UTC))
    said = refusal(api, HISTOGRAM, interval="hour")
    [message] = said["interval"]
    assert message.startswith("From 2008-01-01 to 2018-01-01 there are more than 10000 buckets of one hour.")
    assert "Take interval=day, or narrow the orders with order_date__gte and order_date__lt." in message
    assert said["allowed"]["interval"][0] == "day"
    assert len(buckets(api, interval="day")) == 3654


def test_all_that_is_wrong_is_said_at_once(api: APIClient) -> None:
    said = refusal(api, HISTOGRAM, field="order_dat", interval="mont", tz="x", websit="1", ordering="count")
    assert "Did you mean 'order_date'?" in said["field"][0]
    assert "Did you mean 'month'?" in said["interval"][0]
    assert {"tz", "websit", "ordering"} < set(said)
