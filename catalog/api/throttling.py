"""How many requests one token, one user or one address may make in a while."""

from __future__ import annotations

import ipaddress
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from catalog.tokens import ApiToken

if TYPE_CHECKING:
    # The settings name this module, so REST framework reads it while it defines this class.
    from rest_framework.views import APIView


class SlidingWindow(SimpleRateThrottle):
    """Counts by windows of time: two numbers for each client, however high the rate is.

    Of the window before, the share counts that is less than one period ago, as if its requests had come evenly.
    """

    scope: str
    duration: float
    num_requests: int

    def get_rate(self) -> str | None:
        # Of now: REST framework reads the rates once, when the class is made.
        rates: Any = api_settings.DEFAULT_THROTTLE_RATES
        return rates[self.scope]  # type: ignore[no-any-return]

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = self.get_cache_key(request, view) if self.rate else None
        if key is None:
            return True
        window, self.passed = divmod(self.timer() / self.duration, 1)
        names = [f"{key}:{window - age:.0f}" for age in (0, 1)]
        counts = cache.get_many(names)
        self.now: int = counts.get(names[0], 0)
        self.before: int = counts.get(names[1], 0)
        if self.now + self.before * (1 - self.passed) + 1 > self.num_requests:
            return False
        try:
            cache.incr(names[0])
        except ValueError:
            cache.set(names[0], 1, 2 * self.duration)
        return True

    def wait(self) -> float:
        """Seconds until one more request is in bounds."""
        room = self.num_requests - 1 - self.now
        if room >= 0:
            return self.duration * (1 - room / self.before - self.passed)
        # Not before the next window, and then when enough of this one is long enough ago.
        return self.duration * (1 - self.passed + 1 - (self.num_requests - 1) / self.now)


class KnownClients(SlidingWindow):
    """Each token on its own, as each stands for one program; without one, each user."""

    scope = "known"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if isinstance(request.auth, ApiToken):
            return f"rate:token:{request.auth.pk}"
        return f"rate:user:{request.user.pk}" if request.user and request.user.is_authenticated else None


class Strangers(SlidingWindow):
    """Each address from which somebody reads without logging in."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if request.user and request.user.is_authenticated:
            return None
        return f"rate:address:{household(self.get_ident(request), str(request.META.get('REMOTE_ADDR', '')))}"


@lru_cache(maxsize=10_000)
def household(address: str, fallback: str) -> str:
    """What one client can send from: its address, or with IPv6 the network of 2^64 addresses that everyone is given."""
    for text in (address, fallback):
        try:
            found = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(found, ipaddress.IPv6Address):
            # On a socket for both, clients with IPv4 come from ::ffff:1.2.3.4.
            found = found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64))  # type: ignore[assignment]
        return str(found)
    return ""


def in_seconds(wait: float) -> str:
    """A time to wait, in words."""
    seconds = max(1, math.ceil(wait))
    return "1 second" if seconds == 1 else f"{seconds} seconds"
