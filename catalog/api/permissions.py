"""Who may read, and who may change what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from catalog.tokens import ApiToken

if TYPE_CHECKING:
    # The settings name this module, so REST framework reads it while it defines this class.
    from rest_framework.views import APIView


def may(request: Request, permission: str) -> bool:
    """Whether a request may do what needs a permission: its user, and its token if that is narrowed to a group.

    Nothing else of the API asks a user for a permission, as that would pass the token by.
    """
    if not request.user.has_perm(permission):
        return False
    return request.auth.allows(permission) if isinstance(request.auth, ApiToken) else True


class ReadAccess(BasePermission):
    """Reading, for anyone signed in or with a token; for everyone where `API_ANONYMOUS_READ` is on."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        known = bool(request.user and request.user.is_authenticated)
        if request.method in SAFE_METHODS:
            return known or settings.API_ANONYMOUS_READ
        if known:
            # 403 would say that somebody else may.
            raise MethodNotAllowed(str(request.method))
        return False


class MayChange(ReadAccess):
    """Reading as everywhere; changing for those with the permission that the view names for the action."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return super().has_permission(request, view)
        needed = getattr(view, "permissions_needed", {}).get(getattr(view, "action", None))
        if needed is None:
            return super().has_permission(request, view)
        return bool(request.user and request.user.is_authenticated and may(request, needed))
