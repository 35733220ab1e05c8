"""Addresses in the admin: lists of orders under filters, and the pages of customers and products."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.entities import Entity, Kind
from catalog.models import OrderState
from catalog.read_only import NOTHING


def orders_of(entity: Entity, **conditions: Any) -> str:
    """The list of the orders of a customer or product that meet conditions, as the API writes them."""
    given = {"source": entity.source, entity.kind.column: entity.number}
    for name, value in conditions.items():
        given |= {f"{name}__isnull": "true"} if value is None else {name: _text(value)}
    return f"{reverse('admin:catalog_order_changelist')}?{urlencode(given)}"


def _text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def entity_url(entity: Entity) -> str:
    """The page of a customer or a product."""
    return reverse(f"admin:catalog_{entity.kind}", args=[entity.source, entity.number])


def link_to_entity(order: OrderState, kind: Kind) -> SafeString | str:
    """A link to the page of an order's customer or product, by its number."""
    number = getattr(order, kind.column)
    if number is None:
        return NOTHING
    return format_html('<a href="{}">{}</a>', entity_url(Entity(kind, order.source, number)), number)


def entities_of(order: OrderState) -> list[dict[str, Any]]:
    """The customer and the product of an order, as far as it has them, with their pages."""
    named = ((kind, getattr(order, kind.column)) for kind in Kind)
    found = (Entity(kind, order.source, number) for kind, number in named if number is not None)
    return [{"kind": str(entity.kind), "name": str(entity), "url": entity_url(entity)} for entity in found]
