"""What the admin's pages of loaded data have in common: nothing to edit, nothing that reads a whole table."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from catalog.contract import shown
from catalog.models import Change, Order

NOTHING = "-"
"""What the admin shows for a missing value."""

KEY = re.compile(r"[0-9]{1,18}")
"""How a primary key is written."""


def count_within(rows: Any, limit: int) -> int:
    """The number of rows of a query, or one more than the limit."""
    return int(rows.order_by()[: limit + 1].count())


class BoundedPaginator(Paginator):
    """Pages of the first 10,000 rows; what lies beyond is for filters to find, not for leafing through."""

    LIMIT = 10_000

    @cached_property
    def found(self) -> int:
        """The number of rows, or one more than the limit."""
        return count_within(self.object_list, self.LIMIT)

    @cached_property
    def count(self) -> int:
        return min(self.found, self.LIMIT)

    @property
    def more(self) -> bool:
        """Are there rows that no page shows?"""
        return self.found > self.LIMIT


class IndexedChangeList(ChangeList):
    """A list that can be sorted by the columns in `sortable_by` only, whatever the address says."""

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None


class ReadOnlyAdmin(admin.ModelAdmin):
    """Pages to look at."""

    actions: Any = None
    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator
    show_full_result_count = False
    # Facets would count every choice of every filter.
    show_facets = ShowFacets.NEVER
    sortable_by: ClassVar[tuple[str, ...] | list[str] | None] = ()

    class Media:
        css = {"all": ("catalog/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return IndexedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # Not every database takes it for a text, so no filter can be asked for it.
        if "\0" in "".join(text for name, texts in request.GET.lists() for text in (name, *texts)):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        # Django drops a filter that it cannot read and shows everything; that must not pass without a word.
        if ERROR_FLAG in request.GET:
            messages.warning(
                request, "The address asked for a filter or page that does not exist: this is all there is."
            )
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name)}
        return super().change_view(request, object_id, form_url, title | (extra_context or {}))

    def not_there(self, request: HttpRequest, name: str) -> HttpResponse:
        """Back to the list, with the sentence that what the address names does not exist."""
        messages.warning(request, f"There is no {self.opts.verbose_name} {shown(name)}.")
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        # Django would try to make numbers of whatever the request has as selected rows.
        if not all(KEY.fullmatch(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            messages.warning(request, "The request names rows that cannot exist; select them in the list again.")
            return None
        return super().response_action(request, queryset, *args)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def orders_in_words(count: int) -> str:
    """A number of orders."""
    return "1 order" if count == 1 else f"{count:,} orders"


def some_orders(orders: Any) -> str:
    """The number of orders of a query, without counting on and on."""
    return found_orders(count_within(orders, BoundedPaginator.LIMIT))


def found_orders(found: int) -> str:
    """A number of orders that were counted up to the limit."""
    return f"more than {BoundedPaginator.LIMIT:,} orders" if found > BoundedPaginator.LIMIT else orders_in_words(found)


def moment(value: datetime | None) -> str:
    """A timestamp to the last digit it has, in UTC."""
    return NOTHING if value is None else value.isoformat(sep=" ").replace("+00:00", "")


def second(value: datetime) -> SafeString:
    """A timestamp to the second, for texts; to the last digit for whoever points at it."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        moment(value),
        moment(value.replace(microsecond=0)),
    )


def visible(text: str) -> str:
    """`text` with every character that would not show written as an escape; a line's end also ends the line."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown.replace("\\n", "\\n\n")


def one_line(text: str) -> str:
    """What a person wrote, on one line, with nothing in it that would not show."""
    return " ".join(visible(line) for line in text.splitlines())


def link_to(record: Model, text: str) -> SafeString:
    """A link to the admin's page of a record."""
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[record.pk]), text)


class Named(Protocol):
    """An order, or as much of one as its name takes."""

    @property
    def source(self) -> str: ...

    @property
    def order_id(self) -> int: ...


def link_to_order(order: Order) -> SafeString:
    """A link to the admin's page of an order, by its natural key."""
    return format_html('<a href="{}">{}</a>', order_url(order), order.natural_key)


def order_url(order: Named) -> str:
    """The admin's page of an order."""
    return reverse("admin:catalog_order_change", args=[f"{quote(order.source)}/{order.order_id}"])


def run_link(change: Change) -> SafeString | str:
    """A link to the run behind a change, if it was one: catalog knows runs only from the other side."""
    run: Any = getattr(change, "run", None)
    return NOTHING if run is None else link_to(run, str(run))


def cause(change: Change) -> SafeString | str:
    """What changed an order: a link to the run, or what else it was, with its reason."""
    if getattr(change, "run", None) is not None:
        return run_link(change)
    return f"{change.get_kind_display()}: {one_line(change.reason)}" if change.reason else change.get_kind_display()


def cell_text(value: Any) -> str:
    """A value as a cell of a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return NOTHING
    return moment(value) if hasattr(value, "isoformat") else str(value)
