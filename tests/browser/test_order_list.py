"""The list of orders as a place to work: facets, saved filters, columns, files, and the checks of quality."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Picture, Visit, fits
from tests.browser.test_accessibility import troubles

ORDERS = "/admin/catalog/order/"


def open_filters(page: Page, size: str) -> None:
    """On a phone the filters are folded away."""
    shown = page.locator("#changelist-filter .dates")
    if size == "phone":
        expect(shown).to_be_hidden()
        page.locator("#changelist-filter > details > summary").click()
    expect(shown).to_be_visible()


def choice(page: Page, section: str, text: str) -> Any:
    """A choice of the side bar: its link and its number."""
    return page.locator(f"[data-filter-title='{section}'] li", has_text=text).first


@pytest.mark.parametrize("name", ["Save these filters", "Columns", "Export"])
def test_what_a_tool_opens_is_on_the_screen(visit: Visit, size: str, sample: None, name: str) -> None:
    page = visit("viewer", size=size)
    page.goto(f"{ORDERS}?website=VVBE")
    page.locator(".list-tools summary", has_text=name).click()

    opened = page.locator(".list-tools details[open] > :not(summary)").bounding_box()
    assert opened is not None
    assert page.viewport_size is not None
    assert opened["x"] >= 0
    assert opened["x"] + opened["width"] <= page.viewport_size["width"]
    assert fits(page)


def test_filter_count_save_choose_and_export(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("viewer", size=size)
    page.goto(ORDERS)
    expect(page.locator(".found")).to_have_text("4,973 orders")
    assert fits(page)
    picture(page, "orders-list")

    open_filters(page, size)
    picture(page, "orders-filters", whole=True)
    number = choice(page, "website", "VVNL").locator(".count").inner_text()
    choice(page, "website", "VVNL").get_by_role("link").click()
    expect(page.locator(".found")).to_have_text(f"{number} orders")
    open_filters(page, size)
    number = choice(page, "order status", "CANCELED").locator(".count").inner_text()
    choice(page, "order status", "CANCELED").get_by_role("link").click()
    expect(page.locator(".found")).to_have_text(f"{number} orders")
    open_filters(page, size)
    page.get_by_label("From", exact=True).fill("2017-07-01")
    page.get_by_label("Up to", exact=True).fill("2018-12-31")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chips li")).to_have_count(5)
    found = int(page.locator(".found").inner_text().split()[0])
    assert 0 < found <= 50
    expect(page.locator("#result_list tbody tr")).to_have_count(found)

    page.get_by_text("Save these filters").click()
    page.get_by_label("Name", exact=True).fill("cancelled of late")
    assert fits(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_have_text("Saved as cancelled of late.")
    page.locator(".list-tools summary", has_text="Columns").click()
    page.get_by_label("product id").check()
    page.get_by_label("voucher status").uncheck()
    assert fits(page)
    picture(page, "orders-columns")
    page.get_by_role("button", name="Show these columns").click()
    expect(page.locator("#result_list thead")).to_contain_text("Product id")
    expect(page.locator("#result_list thead")).not_to_contain_text("Voucher status")
    assert fits(page)

    page.locator(".list-tools summary", has_text="Export").click()
    assert fits(page)
    picture(page, "orders-export")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, columns shown").click()
    with Path(download.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found
    assert "product_id" in rows[0]
    assert {(row["website"], row["order_status"]) for row in rows} == {("VVNL", "CANCELED")}


def test_a_saved_filter_is_opened_and_deleted(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("viewer", size=size)
    page.goto(f"{ORDERS}?website=VVNL&order_status=CANCELED&columns=website,product_id")
    found = page.locator(".found").inner_text()
    page.get_by_text("Save these filters").click()
    page.get_by_label("Name", exact=True).fill("cancelled")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(ORDERS)
    page.get_by_role("link", name="cancelled").click()
    expect(page.locator(".found")).to_have_text(found)
    expect(page.locator(".saved [aria-current]")).to_have_text("cancelled")
    expect(page.locator("#result_list thead")).to_contain_text("Product id")
    assert fits(page)
    picture(page, "orders-saved")
    page.get_by_role("link", name="Rename or delete").click()
    assert fits(page)
    picture(page, "saved-filters")
    page.get_by_role("button", name="Delete cancelled").click()
    expect(page.locator(".messagelist")).to_have_text("The saved filter is deleted.")


def test_everything_is_reached_by_the_keyboard(visit: Visit, sample: None) -> None:
    page = visit("viewer")
    page.goto(ORDERS)
    for tool, inside in (
        ("Save these filters", "#save-name"),
        ("Columns", "[value=product_id]"),
        ("Export", ".files a"),
    ):
        page.locator(".list-tools summary", has_text=tool).focus()
        page.keyboard.press("Enter")
        expect(page.locator(inside).first).to_be_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('details').open")
    page.locator("[data-filter-title='website'] summary").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".chips li")).to_have_count(1)
    page.locator(".chips a").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chips")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tools_are_in_nobodys_way(visit: Visit, size: str, theme: str, sample: None) -> None:
    page = visit("steward", size=size, bypass_csp=True, color_scheme=theme)
    page.goto(f"{ORDERS}?website=VVNL&columns=website,set_right")
    open_filters(page, size)
    found: list[str] = []
    for tool in ("Export", "Columns", "Save these filters"):
        page.locator(".list-tools summary", has_text=tool).click()
        found += troubles(page)
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Rename or delete").click()
    found += troubles(page)
    assert not found, "\n".join(found)


def test_every_usual_column_is_seen_at_once_on_a_desk(visit: Visit, sample: None) -> None:
    page = visit("steward")
    page.goto(ORDERS)
    results = page.locator("#changelist-form .results")
    assert results.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_from_a_check_to_its_orders(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("viewer", size=size)
    page.goto("/admin/")
    page.get_by_role("link", name="Quality").click()
    expect(page.get_by_role("heading", name="Quality")).to_be_visible()
    assert fits(page)
    picture(page, "quality", whole=True)
    row = page.locator("tbody tr", has_text="paid before ordered")
    number = row.locator("td").first.inner_text()
    row.get_by_role("link").first.click()
    expect(page.locator(".found")).to_have_text(f"{number} orders")
    open_filters(page, size)
    assert choice(page, "quality check", "paid before ordered").locator(".count").inner_text() == number
    assert fits(page)
