"""The admin's pages of the catalogue."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog.admin_bulk import BulkCorrection
from catalog.admin_changes import ChangeAdmin
from catalog.admin_corrections import ConflictAdmin, CorrectionAdmin
from catalog.admin_list import OrderList
from catalog.admin_orders import OrderPage
from catalog.admin_rules import ValueRuleAdmin
from catalog.admin_tokens import ApiTokenAdmin
from catalog.models import Change, Conflict, Correction, KnownValue, Order, Source, ValueRule
from catalog.querysets import OrderQuerySet
from catalog.read_only import ReadOnlyAdmin
from catalog.tokens import ApiToken

admin.site.register(Change, ChangeAdmin)
admin.site.register(Correction, CorrectionAdmin)
admin.site.register(Conflict, ConflictAdmin)
admin.site.register(ValueRule, ValueRuleAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)


@admin.register(Order)
class OrderAdmin(OrderPage, OrderList, BulkCorrection):
    """Orders: their list, their pages, and one column of many at once."""

    class Media:
        css = {"all": (*OrderPage.Media.css["all"], *OrderList.Media.css["all"])}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """The order that the address names, like `services/20771583`; its key is never part of an address."""
        source, _, number = object_id.rpartition("/")
        orders = cast("OrderQuerySet", self.get_queryset(request))
        return orders.named(source, number).select_related("change__run").first()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The admin's log holds only what was edited in the admin; an order's history is on its page."""
        return redirect("admin:catalog_order_change", object_id)


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Systems that give out order numbers."""

    list_display = ("code", "number")
    fields = ("code", "number")


@admin.register(KnownValue)
class KnownValueAdmin(ReadOnlyAdmin):
    """The codes that loads have brought."""

    list_display = ("value", "field", "change")
    list_filter = ("field",)
    list_select_related = ("change",)
    fields = ("field", "value", "change")
