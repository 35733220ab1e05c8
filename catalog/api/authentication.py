"""Who asks: `Authorization: Token …` or `Authorization: Bearer …`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.engines import reader_for
from catalog.prepared import rows
from catalog.tokens import ApiToken, digest_of

# What requests need of a token and of its user, in the order of the models. The rest is read when it is asked for.
OF_TOKEN = ("id", "user_id", "scope", "expires_at", "used_at", "revoked_at")
OF_USER = ("id", "is_superuser", "username", "is_active")


class TokenAuthentication(authentication.TokenAuthentication):
    """Looks a token up by its hash: one query by a unique index, its user included."""

    def authenticate(self, request: Request) -> Any:
        scheme = authentication.get_authorization_header(request).partition(b" ")[0]
        if scheme.lower() == b"bearer":
            self.keyword = "Bearer"
        return super().authenticate(request)

    def authenticate_credentials(self, key: str) -> tuple[Any, ApiToken]:
        token = find_token(digest_of(key))
        if token is None:
            raise AuthenticationFailed("This token is not known here; it must be sent exactly as it was shown.")
        if refused := token.why_refused():
            raise AuthenticationFailed(refused)
        note_use(token)
        return token.user, token


def find_token(digest: str) -> ApiToken | None:
    """The token of this hash, with its user."""

    def build(q: Q) -> QuerySet[Any, Any]:
        columns = (*OF_TOKEN, *(f"user__{name}" for name in OF_USER))
        return ApiToken.objects.filter(q).order_by().values_list(*columns)

    found = rows(build, Q(digest=digest), find_token.__name__, one_plan=True)
    if not found:
        return None
    values = tuple(found[0])
    token = ApiToken.from_db(connection.alias, OF_TOKEN, values[: len(OF_TOKEN)])
    token.user = get_user_model().from_db(connection.alias, OF_USER, values[len(OF_TOKEN) :])
    return token


def note_use(token: ApiToken) -> None:
    """Remember the hour of a token's latest use, if that can be done at once: reading never waits for writing."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    if token.used_at is not None and token.used_at >= hour:
        return
    try:
        with reader_for(connection).without_waiting():
            ApiToken.objects.filter(pk=token.pk).note_use(hour)
    except OperationalError:
        # A load is writing to SQLite; one of the next requests will find it done.
        return
