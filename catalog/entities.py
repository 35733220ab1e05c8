"""A customer or a product: the newest of its orders, found by an index, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from catalog.contract import MAX_INTEGER, ValueRefused, parse_code, parse_integer
from catalog.facets import ranked
from catalog.grouping import Dimension, Grouping, folded
from catalog.keys import order_key
from catalog.models import Order
from catalog.order_query import OrderQuery
from catalog.prepared import Row, rows
from catalog.quality import failed
from catalog.querysets import source_numbers

STATUSES = ("order_status", "voucher_status", "payment_status")

COUNTED = ("website", *STATUSES)
"""The columns whose values are counted."""

MOST = 5_000
"""Orders that are read of one customer or product, the newest: each lies somewhere else on the disk."""


class Kind(StrEnum):
    """What orders have in common."""

    CUSTOMER = "customer"
    PRODUCT = "product"

    @property
    def column(self) -> str:
        return f"{self}_id"

    @property
    def other(self) -> Kind:
        """What is counted besides the orders."""
        return Kind.PRODUCT if self is Kind.CUSTOMER else Kind.CUSTOMER


@dataclass(frozen=True, slots=True)
class Entity:
    """A customer or a product, by what people call it: each source numbers them on its own."""

    kind: Kind
    source: str
    number: int

    def __str__(self) -> str:
        return f"{self.source}/{self.number}"


class Placed(NamedTuple):
    """What is read of an order; `failed` has a bit for each check of quality, `overlaid` one for each column."""

    key: int
    source: str
    order_id: int
    other: int | None
    order_date: datetime
    website: str
    order_status: str
    voucher_status: str | None
    payment_status: str | None
    removed: bool
    overlaid: int
    failed: int

    @property
    def natural_key(self) -> str:
        return f"{self.source}/{self.order_id}"


@dataclass(frozen=True)
class Orders:
    """The newest orders of a customer or a product; `more` when it has others, which are older and not read."""

    entity: Entity
    read: tuple[Placed, ...]
    more: bool

    @cached_property
    def present(self) -> tuple[Placed, ...]:
        """Without those that a full snapshot no longer had; the newest first, as all."""
        return tuple(order for order in self.read if not order.removed)

    @cached_property
    def cells(self) -> list[Row]:
        """How many there are of each combination of what is counted: the values, and the number last."""
        found = Counter((o.website, o.order_status, o.voucher_status, o.payment_status) for o in self.present)
        return [(*values, number) for values, number in found.items()]

    def by(self, column: str) -> list[tuple[Any, int]]:
        """The values of a column with their numbers, the most frequent first."""
        return ranked(folded(self.cells, COUNTED.index(column)))


def entity_named(kind: Kind, source: str, number: str) -> Entity | None:
    """What an address names; none where it cannot be the name of anything."""
    try:
        return Entity(kind, parse_code(source), parse_integer(number))
    except ValueRefused:
        return None


def read_orders(entity: Entity) -> Orders | None:
    """The newest orders of a customer or a product; none where there is no order of it at all."""
    q = condition(entity)
    found = [] if q is None else rows(lambda q: _newest(entity, q), q, (__name__, entity.kind))
    if not found:
        return None
    return Orders(entity, tuple(map(Placed._make, found[:MOST])), len(found) > MOST)


def first_of(orders: Orders) -> datetime | None:
    """When the first of all its orders was placed, also of those that were not read; removed ones do not count."""
    if not orders.more:
        return orders.present[-1].order_date if orders.present else None
    q = condition(orders.entity)
    dates = Order.objects.present().filter(q or Q()).order_by("order_date", "key")
    return dates.values_list("order_date", flat=True).first()


def condition(entity: Entity) -> Q | None:
    """Which orders are meant; none where nobody knows the source.

    The source is asked for by the key, which the index has in it: what others number alike is passed by unread.
    """
    numbers = source_numbers(code=entity.source)
    if not numbers:
        return None
    low, high = order_key(numbers[0], 1), order_key(numbers[0], MAX_INTEGER)
    return Q((entity.kind.column, entity.number), ("key__gte", low), ("key__lte", high))


def _newest(entity: Entity, q: Q) -> QuerySet[Any, Any]:
    columns = [entity.kind.other.column if name == "other" else name for name in Placed._fields[:-1]]
    orders: QuerySet[Any, Any] = Order.objects.filter(q).order_by("-order_date", "-key")
    return orders.values_list(*columns, failed())[: MOST + 1]


def everywhere() -> dict[str, dict[Any, int]]:
    """How many of all orders have each value of the statuses, as the summary knows; empty while nothing is counted."""
    query = OrderQuery(Q(removed=False), None, frozenset({"removed"}), whole_days=True)
    cells: Sequence[Row] = Grouping(tuple(map(Dimension, STATUSES))).tallied(query) or ()
    return {name: folded(cells, place) for place, name in enumerate(STATUSES)}
