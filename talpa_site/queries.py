"""How long what a request asks of the database may take, and whether the database is still there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from rest_framework.permissions import SAFE_METHODS

from catalog.engines import reader_for

log = structlog.get_logger(__name__)

READING = ("/api/", "/admin/")


class QueryLimits:
    """Middleware that sets the limit for whatever reads, and lifts it for whatever may write."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # What streams is read through a connection of its own, with a limit of its own.
        reader_for(connection).end()
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        reader_for(connection).begin(limit_of(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for the admin's pages; REST framework's views answer for themselves."""
        return too_expensive_page(request) if was_too_expensive(exception) else None


def limit_of(request: HttpRequest) -> float | None:
    """How long a request's queries may take, in seconds; None for any time."""
    if request.method not in SAFE_METHODS or not request.path.startswith(READING):
        return None
    seconds: float | None = settings.QUERY_TIME_LIMIT
    return seconds


def was_too_expensive(exception: BaseException) -> bool:
    """Whether the limit has struck; if so, that is in the log, in one line."""
    if not reader_for(connection).was_too_long(exception):
        return False
    log.warning("query_too_expensive")
    return True


def too_expensive_page(request: HttpRequest) -> HttpResponse:
    """What a person sees whose list or page asks for too much."""
    context = {
        **admin.site.each_context(request),
        "title": "This would take too long",
        "limit": settings.QUERY_TIME_LIMIT,
    }
    response = render(request, "admin/too_expensive.html", context, status=503)
    # It is in the log already; Django would call it an error of ours.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
