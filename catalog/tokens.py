"""Tokens by which programs read and change things through the API, each in the name of a user."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.utils import timezone

PREFIX = "oc_"
"""Says what it is where somebody finds one, and lets programs look for those that were published by mistake."""

HINT_LENGTH = len(PREFIX) + 6


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens, by what they can still do."""

    def in_force(self) -> ApiTokenQuerySet:
        """Those that are neither revoked nor expired, whoever they belong to."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def note_use(self, hour: datetime) -> int:
        """Remember the hour of the latest use, unless it is known; how many tokens that was new of."""
        return self.filter(Q(used_at=None) | Q(used_at__lt=hour)).update(used_at=hour)

    def revoke(self, *, actor: str) -> int:
        """End those that are not revoked yet, at once and for good; their number."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_by=actor)


class ApiToken(models.Model):
    """A token of a user for one purpose. Of the token itself only a hash is kept."""

    class Scope(models.TextChoices):
        """The groups that the migrations make. A name, as a group that is deleted must not widen a token."""

        VIEWER = "viewer", "viewer"
        STEWARD = "steward", "steward"
        LOADER = "loader", "loader"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens", verbose_name="owner")
    name = models.CharField(max_length=60, help_text="What it is for, like: nightly report.")
    scope = models.CharField(
        "narrowed to",
        max_length=7,
        choices=Scope,
        blank=True,
        help_text="It can then never do more than this group and its owner may both do.",
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField("begins with", max_length=HINT_LENGTH, editable=False)
    created_at = models.DateTimeField("made", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    used_at = models.DateTimeField("last used", null=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "name"),
                condition=Q(revoked_at=None),
                name="catalog_apitoken_name",
                violation_error_message="There is a token of this name already; revoke it, or choose another name.",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=["", "viewer", "steward", "loader"]), name="catalog_apitoken_scope"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def why_refused(self) -> str:
        """Why the token is not taken any more, in a sentence; empty while it is."""
        if self.revoked_at is not None:
            return "This token was revoked; ask for a new one."
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return f"This token expired at {self.expires_at:%Y-%m-%d %H:%M} UTC; ask for a new one."
        return "" if self.user.is_active else "The user of this token may not sign in any more."

    def allows(self, permission: str) -> bool:
        """Whether the token's own bounds leave room for a permission, whatever its user may do."""
        if not self.scope:
            return True
        app, _, codename = permission.partition(".")
        rights = Permission.objects.filter(group__name=self.scope, content_type__app_label=app, codename=codename)
        return rights.exists()


def digest_of(secret: str) -> str:
    """What is kept of a token. It is long and random, so a fast hash is enough; a slow one is for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token(token: ApiToken) -> str:
    """Give a token that is about to be saved its secret, which nobody can read again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token.digest, token.hint = digest_of(secret), secret[:HINT_LENGTH]
    return secret


def make_token(user: Any, *, name: str, scope: str = "", expires_at: datetime | None = None) -> str:
    """Make a token and return its secret. Raises `ValidationError` where a field is wrong."""
    token = ApiToken(user=user, name=name, scope=scope, expires_at=expires_at)
    secret = new_token(token)
    token.full_clean()
    token.save()
    return secret


def is_taken(user: Any, name: str) -> bool:
    """Whether a user has a token of that name that is not revoked."""
    return ApiToken.objects.filter(user=user, name=name, revoked_at=None).exists()


def in_days(days: int) -> datetime:
    """The moment that many days from now."""
    return timezone.now() + timedelta(days=days)
