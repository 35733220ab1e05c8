"""Deciding conflicts, one by one and many at once, as a steward clicks through the queue."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog.contract import NAMES
from catalog.corrections import correct, correct_many
from catalog.models import Change, Correction, Order
from tests.browser.conftest import Picture, Visit, date_latest, fits, run_action
from tests.conftest import ROOT
from tests.loading import ingest

QUEUE = "/admin/catalog/conflict/"
MISDATED = {18443753: 2017, 14541728: 2016, 11895539: 2015}
"""Orders that the sample places in 2042, and the years in which they were paid."""


def order(number: int) -> Order:
    return Order.objects.get(order_id=number)


def waiting() -> int:
    return Correction.objects.all().in_conflict().count()


@pytest.fixture
def conflicts(sample: None, tmp_path: Path) -> None:
    """A day's corrections, and the next day's export, which has third values for them all."""
    for number, year in MISDATED.items():
        wrong = order(number)
        right = wrong.order_date.replace(year=year)
        correct(wrong, "order_date", right, actor="ana", reason="a typing error in the year, says the invoice")
        date_latest(9, 30)
    moved = Order.objects.filter(pk__in=Order.objects.filter(website="VVBDFR").order_by("key").values("pk")[:5])
    numbers = set(moved.values_list("order_id", flat=True))
    correct_many(moved, "website", "VVBE", actor="bo", reason="the shop has moved to VVBE")
    date_latest(10, 15)
    with (ROOT / "data" / "sample.csv").open(newline="", encoding="utf-8", errors="replace") as file:
        rows = [row for row in csv.DictReader(file) if row["order_id"].isdecimal()]
    path = tmp_path / "next-day.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        for row in rows:
            if int(row["order_id"]) in MISDATED:
                writer.writerow(row | {"order_date": row["order_date"].replace("2042", "2024")})
            elif int(row["order_id"]) in numbers:
                writer.writerow(row | {"website": "VVBDBE"})
    assert ingest(path).report["conflicts"] == 8
    date_latest(4, 15, day=24)
    Change.objects.filter(run__isnull=False).update(actor="nightly")


def test_each_is_decided_on_its_page(visit: Visit, size: str, conflicts: None, picture: Picture) -> None:
    page = visit("steward", size=size)
    page.goto(QUEUE)
    expect(page.locator("#result_list tbody tr")).to_have_count(8)
    assert fits(page)
    picture(page, "conflicts", part="#content")
    choose = page.get_by_role("button", name="Decide")
    page.get_by_role("link", name="order_date: decide…").nth(0).click()
    picture(page, "conflict", part="#content")
    choose.click()
    expect(page.locator(".errorlist").first).to_have_text("Choose one of these.")
    assert fits(page)
    page.get_by_label("Keep the correction").check()
    page.get_by_label("Reason:").fill("the invoice is right, the export is not")
    choose.click()

    expect(page.locator(".messagelist")).to_have_text("Kept the correction of order_date of order services/18443753.")
    assert order(18443753).order_date.year == 2017
    page.get_by_role("link", name="order_date: decide…").nth(0).click()
    page.get_by_label("Take the source's value").check()
    page.get_by_label("Reason:").fill("the shop has looked it up")
    choose.click()

    expect(page.locator(".messagelist")).to_contain_text("Took the source's value instead of the correction")
    assert order(14541728).order_date.year == 2024
    page.get_by_role("link", name="order_date: decide…").nth(0).click()
    page.get_by_label("Write another value").check()
    page.locator("#id_value").fill("in 2015")
    page.get_by_label("Reason:").fill("the customer's own receipt")
    choose.click()
    expect(page.locator(".decision .errorlist")).to_contain_text("'in 2015' is not a timestamp")
    picture(page, "conflict-refused", part="#content")
    page.locator("#id_value").fill("2015-09-27 20:00:00")
    choose.click()

    expect(page.locator(".messagelist")).to_contain_text("Wrote another value instead of the correction")
    assert order(11895539).order_date == datetime(2015, 9, 27, 20, tzinfo=UTC)
    assert waiting() == 5
    page.goto("/admin/catalog/order/services/11895539/change/")
    history = page.locator(".history")
    for what in ("2015-09-27 20:00:00", "the customer's own receipt", "a typing error in the year"):
        expect(history).to_contain_text(what)
    picture(page, "conflict-over", part="#content")


def test_many_are_decided_at_once(visit: Visit, conflicts: None, picture: Picture) -> None:
    page = visit("steward")
    page.goto(QUEUE)
    tick_all(page)
    run_action(page, "write_selected")
    expect(page.locator(".messagelist")).to_contain_text("filter by column")
    page.locator("#changelist-filter").get_by_role("link", name="website", exact=True).click()
    tick_all(page)
    run_action(page, "write_selected")
    expect(page.get_by_role("heading", name="Write another value in 5 conflicts")).to_be_visible()
    write = page.get_by_role("button", name="Write another value in 5 conflicts")
    page.get_by_label("Value:").fill("VV-NL?")
    write.click()
    expect(page.locator(".errorlist").first).to_contain_text("characters other than letters")
    page.get_by_label("Value:").fill("VVNL")
    page.get_by_label("Reason:").fill("they are all one shop now")
    picture(page, "conflicts-many", part="#content")
    write.click()

    expect(page.locator(".messagelist")).to_have_text("Wrote another value instead of 5 corrections.")
    corrected = Correction.objects.in_force().filter(field="website").values("order")
    assert list(Order.objects.filter(pk__in=corrected).values_list("website", flat=True)) == ["VVNL"] * 5
    page.goto(QUEUE)
    tick_all(page)
    run_action(page, "keep_selected")
    page.get_by_label("Reason:").fill("the invoices are right")
    page.get_by_role("button", name="Keep the corrections in 3 conflicts").click()

    expect(page.locator(".messagelist")).to_have_text("Kept 3 corrections.")
    assert waiting() == 0
    assert [order(number).order_date.year for number in MISDATED] == list(MISDATED.values())


def test_whoever_comes_second_is_told(visit: Visit, conflicts: None) -> None:
    first, second = (visit("steward", name=name) for name in ("ana", "bo"))
    for page in (first, second):
        page.goto(QUEUE)
        page.get_by_role("link", name="order_date: decide…").nth(0).click()
        page.get_by_label("Reason:").fill("the shop has looked it up")
    first.get_by_label("Take the source's value").check()
    first.get_by_role("button", name="Decide").click()
    second.get_by_label("Keep the correction").check()
    second.get_by_role("button", name="Decide").click()

    expect(second.locator(".errornote")).to_contain_text("meanwhile the correction was retired by a person (ana, ")
    assert order(18443753).order_date.year == 2024


def test_a_viewer_sees_the_queue_and_decides_nothing(visit: Visit, conflicts: None) -> None:
    page = visit("viewer")
    page.goto(QUEUE)
    expect(page.locator("#result_list .action-select")).to_have_count(0)
    expect(page.locator("#result_list")).not_to_contain_text("decide…")
    page.get_by_role("link", name="order_date", exact=True).first.click()

    expect(page.locator(".pill-conflict")).to_be_visible()
    expect(page.locator("#content").locator("input:not([type=hidden]), textarea, button")).to_have_count(0)


def tick_all(page: Page) -> None:
    """All rows of the page."""
    page.locator("#action-toggle").check()
