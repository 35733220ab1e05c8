"""The pages of the API: the form, with and without scripts, and what can be copied."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from catalog.corrections import correct
from catalog.models import Order
from tests.browser.conftest import SIZES, Picture, Visit, date_latest, fits

ORDERS = "/api/v1/orders/"


def asked(page: Page) -> dict[str, list[str]]:
    """The parameters in the page's address."""
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


def fill_in(page: Page) -> None:
    """Write a question into the form, and send it with the keyboard."""
    form = page.get_by_role("search")
    form.get_by_label("website", exact=True).fill("VVNL")
    form.get_by_label("order date from").fill("2017-01-01")
    form.get_by_label("order date up to").fill("2017-12-31")
    form.get_by_label("has correction").select_option("no")
    form.get_by_label("website", exact=True).press("Enter")


WANTED = {
    "website": ["VVNL"],
    "order_date__gte": ["2017-01-01"],
    "order_date__lte": ["2017-12-31"],
    "has_correction": ["false"],
}


def test_the_form(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    order = Order.objects.get(order_id=18443753)
    correct(order, "order_date", datetime(2017, 12, 21, 6, 25, 55, tzinfo=UTC), actor="ana", reason="says the invoice")
    date_latest(9, 30)
    page = visit("steward", size=size)
    page.goto(ORDERS)
    assert fits(page)

    fill_in(page)
    expect(page.locator(".chips li")).to_have_count(4)
    assert asked(page) == WANTED
    page.get_by_label("Take away has_correction=false").click()
    page.get_by_role("link", name="order_id", exact=True).first.click()

    expect(page.locator("th[aria-sort=descending]")).to_contain_text("order_id")
    assert fits(page)
    page.goto(f"{ORDERS}?website=VVNL&order_date__year=2017")
    expect(page.locator("td.corrected")).to_contain_text("source: 2042-12-21 06:25:55")
    picture(page, "api-orders")
    page.get_by_role("complementary").get_by_role("link", name="AVDD-NL", exact=True).click()
    expect(page.locator(".chips")).to_contain_text("website__in=VVNL,AVDD-NL")
    page.get_by_role("complementary").get_by_role("link", name="Take away AVDD-NL").click()
    expect(page.locator(".chips")).to_contain_text("website=VVNL")
    page.get_by_text("More filters").click()
    page.get_by_role("group", name="payment_id").get_by_label("missing").select_option("yes")
    page.get_by_role("button", name="Filter").click()

    expect(page.locator(".chips")).to_contain_text("payment_id__isnull=true")
    assert fits(page)
    page.go_back()
    expect(page.get_by_role("search").get_by_label("website", exact=True)).to_be_enabled()


def test_the_form_without_scripts(
    browser: Browser, live_server: LiveServer, size: str, sample: None, settings: Any
) -> None:
    settings.API_ANONYMOUS_READ = True
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, **SIZES[size])
    page = context.new_page()
    page.goto(ORDERS)

    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    fill_in(page)
    expect(page.locator(".chips li")).to_have_count(4)
    assert asked(page) == WANTED
    context.close()


@pytest.mark.parametrize("clipboard", [True, False], ids=["with-clipboard", "without"])
def test_the_query_is_copied(visit: Visit, size: str, sample: None, clipboard: bool) -> None:
    page = visit("viewer", size=size)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not clipboard:
        page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    page.goto(f"{ORDERS}?website=VVNL&or=(order_status=PAID,customer_id=7)")

    page.locator(".copy").filter(has_text="curl").get_by_role("button", name="Copy").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("curl").input_value()
    assert copied.startswith("curl --header 'Authorization: Token YOUR_TOKEN' 'http://localhost")


@pytest.mark.parametrize("path", ["", "orders/facets/", "orders/aggregate/?group_by=website", "websites/", "quality/",
                                  "runs/", "runs/1/", "runs/1/rejects/", "runs/1/rejects/551/", "rules/"])  # fmt: skip
def test_every_page_fits(visit: Visit, size: str, sample: None, path: str) -> None:
    page = visit("steward", size=size)
    page.goto(f"/api/v1/{path}")
    assert fits(page)


def test_a_refusal(visit: Visit, size: str, sample: None, problems: list[str], picture: Picture) -> None:
    page = visit("viewer", size=size)

    page.goto(f"{ORDERS}?websit=VVNL&order_date__gte=yesterday&ordering=-order_dat")
    expect(page.get_by_role("alert").locator("li")).to_have_count(3)
    expect(page.get_by_label("order date from")).to_have_value("yesterday")
    assert fits(page)
    picture(page, "api-refusal")
    page.get_by_role("link", name="Did you mean website?").click()
    page.get_by_role("link", name="Did you mean -order_date?").click()
    page.get_by_label("order date from").fill("2017-06-01")
    page.get_by_role("button", name="Filter").click()

    expect(page.locator(".results tbody tr")).to_have_count(50)
    # The browser itself reports the pages that a refusal is.
    assert [problem for problem in problems if "400 (Bad Request)" not in problem] == []
    problems.clear()


def test_a_correction_by_its_form(visit: Visit, size: str, sample: None, problems: list[str]) -> None:
    page = visit("steward", size=size)

    page.goto(f"{ORDERS}services/18443753/")
    page.get_by_role("link", name="Corrections").click()
    page.locator("[name=field]:not(.query [name=field])").select_option("website")
    page.locator("[name=reason]").fill("says the invoice")
    page.locator("[name=value]").fill("V V")
    page.locator(".write").get_by_role("button", name="Send").first.click()
    expect(page.get_by_role("alert")).to_contain_text("has characters other than letters")
    expect(page.locator("[name=reason]")).to_have_value("says the invoice")
    page.locator("[name=value]").fill("VVBE")
    page.locator(".write").get_by_role("button", name="Send").first.click()
    expect(page.locator("main")).to_contain_text("says the invoice")
    page.goto(f"{ORDERS}services/18443753/")
    expect(page.locator("tr.corrected")).to_contain_text("source: VVNL")
    assert fits(page)
    assert all("400 (Bad Request)" in problem for problem in problems)
    problems.clear()


def test_json_by_its_form(visit: Visit, size: str, sample: None) -> None:
    page = visit("steward", size=size)

    page.goto(f"{ORDERS}services/18443753/corrections/")
    page.get_by_text("As JSON").click()
    page.locator("[name=_content]").fill('{"field": "website", "value": "VVBE", "reason": "says the invoice"}')
    page.locator(".write details").get_by_role("button", name="Send").click()

    expect(page.locator("main")).to_contain_text("says the invoice")
    assert Order.objects.get(order_id=18443753).website == "VVBE"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(visit: Visit, sample: None, scheme: Any) -> None:
    """Text stands out from what is behind it by at least 4.5 to 1."""
    page = visit("viewer")
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{ORDERS}?website=VVNL")
    assert page.evaluate(CONTRASTS) == []


CONTRASTS = """() => {
  const parts = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => {
    const [r, g, b] = parts(c).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (parts(c)[3] !== 0) return c;
    }
  };
  const faint = new Set();
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(`${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 30)}`);
  }
  return [...faint];
}"""
