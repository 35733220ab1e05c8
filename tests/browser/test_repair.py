"""Putting rejected rows right, one and many, and dismissing others, as a steward clicks through it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from catalog.corrections import correct
from catalog.models import Order
from ingestion.models import RejectedRow, Run
from tests.browser.conftest import Picture, Visit, date_latest, fits, run_action
from tests.loading import export, ingest
from tests.repairing import row_on

REJECTS = "/admin/ingestion/rejectedrow/"
BROKEN = "18443753,services,8438542,21255233,18267786,103613,VVNL,PAID,USED,PAID,2017-12-21 06:25:55.000,2017-12-21"
"""A later row of an order of the sample: the voucher is used by now, and the payment has lost its time."""


def state(line: int) -> str:
    return row_on(1, line).state


def filter_by(page: Page, choice: str) -> None:
    """Choose in the filters beside the list."""
    page.locator("#changelist-filter").get_by_role("link", name=choice, exact=True).click()


def test_one_row_is_put_right(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("steward", name="ana", size=size)
    page.goto(REJECTS)
    expect(page.locator("#result_list tbody tr")).to_have_count(25)
    filter_by(page, "not_an_integer")
    filter_by(page, "product_id")
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    assert fits(page)
    picture(page, "rejects", part="#content")
    page.locator("#result_list").get_by_role("link", name="551", exact=True).click()
    load = page.get_by_role("button", name="Repair and load")
    load.click()
    message = page.locator("form.repair tr.errors", has=page.get_by_label("product_id")).locator(".errorlist")
    expect(message).to_have_text("'1e5' is not a whole number; only the digits 0 to 9 are allowed.")
    assert fits(page)
    picture(page, "repairing", part="#content")
    page.get_by_label("product_id").fill("111473")
    load.click()

    expect(page.locator(".messagelist")).to_contain_text("Line 551 of run 1 is repaired: order services/26669088 was")
    date_latest(9, 30)
    RejectedRow.objects.filter(pk=row_on(1, 551).pk).update(settled_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    page.goto(page.url)
    expect(page.locator(".pill-repaired")).to_be_visible()
    expect(page.locator("#content")).to_contain_text("in run 2 by ana, 2026-11-23 09:30:00")
    expect(load).to_have_count(0)
    assert fits(page)
    picture(page, "repaired", part="#content")
    page.get_by_role("link", name="run 2").click()
    expect(page.locator(".field-repairs_run")).to_contain_text("rejected rows of run 1")
    picture(page, "repair-run", whole=True)
    page.get_by_role("link", name="run 1").click()
    expect(page.locator(".field-repairs_run")).to_contain_text("run 2")
    assert Order.objects.get(order_id=26669088).product_id == 111473


def test_an_order_that_is_there_already_is_shown_beside_the_row(
    visit: Visit, sample: None, tmp_path: Path, picture: Picture
) -> None:
    path = tmp_path / "later.csv"
    path.write_bytes(export(BROKEN))
    run = ingest(path, "--max-rejects", "100%").report["run"]
    page = visit("steward", name="ana")
    page.goto(f"{REJECTS}?run={run}")
    page.locator("#result_list").get_by_role("link", name="2", exact=True).click()

    expect(page.locator("p.warning")).to_contain_text("Order services/18443753 is in the catalogue, since run 1")
    expect(page.locator("form.repair tr", has=page.get_by_label("voucher_status"))).to_contain_text("PAID_TO_SUPPLIER")
    picture(page, "repair-replacing", part="#content")
    page.get_by_label("payment_date").fill("2017-12-21 06:26:45")
    order = Order.objects.get(order_id=18443753)
    correct(order, "website", "VVBE", actor="bo", reason="the shop has moved")
    load = page.get_by_role("button", name="Repair and load")
    load.click()
    expect(page.locator("form.repair .errorlist.nonfield")).to_contain_text("as it stands now; look at this page again")
    expect(page.get_by_label("payment_date")).to_have_value("2017-12-21 06:26:45")
    load.click()

    expect(page.locator(".messagelist")).to_contain_text("Line 2 of run 2 is repaired")
    order.refresh_from_db()
    assert (order.voucher_status, order.website) == ("USED", "VVBE"), "a correction survives a repair"


def test_many_rows_get_one_value_in_one_column(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("steward", size=size)
    page.goto(f"{REJECTS}?run=1&code=not_an_integer")
    page.locator("#action-toggle").check()
    run_action(page, "repair_selected")
    expect(page.locator("form.confirm")).to_contain_text("0 of the rows can be loaded, 5 are wrong still")
    assert fits(page)
    page.get_by_label("Column:").select_option("product_id")
    page.get_by_label("Value:").fill("111473")
    page.get_by_role("button", name="Show what would be loaded").click()

    expect(page.locator("form.confirm")).to_contain_text("3 of the rows can be loaded, 2 are wrong still")
    expect(page.locator("form.confirm")).to_contain_text("'1680829.0' is not a whole number")
    assert Run.objects.count() == 1, "a preview loads nothing"
    assert fits(page)
    picture(page, "repair-many", part="#content")
    page.get_by_role("button", name="Load 3 rows").click()

    expect(page.locator(".messagelist")).to_have_text("3 rejected rows of run 1 are repaired by run 2.")
    assert [state(line) for line in (551, 741, 2774, 4987)] == ["repaired", "open", "repaired", "repaired"]
    assert fits(page)
    picture(page, "repaired-many", part="#content")


def test_rows_are_dismissed_with_a_reason(visit: Visit, sample: None, picture: Picture) -> None:
    page = visit("steward", name="ana")
    page.goto(f"{REJECTS}?run=1&code=conflicting_duplicate")
    page.locator("#result_list").get_by_role("link", name="2175", exact=True).click()
    dismiss = page.get_by_role("button", name="Dismiss")
    dismiss.click()
    expect(page.locator("form.dismiss .errorlist")).to_have_text("Say why; the reason is kept for good.")
    page.get_by_label("Reason:").fill("the shop says that line 2197 is right")
    dismiss.click()

    expect(page.locator(".messagelist")).to_contain_text("Line 2175 of run 1 is dismissed. Next open row: line 2197")
    expect(page.locator("#content")).to_contain_text("the shop says that line 2197 is right")
    picture(page, "dismissed", part="#content")
    page.goto(f"{REJECTS}?run=1&code=too_few_fields")
    page.locator("#action-toggle").check()
    run_action(page, "dismiss_selected")
    expect(page.locator("form.dismiss")).to_contain_text("3 open rows will be dismissed.")
    dismiss.click()
    expect(page.locator("form.dismiss .errorlist")).to_have_text("Say why; the reason is kept for good.")
    picture(page, "dismissing", part="#content")
    page.get_by_label("Reason:").fill("test orders of the shop")
    dismiss.click()

    expect(page.locator(".messagelist")).to_have_text("3 rejected rows are dismissed.")
    assert [state(line) for line in (136, 2175, 2197)] == ["dismissed", "dismissed", "open"]


def test_whoever_comes_second_is_told(visit: Visit, sample: None) -> None:
    first, second = (visit("steward", name=name) for name in ("ana", "bo"))
    for page in (first, second):
        page.goto(f"{REJECTS}{row_on(1, 551).pk}/change/")
        page.get_by_label("product_id").fill("111473")
    first.get_by_role("button", name="Repair and load").click()
    second.get_by_role("button", name="Repair and load").click()

    expect(second.locator(".messagelist")).to_have_text("Line 551 of run 1 was repaired by ana in run 2 already.")
    expect(second.locator(".pill-repaired")).to_be_visible()
    assert Run.objects.filter(status=Run.Status.LOADED).count() == 2


def test_a_viewer_sees_the_row_and_cannot_touch_it(visit: Visit, sample: None) -> None:
    page = visit("viewer")
    page.goto(REJECTS)
    expect(page.locator("#result_list .action-select")).to_have_count(0)
    page.goto(f"{REJECTS}{row_on(1, 551).pk}/change/")

    expect(page.locator(".pill-open")).to_be_visible()
    expect(page.locator("#content").locator("input:not([type=hidden]), textarea, button")).to_have_count(0)
