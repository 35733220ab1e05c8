"""The address that stands in the log."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from django.test import RequestFactory
from rest_framework.settings import api_settings

from talpa_site.request_log import RequestLog

FORGED = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 9.9.9.9", "HTTP_CLIENT_IP": "6.6.6.6", "HTTP_FORWARDED": "for=6.6.6.6"}


@pytest.mark.parametrize(("proxies", "seen"), [(0, "203.0.113.7"), (1, "9.9.9.9")])
def test_an_address_is_not_made_up(monkeypatch: pytest.MonkeyPatch, proxies: int, seen: str) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    headers: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.7", **FORGED}
    with structlog.contextvars.bound_contextvars(ip=""):
        RequestLog.bind_ip(RequestFactory().get("/", **headers))
        assert structlog.contextvars.get_contextvars()["ip"] == seen
