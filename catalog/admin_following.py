"""The way from the admin's page of an order back to the list it was opened from, and on to the next order of it."""

from __future__ import annotations

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from catalog.admin_counts import counts_of
from catalog.admin_query import Asked, meant
from catalog.models import Order

KEPT = "_changelist_filters"
"""Where Django's admin keeps in a page's address what its list was asked for."""


def asked_before(request: HttpRequest) -> str:
    """What the list was asked for, as it stood in its address."""
    kept = str(request.GET.get(KEPT, ""))
    return "" if "\0" in kept else kept


def list_before(request: HttpRequest) -> str:
    """The list from which the page was opened."""
    url, kept = reverse("admin:catalog_order_changelist"), asked_before(request)
    return f"{url}?{kept}" if kept else url


def next_in_list(request: HttpRequest, order: Order) -> Order | None:
    """The order below this one in the list; the first of the list where this one is not, or no longer, in it.

    None without filters, and where the list was sorted in another way than the newest first.
    """
    asked = Asked(meant(QueryDict(asked_before(request), mutable=True)))
    if asked.query is None or not asked.params or ORDER_VAR in asked.address or counts_of(asked).total == 0:
        return None
    orders = asked.query.orders()
    if orders.filter(pk=order.pk).exists():
        below = Q(order_date__lt=order.order_date) | Q(order_date=order.order_date, key__lt=order.key)
        orders = orders.filter(below, order_date__lte=order.order_date)
    return orders.order_by("-order_date", "-key").first()
