"""axe-core looks at every page, in light and in dark: nothing serious may be in anybody's way."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from catalog.corrections import correct
from catalog.models import Change, Order, ValueRule
from ingestion.models import RejectedRow, Run
from tests.browser.conftest import Visit, fits
from tests.factories import make_conflict

SERIOUS = ("serious", "critical")
# It would look for style sheets named in others beside the page, where they are not.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
EVERYTHING = ("view_user", "view_group", "view_apitoken", "add_apitoken")


def troubles(page: Page) -> list[str]:
    """What axe-core finds serious on a page: the rule, and the first place where it is broken."""
    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{urlsplit(page.url).path}: {each['id']}, {len(each['nodes'])} times, first {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in SERIOUS
    ]


def make_rule() -> ValueRule:
    return ValueRule.objects.create(field="voucher_status", old="EXPRIED", new="EXPIRED", reason="a typing error")


def pages() -> list[str]:
    """An address of every kind of page, over a catalogue in which each has something to show."""
    order = Order.objects.get(order_id=18443753)
    correction = correct(order, "order_status", "CANCELED", actor="ana", reason="seen on the invoice")
    conflict = make_conflict(Order.objects.exclude(pk=order.pk).latest("pk"), "order_status", "CORRECTED", "OTHER")
    run, rule, reject = Run.objects.earliest("pk"), make_rule(), RejectedRow.objects.earliest("pk")
    return [
        "/admin/",
        "/admin/catalog/order/",
        "/admin/catalog/order/?website=VVBE&q=1680001",
        "/admin/catalog/order/?website=VVNL&order_status__in=PAID,CANCELED&from=2018-01-01&webiste=x",
        "/admin/catalog/order/?q=nonsense",
        "/admin/catalog/order/saved/",
        "/admin/quality/",
        f"/admin/catalog/order/{order.source}/{order.order_id}/change/",
        f"/admin/catalog/customer/{order.source}/{order.customer_id}/",
        f"/admin/catalog/product/{order.source}/{order.product_id}/",
        "/admin/catalog/conflict/",
        f"/admin/catalog/conflict/{conflict.pk}/change/",
        "/admin/catalog/correction/",
        f"/admin/catalog/correction/{correction.pk}/change/",
        "/admin/catalog/valuerule/",
        "/admin/catalog/valuerule/add/",
        f"/admin/catalog/valuerule/{rule.pk}/change/",
        "/admin/catalog/change/",
        f"/admin/catalog/change/{Change.objects.latest('pk').pk}/change/",
        "/admin/catalog/apitoken/",
        "/admin/catalog/apitoken/add/",
        "/admin/ingestion/rejectedrow/",
        f"/admin/ingestion/rejectedrow/{reject.pk}/change/",
        "/admin/ingestion/run/",
        f"/admin/ingestion/run/{run.pk}/change/",
        f"/admin/ingestion/run/{run.pk}/undo/",
        "/admin/ingestion/upload/",
        "/admin/ingestion/upload/add/",
        "/admin/auth/user/",
        "/admin/password_change/",
        "/api/v1/",
        "/api/v1/orders/",
        f"/api/v1/orders/{order.source}/{order.order_id}/",
        "/api/v1/runs/",
    ]


# Each theme and each size once: a rule looks at the colours or at the measures, hardly at both.
@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_no_page_is_in_anybodys_way(visit: Visit, size: str, theme: str, sample: None) -> None:
    # axe-core tries styles on as it looks, which the pages' policy forbids; that they need none themselves, all the
    # other tests see.
    page = visit("steward", "loader", permissions=EVERYTHING, size=size, bypass_csp=True, color_scheme=theme)

    found: list[str] = []
    for address in pages():
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        found += troubles(page)
        assert fits(page), address
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_went_wrong_is_in_nobodys_way(
    visit: Visit, size: str, theme: str, sample: None, problems: list[str]
) -> None:
    page = visit("steward", size=size, bypass_csp=True, color_scheme=theme)
    page.goto("/nope")
    found = troubles(page)
    assert fits(page)
    # The browser tells that this page was not there.
    assert len(problems) == 1
    problems.clear()
    page.goto("/admin/catalog/order/services/18443753/change/?_changelist_filters=website%3DVVNL")
    page.get_by_label("order_date", exact=True).fill("2018")
    page.get_by_role("button", name="Save corrections").click()
    page.get_by_text("is not a timestamp like").first.wait_for()

    assert found + troubles(page) == []
    assert fits(page)


@pytest.mark.parametrize("address", ["/admin/login/", "/api-auth/login/"])
def test_signing_in_is_in_nobodys_way(visit: Visit, size: str, address: str) -> None:
    page = visit(size=size, bypass_csp=True)
    page.goto(address)

    assert troubles(page) == []
    assert fits(page)
