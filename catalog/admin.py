"""The admin's pages of the catalogue."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog.admin_filters import OrderYear, Removed, known_values
from catalog.contract import NAMES, ValueRefused, parse_integer, shown
from catalog.models import Change, KnownValue, Order, OrderVersion, Source
from catalog.querysets import OrderQuerySet
from catalog.read_only import NOTHING, IndexedChangeList, ReadOnlyAdmin, link_to, moment, visible

SHOWN_VERSIONS = 100

SHOWN_AS = tuple({"order_date": "placed", "payment_date": "paid"}.get(name, name) for name in NAMES)
"""The contract's fields, the timestamps as the admin's own methods write them: to the last digit."""


def cause(change: Change) -> SafeString | str:
    """What changed an order: a link to the run, or what else it was, with its reason."""
    run: Any = getattr(change, "run", None)
    if run is not None:
        return link_to(run, str(run))
    return f"{change.get_kind_display()}: {visible(change.reason)}" if change.reason else change.get_kind_display()


def run_link(change: Change) -> SafeString | str:
    """A link to the run behind a change, if it was one: catalog knows runs only from the other side."""
    run: Any = getattr(change, "run", None)
    return NOTHING if run is None else link_to(run, str(run))


class OrderChangeList(IndexedChangeList):
    """Links to orders by what people call them."""

    def url_for_result(self, result: Any) -> str:
        name = f"{quote(result.source)}/{result.order_id}"
        return reverse("admin:catalog_order_change", args=[name])


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders, the newest first."""

    list_display = (
        *("natural_key", "placed", "website", "customer_id"),
        *("order_status", "payment_status", "paid", "voucher_status"),
    )
    list_filter = (
        Removed,
        OrderYear,
        known_values("source"),
        known_values("website"),
        known_values("order_status"),
        known_values("payment_status"),
        known_values("voucher_status"),
    )
    ordering = ("-order_date",)
    sortable_by = ("placed", "paid", "customer_id")
    # Names a field so that the admin shows a search box; `get_search_results` does the searching.
    search_fields = ("order_id",)
    search_help_text = "Any id (order, customer, payment, voucher, product), or an order like services/20771583"
    fieldsets = (
        (None, {"fields": tuple(zip(SHOWN_AS[::2], SHOWN_AS[1::2], strict=True))}),
        ("Where it comes from", {"fields": (("last_change", "line"), ("since", "gone"), "source_says")}),
        ("History", {"fields": ("history",), "classes": ("wide-value",)}),
    )
    readonly_fields = ("placed", "paid", "last_change", "since", "gone", "source_says", "history")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrderChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """The order that the address names, like `services/20771583`; its key is never part of an address."""
        source, _, number = object_id.rpartition("/")
        orders = cast("OrderQuerySet", self.get_queryset(request))
        return orders.named(source, number).select_related("change__run").first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        orders: Any = queryset
        source, slash, number = term.rpartition("/")
        if slash:
            return orders.named(source, number), False
        try:
            return orders.with_any_id(parse_integer(term)), False
        except ValueRefused:
            sentence = f"{shown(term)} is neither a number nor an order like services/20771583; no order is shown."
            self.message_user(request, sentence, messages.WARNING)
            return queryset.none(), False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The admin's log holds only what was edited in the admin; an order's history is on its page."""
        return redirect("admin:catalog_order_change", object_id)

    def view_on_site(self, order: Order) -> str:
        """The order in the API."""
        return reverse("order-detail", kwargs={"source": order.source, "order_id": order.order_id})

    @admin.display(description="order")
    def natural_key(self, order: Order) -> str:
        return order.natural_key

    @admin.display(description="order date", ordering="order_date")
    def placed(self, order: Order) -> str:
        return moment(order.order_date)

    @admin.display(description="payment date", ordering="payment_date")
    def paid(self, order: Order) -> str:
        return moment(order.payment_date)

    @admin.display(description="last change")
    def last_change(self, order: Order) -> SafeString | str:
        return cause(order.change)

    @admin.display(description="the source says")
    def source_says(self, order: Order) -> str:
        below = [f"{name}: {cell_text(value)}" for name, value in order.source_values.items()]
        return ", ".join(below) or "the same, in every column"

    @admin.display(description="in force since")
    def since(self, order: Order) -> str:
        return moment(order.change.at)

    @admin.display(description="removed")
    def gone(self, order: Order) -> str:
        return "yes: a later full snapshot no longer had it" if order.removed else "no"

    @admin.display(description="versions")
    def history(self, order: Order) -> SafeString | str:
        return history_table(order)


def history_table(order: Order) -> str:
    """The states of an order, the newest first, each with what differs from the one before it."""
    versions = OrderVersion.objects.filter(key=order.key).select_related("change__run", "ended_by__run")
    older = list(versions.order_by("-change_id")[: SHOWN_VERSIONS + 1])
    if not older:
        return "No change since it was first loaded."
    states: list[Order | OrderVersion] = [order, *older]
    names = changed_first(("removed", *(name for name in NAMES if name not in ("source", "order_id"))), states)
    rows = [state_row(state, before, names) for state, before in zip(states, [*older, None], strict=True)]
    context = {"names": names, "rows": rows[:SHOWN_VERSIONS], "more": len(rows) > SHOWN_VERSIONS}
    return render_to_string("admin/catalog/order/history.html", context)


def changed_first(names: tuple[str, ...], states: list[Order | OrderVersion]) -> tuple[str, ...]:
    """The columns, those in which something ever changed before the others: the table is wide."""
    return tuple(sorted(names, key=lambda name: len({getattr(state, name) for state in states}) == 1))


def state_row(
    state: Order | OrderVersion, before: Order | OrderVersion | None, names: tuple[str, ...]
) -> dict[str, Any]:
    """One line of the history: when, by what, and each value with whether it was set then."""
    ended = state.ended_by.at if isinstance(state, OrderVersion) else None
    cells = []
    for name in names:
        value = getattr(state, name)
        changed = before is not None and value != getattr(before, name)
        below = f"the source says {cell_text(state.source_values[name])}" if name in state.source_values else ""
        cells.append({"text": cell_text(value), "changed": changed, "below": below})
    return {
        "since": moment(state.change.at),
        "until": "now" if ended is None else moment(ended),
        "cause": cause(state.change),
        "actor": state.change.actor,
        "cells": cells,
    }


def cell_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return NOTHING
    return moment(value) if hasattr(value, "isoformat") else str(value)


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Systems that give out order numbers."""

    list_display = ("code", "number")
    fields = ("code", "number")


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """What changed the catalogue, the latest first."""

    list_display = ("id", "kind", "moment", "actor", "run", "reason")
    list_filter = ("kind",)
    list_select_related = ("run",)
    fields = ("id", "kind", "moment", "actor", "run", "reason")
    readonly_fields = ("moment", "run")

    @admin.display(description="in force since")
    def moment(self, change: Change) -> str:
        return moment(change.at)

    def run(self, change: Change) -> SafeString | str:
        return run_link(change)


@admin.register(KnownValue)
class KnownValueAdmin(ReadOnlyAdmin):
    """The codes that loads have brought."""

    list_display = ("value", "field", "change")
    list_filter = ("field",)
    list_select_related = ("change",)
    fields = ("field", "value", "change")
