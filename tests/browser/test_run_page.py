"""The page of a run: what became of its rows, and how a load moves while one looks on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, expect

from ingestion import admin_progress
from ingestion.models import Run
from tests.browser.conftest import Picture, Visit, fits
from tests.browser.test_accessibility import troubles
from tests.factories import make_run
from tests.processes import STAGED, end, running, starting, write_files

ROWS = 2_000


@pytest.fixture
def held(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A load in a process of its own that has read its file, and waits."""
    with starting(environment) as start:
        yield start(write_files(tmp_path, ROWS).day1, hold=STAGED)


def test_a_load_is_followed_to_its_end(visit: Visit, size: str, held: subprocess.Popen[str], picture: Picture) -> None:
    run = running()
    assert run is not None
    page = visit("viewer", size=size)
    page.goto("/admin/ingestion/run/")
    page.locator("#result_list").get_by_role("link", name=f"{run.pk}", exact=True).click()

    expect(page.locator("#progress")).to_contain_text(f"{ROWS:,}")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "100")
    expect(page.get_by_text("This page follows the load by itself")).to_be_visible()
    expect(page.get_by_text("Without scripts")).to_be_hidden()
    expect(page.locator("#progress .warning")).to_be_hidden()
    assert fits(page)
    assert troubles(page) == []
    picture(page, "running")
    assert end(held)[1]["status"] == "loaded"

    expect(page.get_by_role("heading", name="What became of the rows")).to_be_visible()
    expect(page.locator("#progress")).to_have_count(0)
    expect(page.locator(".pill-loaded")).to_be_visible()


def test_a_load_that_has_died_no_longer_moves(
    visit: Visit, size: str, held: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch, picture: Picture
) -> None:
    run = running()
    assert run is not None
    page = visit("viewer", size=size)
    page.goto(f"/admin/ingestion/run/{run.pk}/change/")
    expect(page.locator("#progress")).to_contain_text(f"{ROWS:,}")
    monkeypatch.setattr(admin_progress, "STILL", 2.5)
    held.kill()

    expect(page.locator("#progress .warning")).to_contain_text("Its process has probably died")
    assert fits(page)
    assert troubles(page) == []
    picture(page, "run-died")


def test_figures_reasons_and_drift(visit: Visit, size: str, sample: None, picture: Picture) -> None:
    first = Run.objects.get()
    missing = first.missing | {"payment_id": 900}
    for number in range(6):
        given = {"read": 5000 + number, "inserted": 4975 + number, "rejected": 25, "seconds": 0.9}
        run = make_run(**given, missing=missing if number == 5 else first.missing)
    page = visit("viewer", size=size)

    page.goto(f"/admin/ingestion/run/{run.pk}/change/")
    expect(page.locator(".drift .far")).to_contain_text("missing payment_id")
    expect(page.locator(".drift .far")).to_contain_text("far above the usual")
    assert fits(page)
    assert troubles(page) == []
    picture(page, "run-drift", whole=True)

    page.goto(f"/admin/ingestion/run/{first.pk}/change/")
    page.locator(".reasons").get_by_role("link", name="not_an_integer").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(5)
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the open rows (CSV)").click()
    download: Download = begun.value
    assert download.suggested_filename == f"rejects-of-run-{first.pk}.csv"
    assert len(Path(download.path()).read_text().splitlines()) > 25
    page.goto(f"/admin/ingestion/run/{first.pk}/change/")
    page.locator("svg.sum").get_by_role("link", name="25 rows rejected, 0.5%").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(25)
