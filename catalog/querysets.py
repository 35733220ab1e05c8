"""Ways to ask for orders that more than one part of the product needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models

from catalog.contract import ValueRefused, parse_code, parse_integer
from catalog.keys import order_key

if TYPE_CHECKING:
    from catalog.models import Order  # noqa: F401  # the name in quotation marks below


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders, found by what people call them."""

    def present(self) -> OrderQuerySet:
        """Without the orders that a full snapshot has marked as removed."""
        return self.filter(removed=False)

    def natural(self, source: str, order_id: int) -> OrderQuerySet:
        """The one order `source/order_id`, or none; by the primary key."""
        numbers = source_numbers(code=source)
        return self.filter(key__in=[order_key(number, order_id) for number in numbers])

    def named(self, source: str, order_id: str) -> OrderQuerySet:
        """The one order that a URL names, or none: a text that is no code or no number names nothing."""
        try:
            return self.natural(parse_code(source), parse_integer(order_id))
        except ValueRefused:
            return self.none()

    def numbered(self, order_ids: Iterable[int]) -> OrderQuerySet:
        """The orders with these numbers, of whatever source; by the primary key, so no index is needed."""
        numbers = source_numbers()
        return self.filter(key__in=[order_key(number, order_id) for order_id in order_ids for number in numbers])

    def numbered_between(self, low: int, high: int) -> OrderQuerySet:
        """The orders with numbers from `low` to `high`, of whatever source; as ranges of the primary key."""
        condition = models.Q(pk__in=())
        for number in source_numbers():
            condition |= models.Q(key__gte=order_key(number, low), key__lte=order_key(number, high))
        return self.filter(condition)

    def with_any_id(self, number: int) -> OrderQuerySet:
        """Orders in which any id (order, customer, payment, voucher, product) is `number`.

        A union of indexed searches, one a column: for one OR over five columns databases read every order.
        """
        keys = [order_key(source, number) for source in source_numbers()]
        orders = self.model._default_manager
        columns = ("customer_id", "payment_id", "voucher_id", "product_id")
        found = [orders.filter(**{column: number}).values("key") for column in columns]
        return self.filter(key__in=orders.filter(key__in=keys).values("key").union(*found, all=True))


def source_numbers(**condition: Any) -> list[int]:
    """The numbers of all sources, or of those that meet `condition`."""
    return list(apps.get_model("catalog", "Source").objects.filter(**condition).values_list("number", flat=True))
