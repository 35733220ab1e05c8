"""A file dropped in the admin, its report, and the load: as a member of the loaders clicks through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ingestion.models import Run
from ingestion.upload_models import Upload
from tests.browser.conftest import Picture, Visit, fits
from tests.browser.test_accessibility import troubles
from tests.loading import export, line, lines
from tests.uploading import UPLOADS, folder, until, working

__all__ = ("folder",)

DROP = """([name, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, {type: "text/csv"}));
  return carried;
}"""

WIDEST = {"desktop": 1200, "phone": 390}
"""Pixels that the name of a file may take."""


@pytest.fixture
def worker(environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A worker is at work."""
    with working(environment, folder):
        yield


def drop(page: Page, name: str, content: bytes) -> None:
    """Let go of a file over the page's drop zone."""
    carried = page.evaluate_handle(DROP, [name, content.decode()])
    for event in ("dragover", "drop"):
        page.dispatch_event("#dropzone", event, {"dataTransfer": carried})


def until_it_is(state: str) -> None:
    """Wait for the worker, which on a busy machine takes its time to start."""
    until(lambda: Upload.objects.filter(state=state).exists())


def in_nobodys_way(page: Page, problems: list[str]) -> bool:
    """Fits the screen, and axe-core finds nothing serious in either theme."""
    assert fits(page)
    assert problems == []
    for dark in (True, False):
        page.emulate_media(color_scheme="dark" if dark else "light")
        # Colours change by and by.
        page.reload()
        assert troubles(page) == []
        # It has tried styles of its own, which the page's policy forbids to anybody.
        problems.clear()
    return True


def test_dropped_looked_at_and_loaded(
    visit: Visit, size: str, worker: None, picture: Picture, problems: list[str]
) -> None:
    page = visit("loader", size=size)
    page.goto("/admin/ingestion/run/")
    page.get_by_role("link", name="Upload a file").click()
    expect(page.get_by_role("heading", name="Upload a file")).to_be_visible()
    assert in_nobodys_way(page, problems)
    picture(page, "upload")

    bad = [line(41, order_id="1e5"), line(42, website="<script>alert(1)</script>")]
    drop(page, "orders-2026-11-23.csv", export(*lines(*range(1, 41)), *bad))
    until_it_is("checked")
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    expect(page.locator(".figures")).to_contain_text("40")
    expect(page.get_by_text("not_an_integer").first).to_be_visible()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    assert not Run.objects.exists()
    assert in_nobodys_way(page, problems)
    picture(page, "upload-checked", whole=True)

    page.get_by_role("button", name="Load this file").click()
    until_it_is("loaded")
    expect(page.get_by_text("It is loaded.")).to_be_visible()
    run = Run.objects.get()
    assert (run.actor, run.inserted, run.rejected) == ("loader", 40, 2)
    assert in_nobodys_way(page, problems)
    page.get_by_role("link", name=f"run {run.pk}").click()
    expect(page.get_by_role("heading", name=f"run {run.pk}")).to_be_visible()
    page.goto("/admin/ingestion/run/")
    page.get_by_role("link", name="Uploads").click()
    expect(page.locator("#result_list")).to_contain_text("orders-2026-11-23.csv")
    assert fits(page)


def test_what_the_page_itself_refuses(visit: Visit, size: str, folder: Path, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1000
    page = visit("loader", size=size)
    page.goto(f"{UPLOADS}add/")
    drop(page, "large.csv", b"x" * 1001)
    expect(page.get_by_role("alert")).to_contain_text("The file is larger than 1000")
    drop(page, "empty.csv", b"")
    expect(page.get_by_role("alert")).to_contain_text("The file is empty")
    assert fits(page)
    assert not Upload.objects.exists()


def test_without_a_worker(
    visit: Visit, size: str, folder: Path, environment: dict[str, str], problems: list[str]
) -> None:
    page = visit("loader", size=size)
    page.goto(f"{UPLOADS}add/")
    page.get_by_label("File to upload").set_input_files(
        {"name": "orders.csv", "mimeType": "text/csv", "buffer": export(*lines(1, 2, 3))}
    )
    page.get_by_role("button", name="Check this file").click()
    expect(page.get_by_role("status")).to_contain_text("No worker is running")
    assert in_nobodys_way(page, problems)
    with working(environment, folder):
        until_it_is("checked")
        expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("It was thrown away")).to_be_visible()
    assert fits(page)


def test_without_scripts(visit: Visit, size: str, environment: dict[str, str], folder: Path) -> None:
    page = visit("loader", size=size, java_script_enabled=False)
    page.goto(f"{UPLOADS}add/")
    page.get_by_label("File to upload").set_input_files(
        {"name": "orders.csv", "mimeType": "text/csv", "buffer": export(*lines(1, 2, 3))}
    )
    page.get_by_role("button", name="Check this file").click()
    expect(page.get_by_text("It is checked as soon as the worker takes it up.")).to_be_visible()
    with working(environment, folder):
        until_it_is("checked")
        page.get_by_role("link", name="Look again").click()
        page.get_by_role("button", name="Load this file").click()
        until_it_is("loaded")
    page.reload()
    expect(page.get_by_text("It is loaded.")).to_be_visible()


def test_a_long_file_name_is_in_nobodys_way(visit: Visit, size: str, sample: None, folder: Path) -> None:
    name = "x" * 220 + ".csv"
    Run.objects.update(file=name)
    run, now = Run.objects.latest("pk"), timezone.now()
    upload = Upload.objects.create(file=name, size=1, uploaded_at=now, changed_at=now, state="loaded", run=run)
    page = visit("loader", size=size)

    pages = ("/admin/", "/admin/ingestion/run/", f"/admin/ingestion/run/{run.pk}/change/", UPLOADS)
    for address in (*pages, f"/admin/ingestion/run/{run.pk}/undo/", f"{UPLOADS}{upload.pk}/change/"):
        page.goto(address)
        expect(page.get_by_text(name).last).to_be_visible()
        assert fits(page), address
        boxes = [each.bounding_box() for each in page.get_by_text(name).all()]
        assert [box for box in boxes if box is None or box["width"] > WIDEST[size]] == [], address
