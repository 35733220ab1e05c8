"""Correcting a column of many orders at once in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.corrections import correct
from catalog.models import Change, Correction, Order
from catalog.read_only import BoundedPaginator
from tests.admin_side import Fields, client_of, fields_of, get, post, said, text_of
from tests.factories import make_order, make_orders

pytestmark = pytest.mark.django_db

ORDERS = "/admin/catalog/order/"
ASKED = {"column": "order_status", "value": "SHIPPED", "reason": "left the warehouse on Monday"}


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def statuses() -> list[str]:
    return list(Order.objects.order_by("key").values_list("order_status", flat=True))


def ticked(*orders: Order, everything: bool = False) -> Fields:
    """What the list sends when orders are ticked and the action is chosen."""
    return {
        "action": "correct_selected",
        "index": "0",
        "select_across": str(int(everything)),
        "_selected_action": [order.pk for order in orders],
    }


def ask(client: Client, *orders: Order, path: str = ORDERS, everything: bool = False) -> Fields:
    """The form of the first page."""
    return fields_of(post(client, path, ticked(*orders, everything=everything)), "column")


def preview(client: Client, *orders: Order, path: str = ORDERS, everything: bool = False, **asked: str) -> str:
    """The second page."""
    fields = ask(client, *orders, path=path, everything=everything)
    return post(client, path, fields | ASKED | asked | {"step": "preview"})


def confirm(client: Client, page: str, path: str = ORDERS, **tampered: Any) -> str:
    """What pressing the button of the second page leads to."""
    return post(client, path, fields_of(page, "seen") | {"step": "confirm"} | tampered)


def test_ticked_orders_are_asked_about_previewed_and_corrected(steward: Client) -> None:
    orders = make_orders(3)
    make_order(4, order_status="SHIPPED")

    page = preview(steward, *orders[:2], Order.objects.get(order_id=4))

    assert "3 orders are selected. 2 of them do not show order_status SHIPPED yet" in text_of(page)
    assert "Correct 2 orders" in page
    assert "left the warehouse on Monday" in page
    assert re.findall(r"services/\d+ \w+ \w+ \w+", text_of(page)) == [
        "services/2 PAID SHIPPED PAID",
        "services/1 PAID SHIPPED PAID",
    ]
    assert not Correction.objects.exists(), "only a preview"
    assert said(confirm(steward, page)) == "Corrected order_status of 2 orders."
    assert statuses() == ["SHIPPED", "SHIPPED", "PAID", "SHIPPED"]
    change = Change.objects.get(kind=Change.Kind.CORRECTION)
    assert (change.actor, change.reason) == ("steward", "left the warehouse on Monday")


def test_all_orders_that_the_filters_find_across_pages(steward: Client) -> None:
    make_orders(60, website="VVBE")
    make_order(61, website="VVNL")
    make_order(62, website="VVBE", removed=True)
    path = f"{ORDERS}?website=VVBE"
    some = list(Order.objects.filter(website="VVBE")[:2])

    page = preview(steward, *some, path=path, everything=True)

    assert "All orders that the list's filters and search find are selected. 60 of them" in text_of(page)
    assert "The newest 10 of them" in page
    assert text_of(page).count("PAID SHIPPED PAID") == 10
    assert "of 60 orders" in said(confirm(steward, page, path))
    assert statuses() == ["SHIPPED"] * 60 + ["PAID"] * 2


def test_all_that_a_search_finds(steward: Client) -> None:
    orders = make_orders(3)
    make_order(7, customer_id=1002)
    path = f"{ORDERS}?q=1002"
    page = preview(steward, orders[1], path=path, everything=True, column="customer_id", value="5")
    assert "Corrected customer_id of 2 orders." in said(confirm(steward, page, path))
    assert list(Order.objects.order_by("key").values_list("customer_id", flat=True)) == [1001, 5, 1003, 5]


def test_without_javascript_all_can_be_taken_on_the_page_itself(steward: Client) -> None:
    orders = make_orders(3)
    typed = ask(steward, orders[0]) | ASKED
    page = post(steward, ORDERS, typed | {"select_across": ["0", "1"]})
    assert "All orders that the list's filters and search find are selected." in text_of(page)
    fields = fields_of(page, "column")
    assert {name: fields[name] for name in ASKED} == ASKED, "nothing typed is lost"
    assert "Correct 3 orders" in post(steward, ORDERS, fields | {"step": "preview"})


def test_the_value_is_read_by_the_contract_of_its_column(steward: Client) -> None:
    orders = make_orders(2)
    wrong: tuple[tuple[Any, str], ...] = (
        ({"column": "customer_id", "value": "1e5"}, "'1e5' is not a whole number"),
        ({"column": "website", "value": ""}, "website is required and missing."),
        ({"value": "a b"}, "'a b' has characters other than"),
        ({"column": ""}, "This field is required."),
        ({"column": "order_id"}, "Select a valid choice."),
        ({"column": "nonsense"}, "Select a valid choice."),
        ({"reason": "  "}, "Say why"),
    )
    for asked, sentence in wrong:
        page = preview(steward, *orders, **asked)
        assert sentence in text_of(page)
        fields = fields_of(page, "column")
        for name in ("value", "reason"):
            assert fields[name] == (ASKED | asked)[name], "nothing typed is lost"
    assert not Correction.objects.exists()


def test_a_missing_value_can_be_the_right_one(steward: Client) -> None:
    orders = make_orders(2)
    page = preview(steward, *orders, column="payment_date", value="")
    assert "2018-01-01 02:09:00 - 2018-01-01 02:09:00" in text_of(page)
    confirm(steward, page)
    assert set(Order.objects.values_list("payment_date", flat=True)) == {None}


def test_nothing_differs(steward: Client) -> None:
    orders = make_orders(2)
    page = preview(steward, *orders, value="PAID")
    assert said(page) == "All these orders show order_status PAID already; nothing would change."
    assert fields_of(page, "column")["value"] == "PAID"


def test_what_was_asked_can_be_changed_after_the_preview(steward: Client) -> None:
    orders = make_orders(2)
    fields = fields_of(preview(steward, *orders), "seen")
    page = post(steward, ORDERS, fields | {"step": "ask"})
    assert {name: fields_of(page, "column")[name] for name in ASKED} == ASKED


def test_what_changes_between_preview_and_confirmation_is_shown_first(steward: Client) -> None:
    orders = make_orders(2)
    page = preview(steward, *orders)
    correct(Order.objects.get(pk=orders[0].pk), "order_status", "SHIPPED", actor="ben", reason="so")

    again = confirm(steward, page)

    assert "The catalogue was changed meanwhile by ben (correction by hand); look again" in said(again)
    assert "Correct 1 order<" in again
    assert statuses() == ["SHIPPED", "PAID"]
    assert "Corrected order_status of 1 order." in said(confirm(steward, again))
    assert statuses() == ["SHIPPED", "SHIPPED"]


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40])
def test_a_confirmation_that_saw_nothing_is_shown_the_preview(steward: Client, seen: str) -> None:
    orders = make_orders(2)
    again = confirm(steward, preview(steward, *orders), seen=seen)
    assert "look again at what would be changed" in said(again)
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("tampered", "sentence"),
    [
        ({"column": "order_id"}, "Column: Select a valid choice."),
        ({"value": "a b"}, "Value: 'a b' has characters other than"),
        ({"reason": ""}, "Reason: Say why; the reason is kept for good."),
        ({"column": "customer_id"}, "Value: 'SHIPPED' is not a whole number"),
        ({"value": "a\0b"}, "Value: Null characters are not allowed."),
    ],
)
def test_a_tampered_confirmation_is_asked_about_again(steward: Client, tampered: dict[str, str], sentence: str) -> None:
    orders = make_orders(2)
    page = confirm(steward, preview(steward, *orders), **tampered)
    assert sentence in said(page)
    assert "<title>Error: Correct a column of many orders" in page
    assert not Correction.objects.exists()


@pytest.mark.parametrize("keys", [["x"], ["1", "-1"], ["9" * 40], ["1.5"], [""]])
def test_rows_that_cannot_exist_are_told(steward: Client, keys: list[str]) -> None:
    make_orders(2)
    page = post(steward, ORDERS, ticked() | ASKED | {"_selected_action": keys, "step": "confirm"})
    assert "The request names rows that cannot exist" in said(page)
    assert not Correction.objects.exists()


def test_unknown_rows_and_actions_change_nothing(steward: Client) -> None:
    make_orders(2)
    page = post(steward, ORDERS, ticked() | ASKED | {"_selected_action": ["77"], "step": "preview"})
    assert "nothing would change" in said(page)
    assert "No action selected" in said(post(steward, ORDERS, ticked() | {"action": "drop", "_selected_action": ["7"]}))


def test_no_order_ticked(steward: Client) -> None:
    make_orders(2)
    assert "Items must be selected" in said(post(steward, ORDERS, ticked()))


def test_viewers_have_no_such_action() -> None:
    viewer = client_of("viewer")
    orders = make_orders(2)
    assert "correct_selected" not in get(viewer, ORDERS)
    sent = ticked(*orders) | ASKED | {"step": "confirm", "seen": str(Change.objects.first().pk)}  # type: ignore[union-attr]
    for fields in (sent, {name: sent[name] for name in sent if name != "index"}):
        viewer.post(ORDERS, fields)
    assert not Correction.objects.exists()


def test_the_list_does_not_say_that_its_bound_is_all(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_orders(70)
    assert "Select all 70 orders that the filters find" in text_of(get(steward, ORDERS))
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 60)
    assert "Select all orders that the filters find" in text_of(get(steward, ORDERS))


def test_many_orders_take_as_many_statements_as_few(steward: Client) -> None:
    # One order stays as it is: where a change has made all that there is, the summary is counted anew.
    make_orders(61)
    taken = []
    for count, value in ((2, "NEW"), (60, "SHIPPED")):
        chosen = list(Order.objects.order_by("key")[:count])
        page = preview(steward, *chosen, value=value)
        fields = fields_of(page, "seen") | {"step": "confirm"}
        with CaptureQueriesContext(connection) as queries:
            steward.post(ORDERS, fields)
        taken.append(len(queries))
    assert taken[0] == taken[1]
    assert statuses() == ["SHIPPED"] * 60 + ["PAID"]
