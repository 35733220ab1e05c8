"""Addresses without their final slash."""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware

from talpa_site.errors import API

SAFE = ("GET", "HEAD", "OPTIONS")


class SlashForReaders(CommonMiddleware):
    """Django's, but what would change something in the API is not sent on: it would come back as a GET, and succeed."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        if request.path.startswith(API) and request.method not in SAFE:
            return False
        return super().should_redirect_with_slash(request)
