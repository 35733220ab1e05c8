"""The summary of orders, their rows and plain Python say the same, whatever has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from catalog import grouping, prepared, rules, tallies
from catalog.changes import NotPossible
from catalog.corrections import correct_many
from catalog.models import Order, Source, ValueRule
from ingestion.models import Run
from ingestion.undo import undo_run
from tests.ingestion.test_stateful import TABLES
from tests.loading import export, ingest, line
from tests.read_side import ORDERS, api

__all__ = ["api"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

ZONE = ZoneInfo("Europe/Amsterdam")
SOURCES = ("services", "avdd")
WEBSITES = ("VVNL", "VVBE", "V-R")
STATUSES = ("PAID", "CANCELED")
VOUCHERS = ("USED", "EXPIRED", "")
TIMES = ("2018-03-24 23:30:00", "2018-03-25 21:59:59.999999", "2018-03-31 22:00:00", "2018-12-31 23:00:00")
"""Ends of days, months and years of Amsterdam, around the night when its clocks go forward."""

Known = dict[str, Any]
Predicate = Callable[[Known], bool]
Condition = tuple[str, str, Predicate]

ROW = st.builds(
    lambda number, source, website, status, voucher, when, customer: line(
        number,
        source=source,
        website=website,
        order_status=status,
        voucher_status=voucher,
        order_date=f"{when}Z",
        payment_status="" if status == "CANCELED" else "PAID",
        customer_id=customer,
    ),
    st.integers(1, 6),
    st.sampled_from(SOURCES),
    st.sampled_from(WEBSITES),
    st.sampled_from(STATUSES),
    st.sampled_from(VOUCHERS),
    st.sampled_from(TIMES),
    st.sampled_from(("7", "8")),
)
CHANGE = st.one_of(
    st.tuples(st.just("load"), st.lists(ROW, min_size=1, max_size=12), st.booleans()),
    st.tuples(st.just("correct"), st.sampled_from(WEBSITES), st.sampled_from(WEBSITES)),
    st.tuples(st.just("rule"), st.sampled_from(STATUSES), st.sampled_from(("SHIPPED", "PAID"))),
    st.tuples(st.just("undo"), st.just(""), st.just("")),
)


def local(moment: datetime) -> datetime:
    return moment.astimezone(ZONE)


def equal(column: str, value: Any) -> Condition:
    return column, value, lambda order: order[column] == value


def since(day: str) -> Condition:
    return "order_date__gte", day, lambda order: local(order["order_date"]).date().isoformat() >= day


def other(column: str, value: Any) -> Condition:
    return f"{column}__ne", value, lambda order: order[column] != value


DAY = st.sampled_from(("2018-03-25", "2018-03-26", "2018-04-01", "2019-01-01"))
CONDITION: st.SearchStrategy[Condition] = st.one_of(
    st.sampled_from(WEBSITES).map(lambda value: equal("website", value)),
    st.sampled_from(SOURCES).map(lambda value: equal("source", value)),
    st.sampled_from(WEBSITES).map(lambda value: other("website", value)),
    st.sampled_from(("USED", "EXPIRED")).map(lambda value: other("voucher_status", value)),
    st.just(("voucher_status__isnull", "true", lambda order: order["voucher_status"] is None)),
    st.sampled_from(("PAID", "SHIPPED")).map(lambda value: equal("order_status", value)),
    DAY.map(since),
    DAY.map(lambda day: ("order_date", day, lambda order: local(order["order_date"]).date().isoformat() == day)),
    st.integers(1, 12).map(
        lambda month: ("order_date__month", str(month), lambda order: local(order["order_date"]).month == month)
    ),
)
GROUP = st.lists(CONDITION, min_size=1, max_size=3)
QUESTION = st.tuples(
    st.lists(CONDITION, max_size=2, unique_by=lambda condition: condition[0]),
    st.lists(GROUP, max_size=2),
    st.sampled_from(("", "true", "any")),
)


class Catalogue:
    """Makes changes as people and files make them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "orders.csv"
        for table in TABLES:
            table._default_manager.all()._raw_delete(using="default")
        Source.objects.bulk_create(Source(number=n, code=code) for n, code in enumerate(SOURCES, start=1))
        tallies.rebuild()

    def change(self, kind: str, *what: Any) -> None:
        # What cannot be done as things stand changes nothing.
        with suppress(NotPossible):
            getattr(self, kind)(*what)

    def load(self, lines: list[str], whole: bool) -> None:
        self.path.write_bytes(export(*lines))
        ingest(self.path, "--force", *(["--full-snapshot", "--max-removals=100%"] if whole else []))

    def correct(self, old: str, new: str) -> None:
        correct_many(Order.objects.filter(website=old), "website", new, actor="ana", reason="a test")

    def rule(self, old: str, new: str) -> None:
        made, _ = ValueRule.objects.get_or_create(field="order_status", old=old, new=new, reason="a test")
        if made.active:
            rules.switch_off(made, actor="ana", reason="a test")
        elif old != new:
            rules.switch_on(made, actor="ana")

    def undo(self, *_: str) -> None:
        if run := Run.objects.filter(status=Run.Status.LOADED).order_by("-pk").first():
            undo_run(run.pk, keep_touched=True)


