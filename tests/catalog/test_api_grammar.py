"""The grammar of a question: alternatives, contradictions, words that are taken, and queries made at random."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from catalog import tallies
from catalog.api.filters import FORMAT, OrderFilterSet
from catalog.api.order_pages import OrderPagination
from catalog.api.strict import RESERVED
from catalog.contract import NAMES
from catalog.corrections import correct
from catalog.models import Order
from tests.factories import START, make_change, make_order, make_orders, make_source, order_values
from tests.read_side import ORDERS, api, numbers, refusal

__all__ = ["api"]

pytestmark = pytest.mark.django_db

Predicate = Callable[[Order], bool]


def test_no_column_is_named_like_a_word_of_the_grammar() -> None:
    words = {*OrderPagination.parameters, *OrderFilterSet.further, FORMAT, "facet", "having", "metrics", "and"}
    assert {"ordering", "fields", "cursor", "page_size", "count", "as_of", "or", "format"} <= words
    assert not (words | RESERVED) & set(NAMES)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("website=VVNL", "'(' is missing before 'website=VVNL'"),
        ("(website=VVNL", "')' is missing at the end"),
        ("(website=VVNL))", "more after the closing bracket: ')'"),
        ("()", "a condition is missing before ')'"),
        ("(website=VVNL,)", "a condition is missing before ')'"),
        ("(website)", "'website' is no condition; write it like website=VVNL"),
        ("(not(website=VVNL))", "'not' is no condition"),
        ("(websit=VVNL)", "websit: Unknown parameter. Did you mean 'website'?"),
        ("(website__like=V)", "website__like: Unknown lookup 'like' for website."),
        ("(website=)", "website: a value is empty"),
        ("(customer_id=12.5)", "customer_id: '12.5' is not a whole number"),
        ("(customer_id__in=1,2)", "'2' is no condition"),
        ("(removed=true)", "removed: Unknown parameter."),
        ("(ordering=website)", "ordering: Unknown parameter."),
        ("(order_id=1)(order_id=2)", "more after the closing bracket"),
        ("or(" * 3 + "order_id=1" + ")" * 3, "'(' is missing before"),
        ("(or(or(or(or(order_id=1)))))", "nested deeper than 4"),
        (f"({','.join(['order_id=1'] * 51)})", "more than 50 conditions"),
        ("(and(website=VVNL,website=VVBE))", "No order can meet both website and website"),
        ("(order_status=PAID,and(order_id__gt=5,order_id__lt=5))", "order_id__gt and order_id__lt"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(api: APIClient, group: str, words: str) -> None:
    said = refusal(api, ORDERS, **{"or": group})
    assert any(words in message for message in said["or"]), said["or"]


def test_all_that_is_wrong_in_groups_and_outside_comes_at_once(api: APIClient) -> None:
    said = refusal(api, f"{ORDERS}?or=(websit=1,customer_id=x)&or=(&websit=2&as_of=tomorrow&fields=order_idd")
    assert set(said) == {"or", "websit", "as_of", "fields", "code", "allowed"}
    assert len(said["or"]) == 3


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("website=VVNL&website__ne=VVNL", "website and website__ne"),
        ("website__in=VVNL,VVBE&website__startswith=AV", "website__in and website__startswith"),
        ("website=VVNL&website__contains=BE", "website and website__contains"),
        ("customer_id=5&customer_id__gt=5", "customer_id and customer_id__gt"),
        ("customer_id__gte=9&customer_id__lte=3", "customer_id__gte and customer_id__lte"),
        ("customer_id__range=5,9&customer_id__in=1,2", "customer_id__range and customer_id__in"),
        ("payment_id__isnull=true&payment_id=4", "payment_id__isnull and payment_id"),
        ("payment_date__isnull=true&payment_date__year=2018", "payment_date__isnull and payment_date__year"),
        ("order_date=2018-01-01&order_date__gt=2018-01-01", "order_date and order_date__gt"),
        ("order_date__year=2018&order_date__lt=2018-01-01", "order_date__year and order_date__lt"),
        ("order_date__date=2018-01-01&order_date__range=2018-01-02,2018-01-09", "order_date__date and order_date__r"),
    ],
)
def test_what_no_order_can_meet_is_named(api: APIClient, query: str, parameters: str) -> None:
    [messages] = [value for key, value in refusal(api, f"{ORDERS}?{query}").items() if key not in ("code", "allowed")]
    assert messages[0].startswith(f"No order can meet both {parameters}")


@pytest.mark.parametrize(
    "query",
    [
        "website=VVNL&website__in=VVNL,VVBE",
        ["website__ne=VVNL", "website__ne=VVNL"][0],
        "customer_id__gte=5&customer_id__lte=5",
        "customer_id__gt=4&customer_id__lt=6",
        "payment_id__isnull=true&payment_id__ne=4",
        "order_date__gte=2018-01-01&order_date__lte=2018-01-01",
        "order_date__year=2018&order_date__month=2",
        "or=(website=VVNL,website=VVBE)&website=VVNL".replace(",website=VVBE", ",customer_id=1"),
    ],
)
def test_what_some_order_can_meet_is_asked_for(api: APIClient, query: str) -> None:
    assert api.get(f"{ORDERS}?{query}").status_code == 200


def test_several_groups_must_all_hold(api: APIClient) -> None:
    for number in range(1, 7):
        make_order(number, website="VVNL" if number % 2 else "VVBE", order_status="PAID" if number < 4 else "CANCELED")
    query = f"{ORDERS}?ordering=order_date&or=(website=VVBE,order_id=5)&or=(order_status=CANCELED,order_id=2)"
    assert [order["order_id"] for order in api.get(query).json()["results"]] == [2, 4, 5, 6]


def test_orders_that_show_something_else_than_their_source_says(api: APIClient) -> None:
    make_orders(4)
    correct(Order.objects.get(order_id=2), "website", "VVBE", actor="ana", reason="invoice")
    assert numbers(api, overlaid="true") == [2]
    assert numbers(api, overlaid="false") == [1, 3, 4]
    assert numbers(api, **{"or": "(overlaid=true,order_id=4)"}) == [2, 4]


def test_orders_with_a_correction_and_by_whom(api: APIClient) -> None:
    make_orders(4)
    correct(Order.objects.get(order_id=2), "website", "VVBE", actor="ana", reason="invoice")
    correct(Order.objects.get(order_id=3), "website", "VVBE", actor="ben", reason="invoice")

    assert numbers(api, has_correction="true") == [2, 3]
    assert numbers(api, has_correction="false") == [1, 4]
    assert numbers(api, corrected_by="ana") == [2]
    assert numbers(api, corrected_by="nobody") == []
    assert numbers(api, **{"or": "(corrected_by=ana,order_id=4)"}) == [2, 4]


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("website,-order_id", [3, 1, 4, 2]),
        ("-website,order_id", [2, 4, 1, 3]),
        ("payment_status,-website,order_id", [4, 1, 3, 2]),
        ("-payment_status,order_id", [2, 1, 3, 4]),
    ],
)
def test_orderings_may_be_mixed(api: APIClient, ordering: str, found: list[int]) -> None:
    for number in range(1, 5):
        status = {2: None, 4: "AUTHORISED"}.get(number, "PAID")
        make_order(number, website="A" if number % 2 else "B", payment_status=status)
    assert numbers(api, ordering=ordering) == found
    pages, url = [], f"{ORDERS}?ordering={ordering}&page_size=1"
    while url:
        page = api.get(url).json()
        pages += [order["order_id"] for order in page["results"]]
        url = page["next"]
    assert pages == found


# Each condition with what it means, said once more in Python.
CODES = st.sampled_from(["A", "B", "AB", "b"])
IDS = st.integers(1, 4)
DAYS = st.integers(0, 40).map(lambda day: START + timedelta(days=day))


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


CONDITIONS: list[st.SearchStrategy[tuple[str, str, Predicate]]] = [
    CODES.map(lambda v: ("website", v, lambda o: o.website == v)),
    CODES.map(lambda v: ("website__ne", v, lambda o: o.website != v)),
    CODES.map(lambda v: ("website__startswith", v, lambda o: o.website.startswith(v))),
    CODES.map(lambda v: ("website__contains", v, lambda o: v in o.website)),
    CODES.map(lambda v: ("voucher_status__ne", v, lambda o: o.voucher_status != v)),
    st.lists(CODES, min_size=1, max_size=3).map(
        lambda vs: ("voucher_status__in", ",".join(vs), lambda o: o.voucher_status in vs)
    ),
    st.booleans().map(lambda v: ("voucher_status__isnull", str(v).lower(), lambda o: (o.voucher_status is None) == v)),
    IDS.map(lambda v: ("product_id", str(v), lambda o: o.product_id == v)),
    IDS.map(lambda v: ("product_id__ne", str(v), lambda o: o.product_id != v)),
    IDS.map(lambda v: ("product_id__gt", str(v), lambda o: o.product_id is not None and o.product_id > v)),
    IDS.map(lambda v: ("product_id__lte", str(v), lambda o: o.product_id is not None and o.product_id <= v)),
    IDS.map(lambda v: ("customer_id__range", f"{v},{v + 1}", lambda o: v <= o.customer_id <= v + 1)),
    IDS.map(lambda v: ("order_id__ne", str(v), lambda o: o.order_id != v)),
    IDS.map(lambda v: ("order_id__gte", str(v), lambda o: o.order_id >= v)),
    IDS.map(lambda v: ("search", str(v), lambda o: v in (o.order_id, o.customer_id, o.product_id))),
    DAYS.map(lambda v: ("order_date", day(v), lambda o: o.order_date.date() == v.date())),
    DAYS.map(lambda v: ("order_date__gte", day(v), lambda o: o.order_date.date() >= v.date())),
    DAYS.map(lambda v: ("order_date__gt", day(v), lambda o: o.order_date.date() > v.date())),
    DAYS.map(lambda v: ("order_date__ne", day(v), lambda o: o.order_date.date() != v.date())),
    st.integers(1, 3).map(lambda v: ("order_date__month", str(v), lambda o: o.order_date.month == v)),
    DAYS.map(
        lambda v: (
            "payment_date__lt",
            day(v),
            lambda o: o.payment_date is not None and o.payment_date.date() < v.date(),
        )
    ),
]
CONDITION = st.one_of(CONDITIONS)


def as_text(condition: tuple[str, str, Predicate]) -> str:
    name, value, _ = condition
    return f"{name}=({value})" if "," in value else f"{name}={value}"


def all_of(parts: list[tuple[str, Predicate]]) -> tuple[str, Predicate]:
    return f"and({','.join(text for text, _ in parts)})", lambda o: all(meets(o) for _, meets in parts)


def any_of(parts: list[tuple[str, Predicate]]) -> tuple[str, Predicate]:
    return f"or({','.join(text for text, _ in parts)})", lambda o: any(meets(o) for _, meets in parts)


MEMBER = st.recursive(
    CONDITION.map(lambda condition: (as_text(condition), condition[2])),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(all_of), st.lists(inner, min_size=1, max_size=3).map(any_of)
    ),
    max_leaves=6,
)
GROUP = st.lists(MEMBER, min_size=1, max_size=3).map(any_of)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "website": CODES,
            "voucher_status": st.none() | CODES,
            "customer_id": IDS,
            "product_id": st.none() | IDS,
            "payment_id": st.none(),
            "voucher_id": st.none(),
            "order_date": DAYS,
            "payment_date": st.none() | DAYS,
        }
    ),
    max_size=10,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, plain=st.lists(CONDITION, max_size=2, unique_by=lambda c: c[0]), group=st.none() | GROUP)
def test_a_query_finds_what_it_says(
    api: APIClient,
    rows: list[dict[str, Any]],
    plain: list[tuple[str, str, Predicate]],
    group: tuple[str, Predicate] | None,
) -> None:
    Order.objects.all().delete()
    change, source = make_change(), make_source()
    orders = [Order(**order_values(number, source, change, **values)) for number, values in enumerate(rows, 1)]
    Order.objects.bulk_create(orders)
    tallies.rebuild()
    query = {name: value for name, value, _ in plain} | ({"or": group[0].removeprefix("or")} if group else {})
    meets = [predicate for _, _, predicate in plain] + ([group[1]] if group else [])

    response = api.get(ORDERS, {"ordering": "order_id", **query})

    expected = [order.order_id for order in orders if all(predicate(order) for predicate in meets)]
    body = response.json()
    if response.status_code == 400:
        assert "No order can meet" in str(body) or "nested deeper" in str(body)
        assert not expected or "nested deeper" in str(body) or group
        return
    assert [order["order_id"] for order in body["results"]] == expected
    assert body["count"] == len(expected)


def test_values_in_groups_are_never_part_of_the_sql(api: APIClient) -> None:
    make_order(1, order_date=datetime(2018, 1, 1, tzinfo=UTC))
    for value in ("x' OR '1'='1", "1;DROP TABLE catalog_order", '"', "%", "\\"):
        response = api.get(ORDERS, {"or": f"(website={value},source={value})"})
        assert response.status_code == 400, value
    assert api.get(ORDERS, {"corrected_by": "x' OR '1'='1"}).json()["count"] == 0
    assert Order.objects.count() == 1
