"""The pages between an action on many rows and its doing: what would be done, to how many, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse

from catalog.changes import latest_change
from catalog.read_only import KEY

EXAMPLES = 10


def step_of(request: HttpRequest) -> str:
    """The button that was pressed on the page between; empty on coming from the list."""
    return request.POST.get("step", "")


def across(request: HttpRequest) -> bool:
    """Whether all rows are meant that the list's filters find, not only the ticked ones."""
    return bool(forms.BooleanField(required=False).clean(request.POST.get("select_across", "")))


def seen_by(request: HttpRequest) -> int:
    """The latest change of which the person knew; no change at all when the request has none."""
    seen = request.POST.get("seen", "")
    return int(seen) if KEY.fullmatch(seen) else -1


def action_page(model_admin: admin.ModelAdmin, request: HttpRequest, action: str, **context: Any) -> TemplateResponse:
    """A page that posts back to the list with the same rows selected.

    `title`, `form`, and `button` with its `step`; optionally `lead`, `headers` and `examples`, and `hidden` inputs.
    Call `latest_change` first where the page shows what the catalogue holds, and hand it over as `seen`.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "action": action,
        "selected_name": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": across(request),
        "back": request.get_full_path(),
        "hidden": {},
        "seen": latest_change(),
        **context,
    }
    return TemplateResponse(request, "admin/catalog/action.html", context)
