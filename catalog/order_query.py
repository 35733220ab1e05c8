"""What a request asks of the orders: one condition, at one moment, and what it takes to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import Order
from catalog.querysets import OrderQuerySet


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Orders that meet a condition.

    `at` is the change after which the catalogue is looked at, none for now; `columns` are those that the condition
    reads, with `key` or `change` among them where it asks for more than values; `whole_days`: all conditions on times
    begin and end at midnight of the sources' zone; `lasting`: the same text means this whatever changes.
    """

    q: Q
    at: int | None
    columns: frozenset[str]
    whole_days: bool
    lasting: bool = False

    def base(self) -> OrderQuerySet:
        """All orders, now or then."""
        return Order.objects.all() if self.at is None else Order.objects.all().after_change(self.at)

    def orders(self) -> OrderQuerySet:
        """The orders that meet the condition."""
        return self.base().filter(self.q)
