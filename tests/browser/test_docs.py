"""The pages that show the API's description, with nothing from elsewhere."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.factories import make_orders

STOPPED = ("cdn.redoc.ly/redoc/logo", "blob:http://localhost")
"""Redoc asks for the mark of its makers, which the page's policy stops; and what it searches with, it makes itself."""


def test_swagger_asks_the_api(visit: Visit) -> None:
    make_orders(1)
    page = visit("steward")
    page.goto("/api/v1/docs/")

    page.locator("#operations-orders-orders_read").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("source").fill("services")
    page.get_by_placeholder("order_id").fill("1")
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")


def test_swagger_changes_with_the_session(visit: Visit) -> None:
    make_orders(1)
    page = visit("steward")
    page.goto("/api/v1/docs/")

    page.locator("#operations-orders-orders_corrections_create").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("source").fill("services")
    page.get_by_placeholder("order_id").fill("1")
    page.locator(".body-param__text").fill('{"field": "website", "value": "VVBE", "reason": "seen on the invoice"}')
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")


def test_redoc_shows_every_operation(visit: Visit, problems: list[str]) -> None:
    page = visit("viewer")
    page.goto("/api/v1/redoc/")

    expect(page.get_by_role("heading", name="Retire a correction")).to_be_visible()
    expect(page.get_by_text("order_date__gte").first).to_be_attached()
    problems[:] = [problem for problem in problems if not any(known in problem for known in STOPPED)]


def test_who_comes_as_a_stranger_signs_in_first(visit: Visit) -> None:
    page = visit()
    page.goto("/api/v1/docs/")
    expect(page.get_by_label("Username")).to_be_visible()
