"""The admin's pages of changes: what changed the catalogue, and the orders that it changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog.admin_history import history_rows
from catalog.models import Change, Correction, CorrectionEvent, Order, OrderVersion
from catalog.read_only import ReadOnlyAdmin, moment, one_line, order_url, run_link, some_orders, visible
from catalog.timeline import timeline

FEW = 5
"""Orders of a change that its page shows."""


class ChangeAdmin(ReadOnlyAdmin):
    """What changed the catalogue, the latest first."""

    change_form_template = "admin/catalog/change/change_form.html"
    list_display = ("id", "kind", "moment", "who", "run", "why")
    list_filter = ("kind",)
    list_select_related = ("run",)
    fields = ("id", "kind", "moment", "who", "run", "why")
    readonly_fields = ("moment", "who", "run", "why")

    @admin.display(description="in force since")
    def moment(self, change: Change) -> str:
        return moment(change.at)

    @admin.display(description="actor")
    def who(self, change: Change) -> str:
        return visible(change.actor)

    @admin.display(description="reason")
    def why(self, change: Change) -> str:
        return one_line(change.reason)

    def run(self, change: Change) -> SafeString | str:
        return run_link(change)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        change = kwargs.get("obj")
        if isinstance(change, Change) and request.user.has_perm("catalog.view_order"):
            context |= what_changed(change)
        return super().render_change_form(request, context, *args, **kwargs)


def what_changed(change: Change) -> dict[str, Any]:
    """How many orders got their values from a change, and what it did to the first few of all that it concerned."""
    now, since = Order.objects.filter(change=change), OrderVersion.objects.filter(change=change)
    run = getattr(change, "run", None)
    listed = f"{reverse('admin:catalog_order_changelist')}?run={run.pk}&removed=any" if run else ""
    keys = first_keys(change, FEW + 1)
    return {
        "shown_now": some_orders(now),
        "changed_since": some_orders(since) if since.exists() else "",
        "listed": listed if now.exists() else "",
        "touched": [found for key in keys[:FEW] if (found := touched(key, change))],
        "more": len(keys) > FEW,
    }


def first_keys(change: Change, most: int) -> list[int]:
    """Keys of orders that a change concerned: by a state that it made or ended, or by a correction."""
    found: dict[int, None] = {}
    for rows, column in (
        (Order.objects.filter(change=change).order_by("-order_date", "-key"), "key"),
        (OrderVersion.objects.filter(change=change).order_by(), "key"),
        (OrderVersion.objects.filter(ended_by=change).order_by(), "key"),
        (Correction.objects.filter(made_by=change).order_by(), "order"),
        (Correction.objects.filter(ended_by=change).order_by(), "order"),
        (CorrectionEvent.objects.filter(change=change).order_by(), "correction__order"),
    ):
        if len(found) < most:
            found |= dict.fromkeys(rows.values_list(column, flat=True)[:most])
    return list(found)[:most]


def touched(key: int, change: Change) -> dict[str, Any] | None:
    """One order, and what the change did to it."""
    order = Order.objects.filter(pk=key).first()
    state = order or OrderVersion.objects.filter(key=key).order_by("-change").first()
    if state is None:
        return None
    entries = [entry for entry in timeline(state) if entry.change.pk == change.pk]
    return {
        "name": state.natural_key,
        # What an undo took out of the catalogue has no page.
        "url": order_url(order) if order else "",
        "entry": history_rows(entries)[0] if entries else None,
    }
