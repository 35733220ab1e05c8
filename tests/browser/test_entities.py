"""From an order to its customer and product, and back, on a desk and on a phone, in light and dark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from catalog import rules
from catalog.corrections import correct, retire
from catalog.models import Change, Correction, Order, ValueRule
from tests.browser.conftest import Picture, Visit, fits
from tests.factories import make_conflict

ORDER = "/admin/catalog/order/services/18443753/change/"
WHY = "a typing error in the year, says the invoice"


def order() -> Order:
    return Order.objects.get(order_id=18443753)


@pytest.fixture
def much_changed(sample: None) -> Order:
    """The order of the year 2042 with a history: corrected twice, in conflict, decided, touched by a rule."""
    Order.objects.filter(order_id=18443753).update(voucher_status="EXPRIED")
    correct(order(), "order_date", datetime(2017, 12, 21, 6, 25, 55, tzinfo=UTC), actor="ana", reason=WHY)
    conflict = make_conflict(order(), "website", "VVBE", "VVFR")
    retire(Correction.objects.filter(pk=conflict.pk), actor="ben", reason="the source is right")
    rule, _ = ValueRule.objects.get_or_create(
        field="voucher_status", old="EXPRIED", new="EXPIRED", defaults={"reason": "a typing error of the shop"}
    )
    rules.switch_on(rule, actor="ana")
    start = datetime(2026, 11, 23, 4, 15, 2, tzinfo=UTC)
    for days, change in enumerate(Change.objects.order_by("pk")):
        Change.objects.filter(pk=change.pk).update(at=start + timedelta(days=days, minutes=7 * days))
    return order()


def test_who_finds_the_order_of_2042_sees_why_and_where(
    visit: Visit, size: str, sample: None, picture: Picture
) -> None:
    page = visit("steward", name="ana", size=size)
    page.goto(ORDER)

    doubt = page.locator(".doubt").first
    expect(doubt).to_contain_text(
        "The order is dated later than the moment at which its values came into the catalogue."
    )
    expect(doubt).to_contain_text("order_date is 2042-12-21 06:25:55; the values came on 2026-11-23 04:15:02.")
    assert fits(page)
    picture(page, "suspect")
    doubt.get_by_role("link", name="order_date").click()
    expect(page.get_by_label("order_date", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_history_as_a_picture(visit: Visit, size: str, scheme: str, much_changed: Order, picture: Picture) -> None:
    page = visit("viewer", size=size)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(ORDER)
    assert fits(page)
    drawn = page.locator(".timeline-picture")
    expect(drawn.locator("a.mark")).to_have_count(6)
    expect(drawn).to_contain_text("source: 2042-12-21")
    picture(page, f"timeline-{scheme}", whole=True)
    # The newest can be seen at once, and marks are links for the keyboard too.
    drawn.scroll_into_view_if_needed()
    shown = page.locator(".timeline-scroll").evaluate(
        "box => box.getBoundingClientRect().right - box.querySelector('svg').getBoundingClientRect().right"
    )
    assert shown >= -1
    drawn.locator("a.mark").nth(1).focus()
    page.keyboard.press("Enter")
    entry = page.locator("td:target")
    expect(entry).to_be_in_viewport()
    assert fits(page)


def test_from_an_order_to_its_customer_and_product(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("viewer", size=size)
    page.goto(ORDER)
    page.locator(".glance").get_by_role("link", name="services/").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Customer")
    expect(page.locator(".remarks")).to_contain_text("1 order is suspect: The order is dated later")
    assert fits(page)
    picture(page, "customer", whole=True)
    page.locator(".remarks").get_by_role("link", name="services/18443753").first.click()
    page.locator(".glance").get_by_role("link").nth(1).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Product")
    assert fits(page)
    picture(page, "product", whole=True)
    page.get_by_text("The numbers").click()
    assert fits(page)
    link = page.locator(".chart-figure tbody td a").first
    count = int(link.inner_text())
    link.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(count)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_busiest_product(visit: Visit, size: str, scheme: str, sample: None, picture: Picture) -> None:
    numbers: dict[int, int] = {}
    for number in Order.objects.filter(source="services").values_list("product_id", flat=True):
        numbers[number or 0] = numbers.get(number or 0, 0) + 1
    numbers.pop(0, None)
    busiest = max(numbers, key=lambda number: numbers[number])
    page = visit("viewer", size=size)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"/admin/catalog/product/services/{busiest}/")
    expect(page.locator(".figure-card").first).to_contain_text(f"{numbers[busiest]:,}")
    assert fits(page)
    picture(page, f"busiest-{scheme}", whole=True)
