"""Correcting orders, one and many, and retiring corrections, as a steward clicks through it."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect

from catalog.corrections import correct
from catalog.models import Correction, Order
from tests.browser.conftest import Picture, Visit, date_latest, fits, run_action

ORDER = "/admin/catalog/order/services/18443753/change/"
RIGHT = datetime(2017, 12, 21, 6, 25, 55, tzinfo=UTC)
WHY = "a typing error in the year, says the invoice"


def order() -> Order:
    return Order.objects.get(order_id=18443753)


def test_an_order_is_corrected_and_the_correction_retired(
    visit: Visit, size: str, sample: None, picture: Picture
) -> None:
    page = visit("steward", name="ana", size=size)
    page.goto(ORDER)
    assert fits(page)
    save = page.get_by_role("button", name="Save corrections")
    save.click()
    expect(page.locator(".errornote")).to_contain_text("Nothing differs from what order services/18443753 shows")
    page.get_by_label("order_date", exact=True).fill("2017-12-21")
    save.click()
    row = page.locator(".values tr", has=page.get_by_label("order_date", exact=True))
    expect(row.locator(".errorlist")).to_contain_text("is not a timestamp like")
    picture(page, "correcting", whole=True)
    page.get_by_label("order_date", exact=True).fill("2017-12-21 06:25:55")
    save.click()
    expect(page.locator(".form-row .errorlist")).to_have_text("Say why; the reason is kept for good.")
    assert fits(page)
    page.get_by_label("Reason:").fill(WHY)
    save.click()

    expect(page.locator(".messagelist")).to_have_text("Corrected order_date of order services/18443753.")
    assert order().order_date == RIGHT
    date_latest(9, 30)
    page.reload()
    expect(page.get_by_label("order_date", exact=True)).to_have_value("2017-12-21 06:25:55Z")
    expect(row).to_contain_text("2042-12-21 06:25:55")
    expect(row).to_contain_text("correction by ana, 2026-11-23 09:30:00")
    expect(page.locator(".history tbody tr").first).to_contain_text(WHY)
    assert fits(page)
    picture(page, "corrected", part="#content")
    page.get_by_role("link", name="Retire…").click()
    assert fits(page)
    picture(page, "retiring")
    retire = page.get_by_role("button", name="Retire the correction")
    retire.click()
    expect(page.locator(".errorlist")).to_have_text("Say why; the reason is kept for good.")
    page.get_by_label("Reason:").fill("the invoice was of another order")
    retire.click()

    expect(page.locator(".messagelist")).to_contain_text("Retired the correction of order_date")
    assert order().order_date.year == 2042
    expect(page.locator(".history tbody tr").first).to_contain_text("the invoice was of another order")
    picture(page, "retired", whole=True)


def test_whoever_comes_second_is_told_and_loses_nothing(visit: Visit, sample: None, picture: Picture) -> None:
    page = visit("steward", name="bo")
    page.goto(ORDER)
    page.get_by_label("order_status", exact=True).fill("CANCELED")
    page.get_by_label("Reason:").fill("the customer has called")
    correct(order(), "order_date", RIGHT, actor="ana", reason=WHY)
    date_latest(9, 30)
    save = page.get_by_role("button", name="Save corrections")
    save.click()

    expect(page.locator(".errornote")).to_contain_text("ana")
    expect(page.locator(".errornote")).to_contain_text("What has changed: order_date.")
    expect(page.get_by_label("order_status", exact=True)).to_have_value("CANCELED")
    expect(page.get_by_label("order_date", exact=True)).to_have_value("2017-12-21 06:25:55Z")
    expect(page.get_by_label("Reason:")).to_have_value("the customer has called")
    picture(page, "corrected-meanwhile", whole=True)
    save.click()

    expect(page.locator(".messagelist")).to_have_text("Corrected order_status of order services/18443753.")
    assert (order().order_date, order().order_status) == (RIGHT, "CANCELED")


def test_a_column_of_all_that_the_filters_find(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("steward", size=size)
    page.goto("/admin/catalog/order/?website=VVBDBE")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select all 101 orders that the filters find").click()
    expect(page.get_by_text("All 101 that the filters find are selected")).to_be_visible()
    assert fits(page)
    picture(page, "bulk-ticked")
    run_action(page, "correct_selected")

    expect(page.locator(".lead")).to_have_text("All orders that the list's filters and search find are selected.")
    page.get_by_label("Column:").select_option("website")
    page.get_by_label("Value:").fill("VV BE")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator(".errorlist").first).to_contain_text("characters other than letters")
    expect(page.locator(".errorlist").last).to_contain_text("Say why")
    assert fits(page)
    picture(page, "bulk-refused")
    page.get_by_label("Value:").fill("VVBE")
    page.get_by_label("Reason:").fill("the shop has moved to VVBE")
    page.get_by_role("button", name="Show what would change").click()

    expect(page.get_by_role("heading", name="Correct website of 101 orders")).to_be_visible()
    expect(page.locator("section tbody tr")).to_have_count(10)
    assert not Correction.objects.exists(), "a preview changes nothing"
    assert fits(page)
    picture(page, "bulk", part="#content")
    correct(order(), "order_date", RIGHT, actor="bo", reason=WHY)
    page.get_by_role("button", name="Correct 101 orders").click()
    expect(page.locator(".errornote")).to_contain_text("The catalogue was changed meanwhile by bo")
    page.get_by_role("button", name="Correct 101 orders").click()

    expect(page.locator(".messagelist")).to_have_text("Corrected website of 101 orders.")
    assert not Order.objects.filter(website="VVBDBE").exists()
    assert Correction.objects.in_force().filter(field="website").count() == 101
    page.goto("/admin/catalog/correction/?field=website")
    assert fits(page)
    picture(page, "corrections")


def test_some_ticked_orders(visit: Visit, sample: None) -> None:
    page = visit("steward")
    page.goto("/admin/catalog/order/?year=2042")
    for box in page.locator("#result_list .action-select").all()[:2]:
        box.check()
    run_action(page, "correct_selected")
    page.get_by_label("Column:").select_option("order_status")
    page.get_by_label("Value:").fill("UNKNOWN")
    page.get_by_label("Reason:").fill("nobody knows when these were placed")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Change column, value or reason").click()
    expect(page.get_by_label("Value:")).to_have_value("UNKNOWN")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Correct 2 orders").click()

    expect(page.locator(".messagelist")).to_have_text("Corrected order_status of 2 orders.")
    expect(page.locator("#result_list tbody tr", has_text="UNKNOWN")).to_have_count(2)
    page.goto("/admin/catalog/correction/")
    page.locator("#action-toggle").check()
    run_action(page, "retire_selected")
    page.get_by_label("Reason:").fill("found in the shop's own list")
    page.get_by_role("button", name="Retire 2 corrections").click()

    expect(page.locator(".messagelist")).to_have_text("Retired 2 corrections.")
    assert not Order.objects.filter(overlaid__gt=0).exists()


def test_a_viewer_looks_and_cannot_touch(visit: Visit, sample: None) -> None:
    correct(order(), "order_date", RIGHT, actor="ana", reason=WHY)
    page = visit("viewer")
    page.goto(ORDER)
    expect(page.locator(".values")).to_contain_text("2042-12-21 06:25:55")
    content = page.locator("#content")
    expect(content.locator("input:not([type=hidden]), textarea, button")).to_have_count(0)
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("heading", name="Correction", exact=True)).to_be_visible()
    expect(content.locator("input:not([type=hidden]), textarea, button")).to_have_count(0)
    page.goto("/admin/catalog/order/")

    expect(page.locator("#result_list .action-select")).to_have_count(0)
