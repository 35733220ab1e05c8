"""The admin's pages of the catalogue."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from catalog.admin_bulk import BulkCorrection
from catalog.admin_corrections import ConflictAdmin, CorrectionAdmin
from catalog.admin_filters import OrderYear, Removed, SetRight, known_values
from catalog.admin_orders import OrderPage
from catalog.admin_rules import ValueRuleAdmin
from catalog.admin_tokens import ApiTokenAdmin
from catalog.contract import ValueRefused, parse_integer, shown
from catalog.models import Change, Conflict, Correction, KnownValue, Order, Source, ValueRule
from catalog.querysets import OrderQuerySet
from catalog.read_only import IndexedChangeList, ReadOnlyAdmin, moment, one_line, order_url, run_link, visible
from catalog.tokens import ApiToken

admin.site.register(Correction, CorrectionAdmin)
admin.site.register(Conflict, ConflictAdmin)
admin.site.register(ValueRule, ValueRuleAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)


class OrderChangeList(IndexedChangeList):
    """Links to orders by what people call them."""

    def url_for_result(self, result: Any) -> str:
        return order_url(result)


@admin.register(Order)
class OrderAdmin(OrderPage, BulkCorrection):
    """Orders, the newest first."""

    list_display = (
        *("natural_key", "placed", "website", "customer_id"),
        *("order_status", "payment_status", "paid", "voucher_status"),
    )
    list_filter = (
        Removed,
        SetRight,
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

    @admin.display(description="order")
    def natural_key(self, order: Order) -> str:
        return order.natural_key

    @admin.display(description="order date", ordering="order_date")
    def placed(self, order: Order) -> str:
        return moment(order.order_date)

    @admin.display(description="payment date", ordering="payment_date")
    def paid(self, order: Order) -> str:
        return moment(order.payment_date)


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Systems that give out order numbers."""

    list_display = ("code", "number")
    fields = ("code", "number")


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """What changed the catalogue, the latest first."""

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


@admin.register(KnownValue)
class KnownValueAdmin(ReadOnlyAdmin):
    """The codes that loads have brought."""

    list_display = ("value", "field", "change")
    list_filter = ("field",)
    list_select_related = ("change",)
    fields = ("field", "value", "change")