def as_query(plain: list[Condition], groups: list[list[Condition]], removed: str) -> dict[str, Any]:
    query: dict[str, Any] = {name: value for name, value, _ in plain}
    query["or"] = [f"({','.join(f'{name}={value}' for name, value, _ in group)})" for group in groups]
    return query | ({"removed": removed} if removed else {})


def meets(order: Known, plain: list[Condition], groups: list[list[Condition]], removed: str) -> bool:
    if removed != "any" and order["removed"] != (removed == "true"):
        return False
    return all(p(order) for _, _, p in plain) and all(any(p(order) for _, _, p in group) for group in groups)


FACETS = ("source", "website", "order_status", "voucher_status", "payment_status", "removed")


def answers(api: APIClient, query: dict[str, Any]) -> Iterator[Any]:
    """What the API says to everything that the summary can answer; nothing where the question makes no sense."""
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("facets/", {"facet": [*FACETS, "order_date__month"]}),
        ("aggregate/", {"group_by": "website,order_date__week", "having": "count__gte=2", "ordering": "-count"}),
        ("histogram/", {"interval": "day"}),
        ("", {"page_size": 1, "fields": "order_id"}),
    )
    for path, further in asked:
        response = api.get(f"{ORDERS}{path}", query | further)
        if response.status_code == 400 and "No order can meet" in response.content.decode():
            return
        assert response.status_code == 200, response.content
        yield response.json()


def week(moment: datetime) -> str:
    day = local(moment).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def assert_right(found: list[Any], orders: list[Known]) -> None:
    """The answers are what plain Python says of the orders that meet the conditions."""
    facets, groups, histogram, page = found
    assert facets["total"] == histogram["total"] == page["count"] == len(orders)
    for name in FACETS:
        counted = {value["value"]: value["count"] for value in facets["facets"][name]["values"]}
        assert counted == Counter(order[name] for order in orders)
    weeks = Counter((order["website"], week(order["order_date"])) for order in orders)
    expected = sorted(
        ((*key, count) for key, count in weeks.items() if count >= 2), key=lambda row: (-row[2], row[0], row[1])
    )
    assert [tuple(row.values()) for row in groups["results"]] == expected
    days = Counter(datetime.combine(local(order["order_date"]), time(), ZONE).isoformat() for order in orders)
    assert {bucket["start"]: bucket["count"] for bucket in histogram["buckets"] if bucket["count"]} == days


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
@given(changes=st.lists(CHANGE, min_size=1, max_size=6), questions=st.lists(QUESTION, min_size=2, max_size=5))
def test_the_summary_and_the_rows_say_what_is_there(
    api: APIClient, tmp_path: Path, changes: list[Any], questions: list[Any]
) -> None:
    with override_settings(SOURCE_TIME_ZONE=ZONE):
        catalogue = Catalogue(tmp_path)
        # So that there is something to change.
        catalogue.load([line(n, source=SOURCES[n % 2], order_date=f"{TIMES[n % 4]}Z") for n in range(1, 7)], False)
        for change in changes:
            catalogue.change(*change)
        everything: list[Known] = [dict(order) for order in Order.objects.values()]
        for plain, groups, removed in questions:
            query = as_query(plain, groups, removed)
            orders = [order for order in everything if meets(order, plain, groups, removed)]
            with patch.object(grouping, "rows", only_of_the_summary):
                by_summary = list(answers(api, query))
            # Of these words the summary knows nothing, and all orders meet them.
            by_rows = list(answers(api, query | {"order_id__gte": "1"}))
            assert bool(by_summary) == bool(by_rows)
            if by_summary:
                assert_right(by_summary, orders)
                assert_right(by_rows, orders)


real_rows = prepared.rows


def only_of_the_summary(build: Any, q: Any, key: Any, **options: Any) -> Any:
    """What reads rows, and notices where they are not those of the summary."""
    assert build(q).model is not Order
    return real_rows(build, q, key, **options)
