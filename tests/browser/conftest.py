"""The admin in a real Chromium: whatever goes wrong in the page fails the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from catalog.changes import latest_change
from catalog.models import Change, ValueRule
from ingestion.models import Run
from tests.browser.chromium import find_chromium
from tests.conftest import ROOT
from tests.factories import make_user
from tests.loading import ingest

HERE = Path(__file__).parent
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
SECONDS = 30
"""A page that has not come by then will not come."""


class Visit(Protocol):
    """How `visit` is called."""

    def __call__(
        self,
        *groups: str,
        name: str = "",
        permissions: tuple[str, ...] = (),
        size: str = "desktop",
        **options: Any,
    ) -> Page: ...


class Picture(Protocol):
    """How `picture` is called."""

    def __call__(self, page: Page, name: str, *, whole: bool = False, part: str = "") -> None: ...


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without a browser these tests could only fail, so the run ends before it begins."""
    if any(HERE in item.path.parents for item in session.items):
        try:
            find_chromium()
        except LookupError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drive each flow at both sizes, at one on either database: how wide a page is has nothing to do with its rows.

    Pictures are taken at both.
    """
    if config.getoption("pictures"):
        return
    other = "phone" if config.getoption("database") == "sqlite" else "desktop"
    elsewhere = [item for item in items if HERE in item.path.parents and size_of(item) == other]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


def size_of(item: pytest.Item) -> object:
    """The size of the screen, of a test that is made for more than one."""
    return item.callspec.params.get("size") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder."""
    with ExitStack() as stack:
        # Between its calls Playwright leaves its event loop marked as running in this thread. Django would take the
        # tests for asynchronous code, which they are not, and refuse them the database.
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        playwright = stack.enter_context(sync_playwright())
        expect.set_options(timeout=SECONDS * 1000)
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(),
            # Chromium refuses to work as root unless it goes without its sandbox.
            chromium_sandbox=os.geteuid() != 0,
            args=["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(params=sorted(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    """On a desk, and on a phone."""
    name: str = request.param
    return name


def fits(page: Page) -> bool:
    """Whether the page itself is no wider than the screen; tables may scroll by themselves."""
    # Asked until it holds, as after a click the page may have been left already. Not by `wait_for_function`: it asks
    # again from within the page, whose policy forbids that. No scroll bar takes room, so the root is a screen wide.
    assert page.viewport_size is not None
    try:
        expect(page.locator("html")).to_have_js_property("scrollWidth", page.viewport_size["width"])
    except AssertionError:
        return False
    return True


@pytest.fixture
def problems() -> list[str]:
    """What went wrong in the pages of a test; a test that means it to go wrong empties the list."""
    return []


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer, shipped_groups: None, problems: list[str]) -> Iterator[Visit]:
    """Open a browser of one's own: `visit("steward", size="phone")` is a page for a member of that group.

    Two members of one group need names; `options` are those of the browser's context. Without groups and permissions
    nobody is logged in. The test fails if the page writes an error to the console, if an answer is the server's fault,
    or if anything is asked of another host.
    """
    with ExitStack() as stack:

        def visit(
            *groups: str, name: str = "", permissions: tuple[str, ...] = (), size: str = "desktop", **options: Any
        ) -> Page:
            context = browser.new_context(base_url=live_server.url, **SIZES[size], **options)
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            watch(context, live_server.url, problems)
            if groups or permissions:
                log_in(context, live_server.url, name or "-".join(groups) or "ana", groups, permissions)
            return context.new_page()

        yield visit
    assert problems == []


def watch(context: BrowserContext, site: str, problems: list[str]) -> None:
    """Write down whatever must not happen."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(f"console: {message.text} ({message.location.get('url')})")

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{site}/", "data:")):
            problems.append(f"request to another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 500:
            problems.append(f"{response.status}: {response.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: problems.append(f"script: {error.error}"))
    context.on("request", on_request)
    context.on("response", on_response)


def log_in(
    context: BrowserContext, site: str, name: str, groups: tuple[str, ...], permissions: tuple[str, ...]
) -> None:
    """Give the browser the session of a new member of staff."""
    user = make_user(name, staff=True, permissions=permissions)
    user.groups.set([Group.objects.get(name=group) for group in groups])
    client = Client()
    client.force_login(user)
    cookie = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": cookie, "value": client.cookies[cookie].value, "url": site}])


@pytest.fixture
def sample(django_db_reset_sequences: None) -> None:
    """The sample of 5,000 orders, loaded at a fixed moment, so that pictures of it are always the same."""
    # The example that the migrations brought: in the first test it is still there, in all others it is not.
    ValueRule.objects.all().delete()
    assert ingest(ROOT / "data" / "sample.csv").exit_code == 0
    at = datetime(2026, 11, 23, 4, 15, 2, tzinfo=UTC)
    Change.objects.update(at=at, actor="nightly")
    Run.objects.update(
        file="/exports/orders-2026-11-23.csv",
        actor="nightly",
        host="loader-1",
        process=4711,
        started_at=at - timedelta(seconds=0.9),
        finished_at=at,
        seconds=0.9,
        stages={"fingerprint": 0.02, "read": 0.41, "settle": 0.02, "overlay": 0.01, "write": 0.4, "commit": 0.04},
    )


def run_action(page: Page, name: str) -> None:
    """Do something with the ticked rows of a list."""
    page.get_by_label("Action:").select_option(name)
    page.get_by_role("button", name="Go", exact=True).click()


def date_latest(hour: int, minute: int, *, day: int = 23) -> None:
    """Give what has just changed the catalogue a fixed moment, so that pictures of it are always the same."""
    at = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    Change.objects.filter(pk=latest_change()).update(at=at)
    Run.objects.filter(change=latest_change()).update(started_at=at, finished_at=at)


@pytest.fixture
def picture(pytestconfig: pytest.Config) -> Picture:
    """Keep a picture of a page: `picture(page, "run")` writes run.png, or run-phone.png if the page is so narrow.

    `whole` is also what one has to scroll to; `part` is a selector of the one thing that matters on the page. Only when
    `--pictures` names a folder.
    """
    folder = pytestconfig.getoption("pictures")

    def take(page: Page, name: str, *, whole: bool = False, part: str = "") -> None:
        if folder:
            page.mouse.move(0, 0)  # away from what was clicked
            page.evaluate("document.activeElement.blur()")
            narrow = page.viewport_size == SIZES["phone"]["viewport"]
            path = Path(folder) / f"{name}{'-phone' if narrow else ''}.png"
            if part:
                page.locator(part).screenshot(path=path, animations="disabled")
            else:
                page.screenshot(path=path, full_page=whole, animations="disabled")

    return take
