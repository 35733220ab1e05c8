"""The Content-Security-Policy of every answer that has none of its own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""A page needs nothing but this site, and holds neither scripts nor styles of its own; others say so themselves."""

Answering = Callable[[HttpRequest], HttpResponseBase]


def content_policy(get_response: Answering) -> Answering:
    """Middleware: one text for all pages. A library would put it together anew for each answer of the API."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(HEADER, POLICY)
        return response

    return answer
