"""Value rules, from the first word to the last, as a steward clicks through them."""

from __future__ import annotations

from playwright.sync_api import expect

from catalog.models import Order, ValueRule
from tests.browser.conftest import Picture, Visit, fits


def statuses() -> set[str | None]:
    return set(Order.objects.values_list("voucher_status", flat=True))


def test_a_rule_is_written_down_previewed_and_switched(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    ValueRule.objects.all().delete()
    page = visit("steward", size=size)
    page.goto("/admin/catalog/valuerule/")
    page.get_by_role("link", name="Add value rule").click()
    page.get_by_label("Column:").select_option("voucher_status")
    page.get_by_label("From:").fill("EXPRIED!")
    page.get_by_label("To:").fill("EXPIRED")
    page.get_by_label("Reason:").fill("the shop's own typing error; both spellings stand for the same state")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorlist li")).to_contain_text("characters other than letters")
    picture(page, "rule-refused")
    page.get_by_label("From:").fill("EXPRIED")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Switched on, it changes 10 orders")).to_be_visible()
    expect(page.locator(".below tbody tr")).to_have_count(10)
    assert fits(page)
    picture(page, "rule")
    page.get_by_role("button", name="Switch on").click()

    expect(page.locator(".messagelist")).to_have_text("The rule is on: 10 orders changed.")
    assert "EXPRIED" not in statuses()
    assert fits(page)
    picture(page, "rule-on")
    page.goto("/admin/catalog/valuerule/")
    expect(page.locator("#result_list .pill-on")).to_have_count(1)
    picture(page, "rules")
    page.get_by_role("link", name="voucher_status").first.click()
    page.get_by_role("button", name="Switch off").click()
    assert page.locator("textarea[name=reason]:invalid").count() == 1, "the browser itself asks for the reason"
    page.get_by_label("Reason:").fill("the shop says that they differ")
    page.get_by_role("button", name="Switch off").click()

    expect(page.locator(".messagelist")).to_have_text("The rule is off: 10 orders changed.")
    assert "EXPRIED" in statuses()
    assert fits(page)
    picture(page, "rule-off")
