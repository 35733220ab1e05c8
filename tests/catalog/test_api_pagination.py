"""Pages of the API: exact at any depth, both ways, with ties and missing values; and a count that is bounded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from catalog.api import pagination
from catalog.api.conditional import answers
from catalog.api.views import OrderViewSet
from catalog.models import Order
from tests.factories import START, make_order, make_orders, make_run, make_source, order_values
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

FEW = st.one_of(st.none(), st.integers(1, 3))
DAYS = FEW.map(lambda days: None if days is None else START + timedelta(days=days))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "order_date": st.integers(1, 3).map(lambda days: START + timedelta(days=days)),
            "payment_date": DAYS,
            "customer_id": st.integers(1, 3),
            "product_id": FEW,
            "payment_id": FEW,
            "voucher_id": FEW,
            "website": st.sampled_from(["AVDD-NL", "VVBE", "VVNL"]),
            "voucher_status": st.sampled_from([None, "EXPIRED", "USED"]),
        }
    ),
    max_size=14,
)
ORDERINGS = st.lists(st.sampled_from(list(OrderViewSet.sorts)), min_size=1, max_size=3, unique=True).flatmap(
    lambda fields: st.tuples(*(st.sampled_from((field, f"-{field}")) for field in fields))
)


def expected(rows: list[Order], ordering: tuple[str, ...]) -> list[str]:
    """The same order by the plainest means: sorted in memory by one key after the other, the last one first."""
    fields: list[tuple[str, bool]] = []
    for position, name in enumerate(ordering):
        ties = OrderViewSet.sorts[name.lstrip("-")]
        for field in ties if position == len(ordering) - 1 else ties[:1]:
            if field not in dict(fields):
                fields.append((field, name.startswith("-")))
    fields.append(("key", ordering[-1].startswith("-")))
    for field, descending in reversed(fields):
        rows = sorted(rows, key=lambda row: (getattr(row, field) is None, getattr(row, field) or 0), reverse=descending)
    return [row.natural_key for row in rows]


def visit(api: APIClient, url: str | None, direction: str) -> list[tuple[str, list[str]]]:
    """The pages from `url` on: the address of each, and the orders on it."""
    pages: list[tuple[str, list[str]]] = []
    while url:
        assert len(pages) < 20, "a walk that does not end"
        page = api.get(url).json()
        pages.append((url, [f"{row['source']}/{row['order_id']}" for row in page["results"]]))
        url = page[direction]
    return pages


def walk(api: APIClient, url: str | None, direction: str) -> list[list[str]]:
    """The orders on the pages from `url` on."""
    return [orders for _, orders in visit(api, url, direction)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, ordering=ORDERINGS, size=st.integers(1, 5))
def test_walking_either_way_meets_every_order_once(
    api: APIClient, rows: list[dict[str, Any]], ordering: tuple[str, ...], size: int
) -> None:
    Order.objects.all().delete()
    change = make_run().change
    assert change is not None
    sources = (make_source("services"), make_source("avdd"))
    made = Order.objects.bulk_create(
        Order(**order_values(number, sources[number % 2], change, **values)) for number, values in enumerate(rows, 1)
    )
    first = f"{ORDERS}?ordering={','.join(ordering)}&page_size={size}"
    visited = visit(api, first, "next")
    forwards = [orders for _, orders in visited]
    assert [name for page in forwards for name in page] == expected(made, ordering)
    assert all(len(page) == size for page in forwards[:-1])
    assert walk(api, visited[-1][0], "previous")[::-1] == forwards


def test_newest_first_unless_told_otherwise(api: APIClient) -> None:
    make_orders(3)
    assert [order["order_id"] for order in api.get(ORDERS).json()["results"]] == [3, 2, 1]


def test_missing_values_stand_first_descending_and_last_ascending(api: APIClient) -> None:
    make_order(1, payment_date=None)
    make_order(2)
    for ordering, found in (("payment_date", [2, 1]), ("-payment_date", [1, 2])):
        page = api.get(ORDERS, {"ordering": ordering}).json()
        assert [order["order_id"] for order in page["results"]] == found


def test_an_order_that_comes_in_between_neither_repeats_nor_hides_another(api: APIClient) -> None:
    make_orders(4)
    page = api.get(ORDERS, {"page_size": 2}).json()
    make_order(9)
    assert walk(api, page["next"], "next") == [["services/2", "services/1"]]


def test_a_page_can_change_its_size_on_the_way(api: APIClient) -> None:
    make_orders(6)
    following = api.get(ORDERS, {"page_size": 1}).json()["next"].replace("page_size=1", "page_size=3")
    assert walk(api, following, "next") == [["services/5", "services/4", "services/3"], ["services/2", "services/1"]]


def test_links_keep_the_query(api: APIClient) -> None:
    make_orders(3)
    page = api.get(f"{ORDERS}?website=VVNL&ordering=customer_id&page_size=2").json()
    assert page["previous"] is None
    for part in ("website=VVNL", "ordering=customer_id", "page_size=2"):
        assert part in page["next"]


@pytest.mark.parametrize(
    "other", [{"website": "VVBE"}, {"ordering": "order_date"}, {}, {"website": "VVNL", "customer_id__gt": "1"}]
)
def test_a_cursor_belongs_to_its_query(api: APIClient, other: dict[str, str]) -> None:
    make_orders(3)
    following = api.get(ORDERS, {"website": "VVNL", "page_size": "1"}).json()["next"]
    cursor = following.split("cursor=")[1].split("&")[0].replace("%3A", ":")
    assert api.get(ORDERS, {"website": "VVNL", "cursor": cursor}).status_code == 200
    assert "another query" in refusal(api, ORDERS, cursor=cursor, **other)["cursor"][0]
    assert "another query" in refusal(api, "/api/v1/runs/", cursor=cursor)["cursor"][0]


def test_a_cursor_cannot_be_forged(api: APIClient) -> None:
    make_orders(3)
    following = api.get(ORDERS, {"page_size": 1}).json()["next"]
    cursor = following.split("cursor=")[1].split("&")[0].replace("%3A", ":")
    forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    assert "no cursor" in refusal(api, ORDERS, page_size=1, cursor=forged)["cursor"][0]


BY_ROWS = {"customer_id__gte": 1}
"""A filter that the summary of orders knows nothing of."""


def test_a_count_is_exact_up_to_its_bound_and_null_beyond(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make_orders(5)
    monkeypatch.setattr(pagination, "COUNTED", 5)
    assert count_of(api, **BY_ROWS) == (5, "exact")
    make_order(6, change=make_run().change)
    with CaptureQueriesContext(connection) as queries:
        assert count_of(api, **BY_ROWS) == (None, "more")
    assert unbounded(queries) == []
    assert count_of(api, count="exact", **BY_ROWS) == (6, "exact")
    assert count_of(api, customer_id=1001) == (1, "exact")


def test_the_usual_filters_are_counted_exactly_by_the_summary(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make_orders(30)
    monkeypatch.setattr(pagination, "COUNTED", 5)
    for query in ({}, {"count": "exact"}, {"count": "estimated"}):
        with CaptureQueriesContext(connection) as queries:
            assert count_of(api, website="VVNL", order_date__gte="2018-01-02", **query) == (7, "exact")
        assert not [q for q in queries if "COUNT(" in q["sql"]], "no order is looked at"
    assert count_of(api, website="VVNL", order_date__gte="2018-01-02T00:00:00.000001") == (None, "more")


def test_many_are_estimated_by_the_plan_where_the_database_has_one(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    make_orders(40)
    monkeypatch.setattr(pagination, "COUNTED", 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    number, is_what = count_of(api, count="estimated", **BY_ROWS)
    if engine == "postgresql":
        assert is_what == "estimated"
        assert number == pytest.approx(40, abs=2)
    else:
        assert (is_what, number) == ("exact", 40)
    assert count_of(api, count="estimated", customer_id=1001) == (1, "exact")


def count_of(api: APIClient, **query: Any) -> tuple[int | None, str]:
    """The number that a list tells, and what its header says that it is."""
    response = api.get(ORDERS, query)
    return response.json()["count"], response["X-Count"]


def test_a_count_can_be_left_out(api: APIClient) -> None:
    make_orders(2)
    with CaptureQueriesContext(connection) as queries:
        response = api.get(ORDERS, {"count": "none"})
    assert (response.json()["count"], response.has_header("X-Count")) == (None, False)
    assert not [query for query in queries if "COUNT(" in query["sql"]]


def unbounded(queries: CaptureQueriesContext) -> list[str]:
    """The counts of orders among the queries that nothing limits."""
    return [
        q["sql"] for q in queries if "COUNT(" in q["sql"] and "catalog_order" in q["sql"] and "LIMIT" not in q["sql"]
    ]


@pytest.mark.postgresql_only
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "order_by_date"),
        ("website=AVDD-NL", "order_by_website"),
        ("order_status=CANCELED", "order_by_rare_status"),
        ("payment_status=REFUNDED", "order_by_rare_payment_status"),
        ("ordering=payment_date", "order_by_payment_date"),
        ("ordering=customer_id", "order_by_customer"),
        ("ordering=product_id", "order_by_product"),
        ("ordering=payment_id", "order_by_payment"),
        ("ordering=voucher_id", "order_by_voucher"),
        ("ordering=website", "order_by_website"),
    ],
)
def test_an_index_serves_the_first_page_and_the_next(api: APIClient, query: str, index: str) -> None:
    """The planner is kept from reading whole tables, which it would at this size: can it do without?"""
    make_orders(1000)
    Order.objects.filter(order_id__lt=20).update(website="AVDD-NL", order_status="CANCELED", payment_status="REFUNDED")
    first = f"{ORDERS}?count=none&page_size=3&{query}"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_order")
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
    for url in (first, api.get(first).json()["next"]):
        assert index in plan(api, url)


@pytest.mark.postgresql_only
@pytest.mark.parametrize("ordering", ["website", "-website", "source", "-voucher_status", "website,-order_date"])
def test_a_page_among_many_equal_values_begins_where_the_one_before_has_ended(api: APIClient, ordering: str) -> None:
    make_orders(1000)
    # What stands first either way is rare enough for its index to be the best one also among so few orders.
    for last, value in ((50, "A"), (100, "Z")):
        ends = Order.objects.filter(order_id__gt=last - 50, order_id__lte=last)
        ends.update(website=value, source=value, voucher_status=value)
    first = api.get(f"{ORDERS}?count=none&page_size=3&ordering={ordering}").json()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_order")
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    column = ordering.lstrip("-").partition(",")[0]
    assert re.search(rf"Index Cond: \(\(+{column}\b[^<>]* = .*order_date", plan(api, first["next"]))


def plan(api: APIClient, url: str) -> str:
    """How PostgreSQL finds the rows of a page."""
    answers.clear()
    with CaptureQueriesContext(connection) as queries:
        assert api.get(url).status_code == 200
    page = next(query["sql"] for query in queries if 'FROM "catalog_order"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + page.replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())
