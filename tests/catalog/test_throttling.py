"""How many requests a client may make, and what it is told when that is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIRequestFactory

from catalog.api.throttling import SlidingWindow
from catalog.api.views import OrderViewSet
from catalog.tokens import make_token
from tests.factories import make_user
from tests.read_side import ORDERS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counts() -> Iterator[None]:
    """Counts are of a process, and the whole suite is one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still until it is set."""
    now = [1_000_000_000.0 * 60]
    monkeypatch.setattr(SlidingWindow, "timer", staticmethod(lambda: now[0]))
    return now


def allow(settings: Any, *, known: str | None = None, anonymous: str | None = None) -> None:
    """Set the rates."""
    rates = {"known": known, "anonymous": anonymous}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    settings.API_ANONYMOUS_READ = True


def ask(client: Client, secret: str = "", **meta: Any) -> Any:
    headers = {"Authorization": f"Token {secret}"} if secret else {}
    return client.get(ORDERS, headers=headers, **meta)


def refused(response: HttpResponse) -> bool:
    assert response.status_code in (200, 429), response.content
    return response.status_code == 429


def test_one_too_many_is_429_and_says_when_to_try_again(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, anonymous="3/minute")
    assert [refused(ask(client)) for _ in range(3)] == [False] * 3
    clock[0] += 20
    response = ask(client)
    assert response.status_code == 429
    assert response.json() == {
        "detail": "These are more requests than are allowed. Try again in 60 seconds.",
        "code": "throttled",
    }
    assert response.headers["Retry-After"] == "60"
    clock[0] += 59.9
    assert refused(ask(client))
    clock[0] += 0.1
    assert not refused(ask(client))


def test_each_token_has_its_own_allowance(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, known="2/hour", anonymous="1/hour")
    user = make_user()
    first, second = (make_token(user, name=name) for name in "ab")
    assert [refused(ask(client, first)) for _ in range(3)] == [False, False, True]
    assert [refused(ask(client, second)) for _ in range(3)] == [False, False, True]
    client.force_login(user)
    assert [refused(ask(client)) for _ in range(3)] == [False, False, True]
    assert [refused(ask(Client())) for _ in range(2)] == [False, True]


def test_each_address_has_its_own_allowance(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, anonymous="1/hour")
    assert not refused(ask(client, REMOTE_ADDR="192.0.2.1"))
    assert refused(ask(client, REMOTE_ADDR="192.0.2.1"))
    assert not refused(ask(client, REMOTE_ADDR="192.0.2.2"))
    # On a socket for both kinds of addresses.
    assert refused(ask(client, REMOTE_ADDR="::ffff:192.0.2.1"))
    assert not refused(ask(client, REMOTE_ADDR="::ffff:192.0.2.3"))


def test_an_ipv6_network_is_one_client(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, anonymous="1/hour")
    assert not refused(ask(client, REMOTE_ADDR="2001:db8:1:2::1"))
    assert refused(ask(client, REMOTE_ADDR="2001:db8:1:2:ffff::9"))
    assert not refused(ask(client, REMOTE_ADDR="2001:db8:1:3::1"))


def test_without_a_proxy_nobody_is_believed_about_addresses(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, anonymous="1/hour")
    assert not refused(ask(client, HTTP_X_FORWARDED_FOR="192.0.2.1"))
    assert refused(ask(client, HTTP_X_FORWARDED_FOR="192.0.2.2"))


def test_behind_a_proxy_its_word_counts_and_not_the_clients(client: Client, settings: Any, clock: list[float]) -> None:
    allow(settings, anonymous="1/hour")
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    assert not refused(ask(client, HTTP_X_FORWARDED_FOR="192.0.2.1"))
    assert refused(ask(client, HTTP_X_FORWARDED_FOR="198.51.100.7, 192.0.2.1"))
    assert not refused(ask(client, HTTP_X_FORWARDED_FOR="192.0.2.1, 192.0.2.2"))
    # What is no address counts for the proxy's.
    assert not refused(ask(client, HTTP_X_FORWARDED_FOR="x" * 500))
    assert refused(ask(client, HTTP_X_FORWARDED_FOR="\x01 y"))


def test_rates_that_are_off_refuse_nobody(client: Client, settings: Any) -> None:
    allow(settings)
    assert not any(refused(ask(client)) for _ in range(30))


def test_the_time_given_is_right_and_no_window_has_more_than_the_rate(settings: Any, clock: list[float]) -> None:
    """Whenever requests come: what is refused is let in after the time that was said, and not a second before."""
    allow(settings, anonymous="5/minute")
    view = OrderViewSet()
    request: Any = APIRequestFactory().get(ORDERS)
    request.user = request.auth = None

    @given(st.lists(st.floats(0, 50), min_size=1, max_size=40))
    def run(pauses: list[float]) -> None:
        cache.clear()
        let_in: list[float] = []
        for pause in pauses:
            clock[0] += pause
            throttle = CountingStrangers()
            if throttle.allow_request(request, view):
                let_in.append(clock[0])
                assert len([at for at in let_in if at // 60 == clock[0] // 60]) <= 5
                continue
            wait = throttle.wait()
            assert 0 < wait <= 120
            clock[0] += wait - 0.5
            if wait > 1:
                assert not CountingStrangers().allow_request(request, view)
            clock[0] += 0.51
            assert CountingStrangers().allow_request(request, view)
            let_in.append(clock[0])

    run()


class CountingStrangers(SlidingWindow):
    """The counter alone, whoever asks."""

    scope = "anonymous"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return "rate:one"
