"""Who asks: `Authorization: Token …` or `Authorization: Bearer …`."""

from __future__ import annotations

from typing import Any

from django.db import OperationalError, connection
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.engines import reader_for
from catalog.tokens import ApiToken, digest_of


class TokenAuthentication(authentication.TokenAuthentication):
    """Looks a token up by its hash: one query by a unique index, its user included."""

    def authenticate(self, request: Request) -> Any:
        scheme = authentication.get_authorization_header(request).partition(b" ")[0]
        if scheme.lower() == b"bearer":
            self.keyword = "Bearer"
        return super().authenticate(request)

    def authenticate_credentials(self, key: str) -> tuple[Any, ApiToken]:
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(key)).first()
        if token is None:
            raise AuthenticationFailed("This token is not known here; it must be sent exactly as it was shown.")
        if refused := token.why_refused():
            raise AuthenticationFailed(refused)
        note_use(token)
        return token.user, token


def note_use(token: ApiToken) -> None:
    """Remember the hour of a token's use, if that can be done at once: reading never waits for writing."""
    try:
        with reader_for(connection).without_waiting():
            token.note_use()
    except OperationalError:
        # A load is writing to SQLite; one of the next requests will find it done.
        return
