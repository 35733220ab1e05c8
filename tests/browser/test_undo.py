"""Taking a run back, as somebody of the loaders clicks through it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from catalog.corrections import correct
from catalog.models import Change, Order
from ingestion.models import Run
from tests.browser.conftest import Picture, Visit, fits
from tests.loading import ingest


@pytest.fixture
def next_day(sample: None, tmp_path: Path) -> int:
    """The run of the next day's export, in which 98 orders have moved on."""
    path = tmp_path / "next-day.csv"
    options = {"rows": 5000, "seed": 2021, "dirty": 0.01, "broken": 0.005, "changed": 0.02}
    call_command("generate_orders", **options, output=str(path), verbosity=0)
    number: int = ingest(path).report["run"]
    at = datetime(2026, 11, 24, 4, 15, 2, tzinfo=UTC)
    Change.objects.filter(run=number).update(at=at, actor="nightly")
    Run.objects.filter(pk=number).update(
        file="/exports/orders-2026-11-24.csv", actor="nightly", started_at=at - timedelta(seconds=1), finished_at=at
    )
    return number


def test_undo(visit: Visit, size: str, next_day: int, picture: Picture) -> None:
    [changed] = Order.objects.filter(change__run=next_day).order_by("key")[:1]
    correct(changed, "order_status", "UNKNOWN", actor="ana", reason="seen on the invoice")
    page = visit("loader", size=size)
    page.goto("/admin/ingestion/run/")
    page.locator("#result_list").get_by_role("link", name=f"{next_day}", exact=True).click()
    page.get_by_role("link", name="Undo this run…").click()

    expect(page.get_by_text("97 orders")).to_be_visible()
    expect(page.get_by_role("link", name=changed.natural_key)).to_be_visible()
    assert fits(page)
    picture(page, "undo")
    undo = page.get_by_role("button", name=f"Undo run {next_day}")
    undo.click()
    assert page.locator("#id_keep_touched:invalid").count() == 1, "the browser itself asks for the tick"
    page.get_by_label("Leave these as they are").check()
    correct(Order.objects.filter(change__run=1)[0], "website", "VVBE", actor="bo", reason="moved")
    undo.click()

    expect(page.locator(".messagelist")).to_contain_text("The catalogue was changed meanwhile by bo")
    picture(page, "undo-again")
    page.get_by_label("Leave these as they are").check()
    undo.click()

    expect(page.locator(".messagelist")).to_contain_text(f"Run {next_day} is undone by run ")
    expect(page.locator(".field-taken_back")).to_contain_text(f"This run undoes run {next_day}.")
    assert fits(page)
    page.get_by_role("link", name=f"run {next_day}", exact=True).click()
    expect(page.locator(".pill-undone")).to_be_visible()
    assert fits(page)
    picture(page, "undone")
    assert Order.objects.filter(change__run=next_day).count() == 0


def test_cancelled(visit: Visit, size: str, next_day: int) -> None:
    page = visit("loader", size=size)
    page.goto(f"/admin/ingestion/run/{next_day}/undo/")
    page.get_by_role("link", name="Cancel").click()

    expect(page.get_by_role("link", name="Undo this run…")).to_be_visible()
    assert Run.objects.get(pk=next_day).status == "loaded"
