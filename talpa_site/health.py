"""Probes: is the process alive, and can it do its work? Neither asks who wants to know."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return answer(None)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and has the tables that this version of the program expects."""
    return answer(trouble())


def trouble() -> str | None:
    """Why no work can be done, in a sentence; None when it can."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        log.exception("not_ready")
        return "The database does not answer."
    if waiting:
        return f"{len(waiting)} migrations have not been applied; run manage.py migrate."
    return None


def answer(sentence: str | None) -> JsonResponse:
    if sentence is None:
        return JsonResponse({"status": "ok"})
    return JsonResponse({"status": "unavailable", "detail": sentence}, status=503)


PROBES = {"/healthz": healthz, "/readyz": readyz}


def probes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that answers the probes before anything else looks at the request.

    A load balancer asks by address, which is no allowed host, and over plain HTTP; and a probe must not fail
    because the session of whoever asks cannot be read.
    """

    def answer_probe(request: HttpRequest) -> HttpResponseBase:
        return PROBES.get(request.path, get_response)(request)

    return answer_probe
