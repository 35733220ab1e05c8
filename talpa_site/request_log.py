"""One line in the log for each request, with the address from which it came."""

from __future__ import annotations

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware
from rest_framework.throttling import BaseThrottle


class RequestLog(RequestMiddleware):
    """django-structlog's middleware, with an address that nobody can make up.

    Its own way believes any of a dozen headers, whoever sent them, and looking for them all takes a quarter of the time
    that Django needs for a request.
    """

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        # As for the limits of the API: a header counts where a proxy of ours sets it. Only META is looked at.
        address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]
        structlog.contextvars.bind_contextvars(ip=address)
