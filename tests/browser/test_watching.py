"""The fixtures themselves: what goes wrong in a page is seen."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("console.error('broken')", "console: broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "script: thrown"),
        # The browser does not even try: the page's policy forbids it.
        ("fetch('https://example.org/x').catch(() => 0)", "console: Connecting to 'https://example.org/x' violates"),
    ],
)
def test_a_problem_is_seen(visit: Visit, problems: list[str], script: str, seen: str) -> None:
    page = visit()
    page.goto("/admin/login/")

    page.evaluate(script)
    page.wait_for_timeout(50)

    assert any(problem.startswith(seen) for problem in problems)
    problems.clear()


def test_an_error_of_the_server_is_seen(visit: Visit, problems: list[str]) -> None:
    page = visit()

    page.route("**/broken", lambda route: route.fulfill(status=500, body="broken"))
    page.goto("/broken")

    assert any(problem.startswith("500: ") for problem in problems)
    problems.clear()
