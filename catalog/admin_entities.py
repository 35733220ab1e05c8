"""The admin's pages of one customer and of one product: their orders at a glance."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from catalog.admin_links import entity_url, orders_of
from catalog.contract import shown
from catalog.engines import reader_for
from catalog.entities import (
    COUNTED,
    MOST,
    STATUSES,
    Entity,
    Kind,
    Orders,
    Placed,
    entity_named,
    everywhere,
    first_of,
    read_orders,
)
from catalog.entity_chart import chart
from catalog.facets import ranked
from catalog.models import Order
from catalog.quality import named
from catalog.read_only import NOTHING, cell_text, moment, order_url, orders_in_words
from catalog.standing_out import Remark, remarks

LATEST = 20
"""Orders in the table of the latest."""

MOST_VALUES = 20
"""Rows of a table of totals."""

MISSING = "(missing)"
"""Stands for a value where there is none; no code has parentheses."""

CSS = Media(css={"all": ("catalog/admin.css", "catalog/charts.css", "catalog/glance.css")})


def entity_urls(site: AdminSite) -> list[URLPattern]:
    """Where the pages are, like `catalog/customer/services/7/`."""
    return [
        path(
            f"catalog/{kind}/<str:source>/<str:number>/",
            site.admin_view(require_safe(partial(entity_view, site=site, kind=kind))),
            name=f"catalog_{kind}",
        )
        for kind in Kind
    ]


def entity_view(request: HttpRequest, source: str, number: str, *, site: AdminSite, kind: Kind) -> HttpResponse:
    """The page, for whoever may look at orders."""
    admin: Any = site.get_model_admin(Order)
    if not admin.has_view_permission(request):
        raise PermissionDenied
    entity = entity_named(kind, source, number)
    with reader_for(connection).one_moment():
        orders = read_orders(entity) if entity else None
        page = page_of(orders) if orders else None
    if page is None:
        messages.warning(request, f"There is no order of {kind} {shown(f'{source}/{number}')}.")
        return redirect("admin:catalog_order_changelist")
    context = {**site.each_context(request), "opts": admin.opts, "media": CSS, **page}
    return TemplateResponse(request, "admin/catalog/entity/page.html", context)


def page_of(orders: Orders) -> dict[str, Any]:
    """What the page shows."""
    entity, known = orders.entity, everywhere()
    picture, older = chart(orders, [value for value, _ in ranked(known.get("order_status", {}))])
    return {
        "title": str(entity.kind).capitalize(),
        "subtitle": str(entity),
        "entity": entity,
        "api": reverse(str(entity.kind), args=[entity.source, entity.number]),
        "list": orders_of(entity),
        "facts": facts(orders),
        "most": MOST if orders.more else None,
        "chart": picture,
        "older": orders_in_words(older) if older else "",
        "remarks": [remark_shown(remark, entity) for remark in remarks(orders, known)],
        "totals": [totals(orders, column) for column in COUNTED],
        "latest": [order_shown(order, entity.kind.other) for order in orders.present[:LATEST]],
        "statuses": STATUSES,
    }


def facts(orders: Orders) -> list[tuple[str, str]]:
    """The figures at the head of the page."""
    present, other = orders.present, orders.entity.kind.other
    others = len({order.other for order in present} - {None})
    first = first_of(orders)
    last = f"{present[0].order_date:%Y-%m-%d}" if present else NOTHING
    if first and not present:
        # All that were read are removed, but not all that there are.
        last = f"{orders.read[-1].order_date:%Y-%m-%d} or before"
    more = " or more" if orders.more and first else ""
    return [
        ("orders", f"{max(1, len(present)) if more else len(present):,}{more}"),
        (f"{other}s", f"{others:,}{more}"),
        ("first order", f"{first:%Y-%m-%d}" if first else NOTHING),
        ("last order", last),
    ]


def totals(orders: Orders, column: str) -> dict[str, Any]:
    """How many orders there are of each value of a column, each with its list."""
    values, total = orders.by(column), len(orders.present)
    rows = [
        (
            MISSING if value is None else cell_text(value),
            f"{number:,}",
            f"{number / total:.1%}",
            orders_of(orders.entity, **{column: value}),
        )
        for value, number in values[:MOST_VALUES]
    ]
    return {"name": column, "rows": rows, "more": max(0, len(values) - MOST_VALUES)}


def order_shown(order: Placed, other: Kind) -> dict[str, Any]:
    """An order as a row of a table."""
    return {
        "name": order.natural_key,
        "url": order_url(order),
        "date": moment(order.order_date),
        "website": order.website,
        "statuses": [cell_text(getattr(order, name)) for name in STATUSES],
        "other": None if order.other is None else Entity(other, order.source, order.other),
        "other_url": "" if order.other is None else entity_url(Entity(other, order.source, order.other)),
        "suspect": " ".join(check.sentence for check in named(order.failed)),
        "overlaid": bool(order.overlaid),
    }


def remark_shown(remark: Remark, entity: Entity) -> dict[str, Any]:
    """A sentence with links to its orders."""
    return {
        "sentence": remark.sentence,
        "orders": [(order.natural_key, order_url(order), f"{order.order_date:%Y-%m-%d}") for order in remark.orders],
        "more": remark.more,
        "list": orders_of(entity, **remark.filters) if remark.filters else "",
    }
