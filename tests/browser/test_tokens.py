"""A token, from its making to its end, as its owner clicks through it."""

from __future__ import annotations

import re

from django.test import Client
from playwright.sync_api import expect

from tests.browser.conftest import Picture, Visit, fits
from tests.read_side import ORDERS


def status(secret: str) -> int:
    return Client().get(ORDERS, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_token_is_made_used_and_revoked(visit: Visit, size: str, picture: Picture) -> None:
    page = visit("steward", size=size)
    page.goto("/admin/")
    page.get_by_text("Access", exact=True).click()
    page.get_by_role("link", name="Tokens", exact=True).click()
    page.get_by_role("link", name="Add API token").click()
    page.get_by_label("Name:").fill("nightly report")
    page.get_by_label("Narrowed to:").select_option("viewer")
    assert fits(page)
    picture(page, "token-new")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Copy the token now: it is shown only this once.")).to_be_visible()
    secret = page.get_by_label("Token").input_value()
    assert re.fullmatch(r"oc_[\w-]{43}", secret)
    assert fits(page)
    picture(page, "token-made")
    assert status(secret) == 200

    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("#result_list .pill-on")).to_have_count(1)
    assert fits(page)
    picture(page, "tokens")
    page.get_by_role("link", name="nightly report").click()
    picture(page, "token")
    page.get_by_role("button", name="Revoke this token").click()

    expect(page.locator(".messagelist")).to_have_text("1 token is revoked, and refused from now on.")
    expect(page.get_by_role("button", name="Revoke this token")).to_have_count(0)
    assert fits(page)
    assert status(secret) == 401
