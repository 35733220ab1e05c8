"""The admin's page of an order says why it is suspect, and where it is put right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog import quality
from catalog.corrections import correct
from catalog.models import Order, ValueRule
from tests.admin_side import client_of, get, text_of
from tests.factories import make_order

pytestmark = pytest.mark.django_db
PAGE = "/admin/catalog/order/services/5/change/"
LATER = datetime(2942, 12, 21, 6, 25, 55, tzinfo=UTC)
SUSPECT: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ordered_in_future": ({"order_date": LATER, "payment_date": None}, ("order_date",)),
    "paid_before_ordered": ({"payment_date": datetime(2017, 1, 1, tzinfo=UTC)}, ("order_date", "payment_date")),
    "paid_without_payment": ({"payment_id": None}, ("order_status", "payment_id")),
    "canceled_but_paid": ({"order_status": "CANCELED"}, ("order_status", "payment_status")),
    "refunded_but_not_canceled": ({"payment_status": "REFUNDED"}, ("order_status", "payment_status")),
    "refunded_but_voucher_paid": (
        {"order_status": "CANCELED", "payment_status": "REFUNDED", "voucher_status": "PAID_TO_SUPPLIER"},
        ("voucher_status", "payment_status"),
    ),
    "voucher_incomplete": ({"voucher_id": None}, ("voucher_id", "voucher_status")),
    "unknown_status": ({"voucher_status": "LOST"}, ("voucher_status",)),
}


def test_there_is_an_example_of_each_check() -> None:
    assert list(SUSPECT) == [check.name for check in quality.CHECKS]


@pytest.mark.parametrize("name", SUSPECT)
def test_a_suspect_order_says_why_and_leads_to_what_mends_it(name: str) -> None:
    values, columns = SUSPECT[name]
    made = make_order(5, **values)
    [check] = quality.failed_by(made)
    assert check.name == name
    assert Order.objects.filter(check.condition).exists()

    page = get(client_of("steward"), PAGE)

    assert page.count('class="doubt"') == 1
    said = text_of(page)
    assert f"suspect {check.sentence}" in said
    assert f"What mends it: {check.cure}" in said
    for column in columns:
        assert f'<a href="#id_{column}">{column}</a>' in page
        assert f'id="id_{column}"' in page
    assert page.count('<span class="pill pill-suspect">suspect</span>') == len(columns), "in the table of values"


def test_who_may_not_correct_is_led_to_the_values() -> None:
    make_order(5, order_date=LATER)
    page = get(client_of("viewer"), PAGE)
    assert '<a href="#row-order_date">order_date</a> is <strong>2942-12-21 06:25:55</strong>' in page
    assert "What would mend it: Correct order_date" in text_of(page)
    change = Order.objects.get().change
    assert f"the values came on {change.at:%Y-%m-%d}" in text_of(page)


def test_a_correction_takes_the_doubt_away() -> None:
    make_order(5, order_date=LATER, payment_date=None)
    steward = client_of("steward")
    assert 'class="doubt"' in get(steward, PAGE)
    correct(Order.objects.get(), "order_date", datetime(2017, 12, 21, tzinfo=UTC), actor="ana", reason="so")
    page = get(steward, PAGE)
    assert 'class="doubt"' not in page
    said = text_of(page)
    assert "correction order_date 2017-12-21 00:00:00; the source says 2942-12-21 06:25:55" in said, "at a glance"


def test_a_rule_that_would_mend_it_is_named() -> None:
    make_order(5, voucher_status="EXPRIED")
    rule = ValueRule.objects.get()
    page = get(client_of("steward"), PAGE)
    assert f'There is a rule that is off: <a href="/admin/catalog/valuerule/{rule.pk}/change/">{rule}</a>.' in page


def test_a_sound_order_raises_no_doubt() -> None:
    make_order(5)
    assert quality.failed_by(Order.objects.get()) == []
    assert 'class="doubt"' not in get(client_of("steward"), PAGE)


def test_the_customer_and_the_product_are_a_click_away() -> None:
    make_order(5)
    viewer = client_of("viewer")
    page = get(viewer, PAGE)
    assert 'Customer <a href="/admin/catalog/customer/services/1005/">services/1005</a>' in page
    assert 'Product <a href="/admin/catalog/product/services/505/">services/505</a>' in page
    Order.objects.update(customer_id=None)
    assert "/admin/catalog/customer/" not in get(viewer, PAGE), "erased"
