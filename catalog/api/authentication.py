"""Who asks: `Authorization: Token …` or `Authorization: Bearer …`."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import timezone
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.engines import reader_for
from catalog.tokens import ApiToken, digest_of

# What requests need of a token and of its user, in the order of the models.
OF_TOKEN = ("id", "user_id", "scope")
OF_USER = ("id", "is_superuser", "username", "is_active")


class TokenAuthentication(authentication.TokenAuthentication):
    """Looks a token up by its hash: one query by a unique index, its user included."""

    def authenticate(self, request: Request) -> Any:
        scheme = authentication.get_authorization_header(request).partition(b" ")[0]
        if scheme.lower() == b"bearer":
            self.keyword = "Bearer"
        return super().authenticate(request)

    def authenticate_credentials(self, key: str) -> tuple[Any, ApiToken]:
        token = token_in_force(digest_of(key))
        if token is None:
            raise AuthenticationFailed(why_refused(digest_of(key)))
        return token.user, token


def token_in_force(digest: str) -> ApiToken | None:
    """The token of this hash with its user; what few requests need of them is read when it is asked for."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    adapted = (connection.ops.adapt_datetimefield_value(moment) for moment in (hour, now))
    rows = reader_for(connection).fetch(lookup(), (*adapted, digest))
    if not rows:
        return None
    row = rows[0]
    token = ApiToken.from_db(connection.alias, OF_TOKEN, row[: len(OF_TOKEN)])
    token.user = get_user_model().from_db(connection.alias, OF_USER, row[len(OF_TOKEN) : -1])
    if not token.user.is_active:
        return None
    if not row[-1]:
        note_use(token, hour)
    return token


@cache
def lookup() -> str:
    """The query, put together once: doing so takes longer than the database does to answer it."""
    moment = timezone.now()
    noted = ExpressionWrapper(Q(used_at__gte=moment), BooleanField())
    tokens = ApiToken.objects.annotate(noted=noted).in_force().filter(digest="").order_by()
    columns = (*OF_TOKEN, *(f"user__{name}" for name in OF_USER), "noted")
    return tokens.values_list(*columns).query.sql_with_params()[0]


def why_refused(digest: str) -> str:
    """Why a token is not taken, in a sentence."""
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    return token.why_refused() if token else "This token is not known here; it must be sent exactly as it was shown."


def note_use(token: ApiToken, hour: datetime) -> None:
    """Remember the hour of a token's use, if that can be done at once: reading never waits for writing."""
    try:
        with reader_for(connection).without_waiting():
            ApiToken.objects.filter(pk=token.pk).note_use(hour)
    except OperationalError:
        # A load is writing to SQLite; one of the next requests will find it done.
        return
