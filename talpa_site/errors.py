"""The one shape of every error: REST framework's keys, and a `code` for programs beside them."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import is_valid_path, reverse
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ErrorDetail,
    NotAuthenticated,
    ParseError,
    Throttled,
    ValidationError,
)
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from catalog.api.strict import InvalidQuery
from catalog.api.throttling import in_seconds
from catalog.contract import shown
from talpa_site.queries import was_too_expensive

log = structlog.get_logger(__name__)

API = "/api/"
UNAVAILABLE = (OperationalError, InterfaceError)


class DatabaseUnavailable(APIException):
    """The database does not answer, or not in time."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_unavailable"
    default_detail = "The database does not answer now. Try again shortly."


class QueryTooExpensive(APIException):
    """The query would take longer than one may."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "query_too_expensive"
    default_detail = (
        "This query takes longer than one may, and was stopped. Ask for less: a range of order_date, one website or "
        "source, no count=exact. Asking again in the same way will not help."
    )


class BodyTooLarge(APIException):
    """The body is longer than is read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"The body has more than the {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes that it may have.")


def api_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler, with a code for every error; None for a fault of our own, which Django logs."""
    exc = _translated(exc)
    if isinstance(exc, NotAuthenticated | AuthenticationFailed):
        _challenge(exc, context)
    response = exception_handler(exc, context)
    if response is None:
        return None
    response.data = body(response.data) | {"code": code_of(exc, response.status_code)}
    if isinstance(exc, InvalidQuery) and exc.allowed:
        response.data["allowed"] = exc.allowed
    if isinstance(exc, QueryTooExpensive):
        # It is in the log already; Django would call it an error of ours.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _translated(exc: Exception) -> Exception:
    """Exceptions of Django's that have a meaning for the client."""
    if isinstance(exc, UNAVAILABLE) and was_too_expensive(exc):
        return QueryTooExpensive()
    if isinstance(exc, UNAVAILABLE):
        log.error("database_unavailable", exc_info=exc)
        return DatabaseUnavailable()
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(exc, SuspiciousOperation):
        return ParseError(str(exc))
    if isinstance(exc, Throttled):
        wait = in_seconds(getattr(exc, "wait", 1))
        sentence = f"These are more requests than are allowed. Try again in {wait}."
        exc.detail = ErrorDetail(sentence, exc.default_code)
    return exc


def _challenge(exc: APIException, context: dict[str, Any]) -> None:
    """Say 401 and how to sign in; REST framework would say 403, as the session has no name in HTTP."""
    request = context["request"]
    offers = (authenticator.authenticate_header(request) for authenticator in request.authenticators)
    if offer := next(filter(None, offers), None):
        exc.status_code = status.HTTP_401_UNAUTHORIZED
        exc.auth_header = offer  # type: ignore[attr-defined]  # REST framework sets it the same way


def body(data: Any) -> dict[str, Any]:
    """Errors as an object, also where REST framework has a bare list."""
    data = sendable(data)
    return data if isinstance(data, dict) else {str(api_settings.NON_FIELD_ERRORS_KEY): data}


def sendable(data: Any) -> Any:
    """Errors as UTF-8 can hold them: they quote the client, and JSON can hold half of a surrogate pair."""
    if isinstance(data, dict):
        return {sendable(name): sendable(value) for name, value in data.items()}
    if isinstance(data, list):
        return [sendable(value) for value in data]
    return data.encode("utf-8", "backslashreplace").decode() if isinstance(data, str) else data


def code_of(exc: Exception, status_code: int) -> str:
    """The error's code: that of its one sentence, or of its kind."""
    if isinstance(exc, InvalidQuery | ValidationError):
        return exc.default_code
    detail = getattr(exc, "detail", None)
    return str(getattr(detail, "code", None) or STATUS_CODES.get(status_code, "error"))


STATUS_CODES = {403: "permission_denied", 404: "not_found"}


def refuse(request: HttpRequest, status_code: int, code: str, detail: str) -> JsonResponse | None:
    """An error outside REST framework, as JSON where a program asked."""
    if not request.path.startswith(API):
        return None
    return JsonResponse({"detail": detail, "code": code}, status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    answer = refuse(request, 400, "bad_request", "The request cannot be read.")
    return answer or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    answer = refuse(request, 404, "not_found", f"There is nothing at {request.path}{_slash_meant(request)}.")
    return answer or page(request, 404, "There is nothing here", place=shown(request.path))


def _slash_meant(request: HttpRequest) -> str:
    """What to say of an address that only lacks its final slash."""
    return f"; {request.path}/ is meant, with a slash at its end" if is_valid_path(f"{request.path_info}/") else ""


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    answer = refuse(request, 403, "permission_denied", "You may not do this.")
    return answer or page(request, 403, "Not for you to open")


def page(request: HttpRequest, status_code: int, title: str, **said: str) -> HttpResponse:
    """An error as a page of the site, with the menu of whoever may have one."""
    around = admin.site.each_context(request)
    start = reverse("admin:index" if around["has_permission"] else "api-root")
    context = {**around, "title": title, "start": start, **said}
    return render(request, f"{status_code}.html", context, status=status_code)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500; a database that does not answer is an outage, not a fault, whoever noticed first."""
    if isinstance(sys.exc_info()[1], UNAVAILABLE):
        text = str(DatabaseUnavailable.default_detail)
        answer = refuse(request, 503, DatabaseUnavailable.default_code, text)
        return answer or HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
    answer = refuse(request, 500, "server_error", "Something went wrong here; it has been logged.")
    return answer or defaults.server_error(request)
