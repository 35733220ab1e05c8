"""Addresses in the admin: lists of orders under filters, and the pages of customers and products."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from catalog.admin_filters import MISSING
from catalog.entities import Entity, Kind
from catalog.models import OrderState


def orders_list(**conditions: Any) -> str:
    """The list of the orders that meet conditions, named as the list's filters are; None is a missing value."""
    texts = {name: MISSING if value is None else _text(value) for name, value in conditions.items()}
    return f"{reverse('admin:catalog_order_changelist')}?{urlencode(texts)}"


def orders_of(entity: Entity, **conditions: Any) -> str:
    """The list of the orders of a customer or product that meet further conditions."""
    return orders_list(**{"source": entity.source, entity.kind.column: entity.number}, **conditions)


def _text(value: Any) -> str:
    # Without an offset Django would take a time for one of the server's.
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def entity_url(entity: Entity) -> str:
    """The page of a customer or a product."""
    return reverse(f"admin:catalog_{entity.kind}", args=[entity.source, entity.number])


def entities_of(order: OrderState) -> list[dict[str, Any]]:
    """The customer and the product of an order, as far as it has them, with their pages."""
    named = ((kind, getattr(order, kind.column)) for kind in Kind)
    found = (Entity(kind, order.source, number) for kind, number in named if number is not None)
    return [{"kind": str(entity.kind), "name": str(entity), "url": entity_url(entity)} for entity in found]
