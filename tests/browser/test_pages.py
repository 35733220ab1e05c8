"""Logging in and looking around, on a desk and on a phone."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect

from catalog.corrections import correct
from catalog.models import Change, Order
from tests.browser.conftest import Picture, Visit, fits
from tests.factories import make_user


def test_log_in(visit: Visit, size: str) -> None:
    user = make_user("ana", staff=True, permissions=("view_order",))
    user.set_password("correct horse")
    user.save()
    page = visit(size=size)

    page.goto("/admin/catalog/order/")
    page.get_by_label("Username:").fill("ana")
    page.get_by_label("Password:").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".errornote")).to_contain_text("Please enter the correct username and password")
    page.get_by_label("Password:").fill("correct horse")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("heading", name="Orders")).to_be_visible()


def test_orders(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    order = Order.objects.get(order_id=18443753)
    right = datetime(2017, 12, 21, 6, 25, 55, tzinfo=UTC)
    made = correct(order, "order_date", right, actor="ana", reason="a typing error in the year, says the invoice")
    Change.objects.filter(pk=made.made_by_id).update(at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    page = visit("viewer", size=size)

    page.goto("/admin/catalog/order/?website=VVNL")
    expect(page.locator("#result_list tbody tr")).to_have_count(50)
    assert fits(page)
    picture(page, "orders")
    page.locator("#searchbar").fill("services/18443753")
    page.get_by_role("button", name="Search").click()
    page.locator("#result_list").get_by_role("link", name="services/18443753").click()

    expect(page.locator(".history")).to_contain_text("2042-12-21 06:25:55")
    assert fits(page)
    picture(page, "order", whole=True)


def test_runs_and_rejects(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("viewer", size=size)

    page.goto("/admin/ingestion/run/")
    assert fits(page)
    page.locator("#result_list").get_by_role("link", name="1", exact=True).click()
    expect(page.locator(".figures")).to_contain_text("4,973")
    assert fits(page)
    picture(page, "run")
    page.get_by_role("link", name="Look at the rejected rows").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(25)
    assert fits(page)
    page.locator("#result_list").get_by_role("link", name="551", exact=True).click()

    expect(page.locator("#content")).to_contain_text("not_an_integer")
    assert fits(page)
    picture(page, "reject", part="#content")


def test_today(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    page = visit("steward", "loader", size=size)

    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.locator(".cards")).to_contain_text("4,973")
    assert fits(page)
    picture(page, "today", whole=True)

    page.locator(".chart-figure", has_text="by website").locator("summary").click()
    page.get_by_role("link", name="2021-11-30", exact=True).first.click()
    expect(page.get_by_role("heading", name="Orders")).to_be_visible()
